// Speculative spin: how a spinning consumer polls the one word that it waits for.
//
// An ordinary polling loop trains the branch predictor to expect "not ready". Then the processor starts on what follows the wait
// only after the line has arrived. Here each poll is a call whose predicted return is success: the processor starts early on the
// handler and on the line of an answer, and both transfers overlap. A poll that finds nothing rewrites its return address, which
// takes the processor back; that is also the gap between two polls (see poll_gap()).
//
// A stream of large messages suffers from it, because the processor begins to read what the producer is writing: there
// ConsumerCore::poll_position() uses plain_spin(). So does a processor with shadow stacks (CET), which forbid the rewriting.
#pragma once

#include <cstdint>

#include "beltway/detail/atomics.hpp"

namespace beltway::waiting {

/// Polls until `state & mask` is `wanted`, at most `polls` times (at least 1). Returns true if it was; the caller makes sure with
/// an acquire load. Thread-safe. speculative_spin() is plain_spin() where it is not x86-64, or with -fcf-protection.
using SpinFn = bool(const detail::Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned polls) noexcept;
[[nodiscard]] SpinFn speculative_spin;
[[nodiscard]] SpinFn plain_spin;

}  // namespace beltway::waiting
