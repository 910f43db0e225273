// One message on a Unix socket with file descriptors beside its bytes (SCM_RIGHTS).
// Thread safety: functions, from any thread. None of them allocates or throws.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <span>

namespace beltway::os {

/// The kernel's limit of one message (SCM_MAX_FD).
inline constexpr std::size_t k_max_descriptors = 253;

/// The descriptors that came with a message, as numbers: the receiver must own them or close them.
struct ReceivedDescriptors {
  std::array<int, k_max_descriptors> all;  // NOLINT: only the first `count` mean something
  std::size_t count = 0;
  pid_t sender = 0;          ///< as the kernel knows it, if the socket has SO_PASSCRED
  bool is_cut = false;       ///< the message was longer than `text`, or there was no room for all descriptors
  bool had_no_room = false;  ///< this process could not have all the descriptors

  [[nodiscard]] std::span<int> used() noexcept { return {all.data(), count}; }
  /// Closes all of them.
  void close() noexcept;
};

/// As sendmsg() without waiting and without SIGPIPE; never EINTR. `descriptors`: at most k_max_descriptors.
[[nodiscard]] ssize_t send_with_descriptors(int socket, std::span<const char> text,
                                            std::span<const int> descriptors) noexcept;

/// As recvmsg() without waiting; never EINTR. The descriptors close on exec. After a size below 0 there are none.
[[nodiscard]] ssize_t receive_with_descriptors(int socket, std::span<char> text,
                                               ReceivedDescriptors& received) noexcept;

}  // namespace beltway::os
