// The page itself.
#include "tool/bench/bench_shared.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

BenchShared& make_bench_shared() {
  void* const memory = mmap(nullptr, sizeof(BenchShared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw Failure(ExitCode::failed, std::string("bench: mmap: ") + std::strerror(errno));
  return *new (memory) BenchShared;
}

void store_text(std::span<char> place, const std::string& text) noexcept {
  const std::size_t size = std::min(text.size(), place.size() - 1);
  std::copy_n(text.begin(), size, place.begin());
  place[size] = '\0';
}

}  // namespace beltway::tool
