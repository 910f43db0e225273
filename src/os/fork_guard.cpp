// See fork_guard.hpp.
#include "beltway/detail/fork_guard.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "beltway/error.hpp"

namespace beltway::detail {

namespace {

using Token = std::atomic<std::uint64_t>;

/// The page's only word: 0 in a process that has made no guard yet. Set once, then never unmapped.
std::atomic<Token*> shared_page{nullptr};

/// In ordinary memory, so that a child goes on where its parent stood: no two generations of a family share a token.
std::atomic<std::uint64_t> last_token{0};

void wipe_in_child() noexcept {
  if (Token* page = shared_page.load(std::memory_order_relaxed)) page->store(0, std::memory_order_relaxed);
}

Token* map_page() {
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(Errc::system, std::string("watch for fork: mmap of one page: ") + std::strerror(errno));
  }
  // Kernels (and emulators) without it get the weaker form, which misses a bare clone(2).
  if (::madvise(memory, bytes, MADV_WIPEONFORK) != 0) ::pthread_atfork(nullptr, nullptr, wipe_in_child);
  auto* page = new (memory) Token(0);
  Token* expected = nullptr;
  // Pairs with the acquire load in the_page(): a reader of the pointer sees the page's first value.
  if (shared_page.compare_exchange_strong(expected, page, std::memory_order_acq_rel)) return page;
  ::munmap(memory, bytes);
  return expected;
}

Token* the_page() {
  // Pairs with the compare-and-swap in map_page().
  Token* page = shared_page.load(std::memory_order_acquire);
  return page != nullptr ? page : map_page();
}

std::uint64_t current_token(Token& word) noexcept {
  std::uint64_t token = word.load(std::memory_order_relaxed);
  if (token != 0) return token;
  const std::uint64_t fresh = last_token.fetch_add(1, std::memory_order_relaxed) + 1;
  return word.compare_exchange_strong(token, fresh, std::memory_order_relaxed) ? fresh : token;
}

}  // namespace

ForkGuard::ForkGuard() {
  Token* page = the_page();
  word_ = page;
  token_ = current_token(*page);
}

}  // namespace beltway::detail
