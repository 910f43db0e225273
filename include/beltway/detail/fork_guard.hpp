// Tells a handle whether it is being used in a forked child of the process that made it. A child's copy of a handle has no
// mapping behind it (MADV_DONTFORK), shares its socket with the parent, and may find other memory at the old
// addresses: it must refuse every call and leak instead of unmapping.
//
// How: one page of the process holds a token and is wiped by the kernel at fork (MADV_WIPEONFORK, Linux 4.14; it also
// catches a bare clone(2), which pthread_atfork does not). A handle keeps the token that it was made under.
// A child that makes handles of its own writes a new token, greater than that of any ancestor, into its wiped page.
//
// Thread safety: everything, from any thread; no locks, so that a fork at any moment leaves nothing locked.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <atomic>
#include <cstdint>

namespace beltway::detail {

class ForkGuard {
 public:
  /// Belongs to this process. Throws Error(system) if the process's page cannot be mapped.
  ForkGuard();

  /// True in a child of the process that made this guard (or made the object that it was copied from).
  /// Costs one relaxed load of a line that no thread writes.
  [[nodiscard]] bool in_child() const noexcept { return word_->load(std::memory_order_relaxed) != token_; }

 private:
  const std::atomic<std::uint64_t>* word_;
  std::uint64_t token_;
};

}  // namespace beltway::detail
