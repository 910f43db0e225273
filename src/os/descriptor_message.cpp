#include "os/descriptor_message.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "os/fd.hpp"

namespace beltway::os {

namespace {

/// Descriptors, and the process that sent them.
struct alignas(cmsghdr) ControlBuffer {
  std::array<char, CMSG_SPACE(k_max_descriptors * sizeof(int)) + CMSG_SPACE(sizeof(ucred))> bytes;
};

void collect(msghdr& message, ReceivedDescriptors& received) noexcept {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred peer{};
      std::memcpy(&peer, CMSG_DATA(part), sizeof peer);
      received.sender = peer.pid;
    } else if (part->cmsg_type == SCM_RIGHTS) {
      const std::size_t room = received.all.size() - received.count;
      const std::size_t here = std::min((part->cmsg_len - CMSG_LEN(0)) / sizeof(int), room);
      std::memcpy(received.all.data() + received.count, CMSG_DATA(part), here * sizeof(int));
      received.count += here;
    }
  }
}

}  // namespace

void ReceivedDescriptors::close() noexcept {
  for (int& descriptor : used()) Fd(std::exchange(descriptor, -1)).reset();
}

ssize_t send_with_descriptors(int socket, std::span<const char> text, std::span<const int> descriptors) noexcept {
  iovec part{const_cast<char*>(text.data()), text.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0 || errno != EINTR) return sent;
  }
}

ssize_t receive_with_descriptors(int socket, std::span<char> text, ReceivedDescriptors& received) noexcept {
  iovec part{text.data(), text.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  received.count = 0;
  for (bool was_reset = false;;) {
    const ssize_t size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size >= 0) {
      collect(message, received);
      received.is_cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
      received.had_no_room = (message.msg_flags & MSG_CTRUNC) != 0;
      return size;
    }
    // A peer that closes without having read everything leaves an error in front of its last words, once.
    const bool reset = errno == ECONNRESET && !std::exchange(was_reset, true);
    if (errno != EINTR && !reset) return size;
  }
}

}  // namespace beltway::os
