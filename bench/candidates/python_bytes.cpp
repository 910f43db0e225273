// The loops of `beltway bench` that fill and read a message, for peers/python_candidates.py: both sides do the same to each
// byte.
// Thread safety: pure functions.
#include "tool/bench/bench_bytes.hpp"

#define BELTWAY_BENCH_CALL extern "C" __attribute__((visibility("default")))

BELTWAY_BENCH_CALL void bench_fill(void* place, std::size_t size, std::uint64_t value) {
  beltway::tool::fill({static_cast<std::byte*>(place), size}, value);
}

BELTWAY_BENCH_CALL bool bench_adds_up(const void* bytes, std::size_t size) {
  return beltway::tool::adds_up({static_cast<const std::byte*>(bytes), size});
}
