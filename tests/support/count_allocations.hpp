// Counts what a test program allocates, in all its threads: replaces operator new and, since Boost.Asio goes around operator new,
// aligned_alloc. For one source file of a program; not a part of the support library, where every program would get it.
// Sanitizers bring their own: with them nothing is counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace beltway::test {

inline std::atomic<std::uint64_t> g_allocations = 0;

/// Calls of operator new and aligned_alloc so far.
[[nodiscard]] inline std::uint64_t allocations() noexcept { return g_allocations; }

}  // namespace beltway::test

#ifndef BELTWAY_SANITIZED

// Not inlined: g++ would take the malloc inside for a new that does not match its delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++beltway::test::g_allocations;
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++beltway::test::g_allocations;
  void* memory = nullptr;
  return ::posix_memalign(&memory, alignment < sizeof(void*) ? sizeof(void*) : alignment, size) == 0 ? memory : nullptr;
}

#endif
