// Counts what a test program allocates, in all its threads. Linking this in replaces operator new and, since Boost.Asio goes
// around operator new, aligned_alloc.
#pragma once

#include <cstdint>

namespace beltway::test {

/// Calls of operator new and aligned_alloc so far.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace beltway::test
