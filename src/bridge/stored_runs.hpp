// Which messages of one stream the local queue has stored, so that none is stored twice and none is taken for stored by mistake.
//
// A server may deliver messages again, late, and out of their order. So the highest sequence says too little: one below it may be
// missing. This class knows runs of consecutive sequences. All runs are in memory; the two latest ones are also in the queue, as
// the sequence numbers of two named producers, which the queue stores together with the message. They survive the process.
// Thread safety: values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace beltway::bridge {

class StoredRuns {
 public:
  static constexpr std::size_t k_registers = 2;
  /// A register's value is `end << k_length_bits | length`: all from `end - length` to `end` are stored. It grows with `end`, as
  /// the sequence numbers of a named producer must.
  static constexpr unsigned k_length_bits = 17;
  static constexpr std::uint64_t k_max_length = (1ULL << k_length_bits) - 1;
  static constexpr std::uint64_t k_max_sequence = (1ULL << (64 - k_length_bits)) - 1;

  /// Where and how the queue keeps that a message is stored.
  struct Entry {
    std::size_t index = 0;    ///< of the register
    std::uint64_t value = 0;  ///< its next value
  };

  /// Takes over what a register holds; 0: nothing. A register that was not taken over is never used.
  void restore(std::size_t index, std::uint64_t value);

  /// The register is not used any more.
  void give_up(std::size_t index) { registers_.at(index).reset(); }

  /// `sequence`: 1 to k_max_sequence, here and below.
  [[nodiscard]] bool has(std::uint64_t sequence) const;
  /// The entry for a message that is not stored. Nothing: the queue cannot keep it, so only this object knows it.
  [[nodiscard]] std::optional<Entry> entry_for(std::uint64_t sequence) const;
  /// The message is stored, with its entry.
  void add(std::uint64_t sequence, const std::optional<Entry>& entry);

 private:
  using Runs = std::map<std::uint64_t, std::uint64_t>;  // the first one of a run, and its last one

  /// The run that `sequence` belongs to once it is stored.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> run_with(std::uint64_t sequence) const;
  void insert(std::uint64_t first, std::uint64_t last);

  Runs runs_;  // neither overlap nor touch
  std::array<std::optional<std::uint64_t>, k_registers> registers_;
};

}  // namespace beltway::bridge
