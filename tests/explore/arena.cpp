#include "arena.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace beltway::explore {
namespace {

constexpr std::size_t k_arena_bytes = 1 << 20;

alignas(4096) std::byte arena[k_arena_bytes];
std::size_t used = 0;
bool on = false;

void* allocate(std::size_t size, std::size_t alignment) {
  if (!on) {
    void* const memory = alignment <= alignof(std::max_align_t)
                             ? std::malloc(size == 0 ? 1 : size)
                             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }
  const std::size_t begin = (used + alignment - 1) / alignment * alignment;
  if (size > k_arena_bytes - begin) {
    std::fputs("explorer: one execution allocated more than its arena holds; raise k_arena_bytes\n", stderr);
    std::abort();
  }
  used = begin + size;
  return arena + begin;
}

void release(void* memory) noexcept {
  const auto place = reinterpret_cast<std::uintptr_t>(memory);
  const auto begin = reinterpret_cast<std::uintptr_t>(arena);
  if (place < begin || place >= begin + k_arena_bytes) std::free(memory);
}

}  // namespace

ArenaScope::ArenaScope() noexcept {
  used = 0;
  on = true;
}
ArenaScope::~ArenaScope() { on = false; }

}  // namespace beltway::explore

void* operator new(std::size_t size) { return beltway::explore::allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return beltway::explore::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { beltway::explore::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { beltway::explore::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { beltway::explore::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { beltway::explore::release(memory); }
