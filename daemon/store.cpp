// See store.hpp.
#include "store.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace beltway::daemon {
namespace {

/// How long the daemon waits for a store that does not read; then it goes on without.
constexpr timeval k_patience{.tv_sec = 5, .tv_usec = 0};
constexpr int k_tries = 100;
constexpr timespec k_pause{.tv_sec = 0, .tv_nsec = 10'000'000};

/// An abstract name begins with @. Empty if there is no such socket.
Fd connect_to(const std::string& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof name.sun_path) return {};
  std::memcpy(name.sun_path, address.data(), address.size());
  if (address.front() == '@') name.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) {
    spdlog::warn("the descriptor store at {} does not answer; queues end with this process", address);
    return {};
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &k_patience, sizeof k_patience);
  return socket;
}

bool send_datagram(int socket, std::string_view text, int descriptor) noexcept {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  for (int tries = 0; tries < k_tries; ++tries) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno == ETOOMANYREFS) {
      // Too many descriptors of this user are under way: the store takes them in a moment.
      ::nanosleep(&k_pause, nullptr);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return false;
}

}  // namespace

Store Store::from_environment() {
  Store store;
  store.inherited_ = take_inherited();
  if (const char* const address = std::getenv("NOTIFY_SOCKET")) store.address_ = address;  // NOLINT
  if (const char* const limit = std::getenv("FDSTORE")) store.told_limit_ = limit;         // NOLINT
  if (!store.address_.empty()) store.socket_ = connect_to(store.address_);
  store.was_there_ = store.is_there();
  if (const std::string& limit = store.told_limit_; !limit.empty()) {
    std::size_t number = 0;
    std::from_chars(limit.data(), limit.data() + limit.size(), number);
    store.limit_ = std::min(number, k_max_stored);
  }
  for (const char* const variable : {"NOTIFY_SOCKET", "FDSTORE"}) ::unsetenv(variable);
  return store;
}

void Store::hand_on() const {
  std::vector<PassedFd> passed;
  passed.reserve(inherited_.size());
  for (const NamedFd& left : inherited_) passed.push_back({left.name, left.descriptor.get()});
  pass_on(passed);
  if (!address_.empty()) ::setenv("NOTIFY_SOCKET", address_.c_str(), 1);
  if (!told_limit_.empty()) ::setenv("FDSTORE", told_limit_.c_str(), 1);
}

Fd Store::take(const std::string& name) {
  const auto found = std::find_if(inherited_.begin(), inherited_.end(), [&](const auto& e) { return e.name == name; });
  if (found == inherited_.end()) return {};
  Fd descriptor = std::move(found->descriptor);
  inherited_.erase(found);
  kept_.push_back({name, descriptor.get()});
  return descriptor;
}

void Store::require_room(std::size_t count, const std::string& what) const {
  if (!is_there() || kept_.size() + count <= limit_) return;
  throw Error(Errc::limit_reached, what + ": the descriptor store has " + std::to_string(kept_.size()) + " of " +
                                       std::to_string(limit_) + " descriptors, and this queue needs " +
                                       std::to_string(count) +
                                       "; remove queues, or raise RLIMIT_NOFILE or FileDescriptorStoreMax=");
}

void Store::keep(const std::string& name, int descriptor) noexcept {
  if (!was_there_) return;
  kept_.push_back({name, descriptor});
  send("FDSTORE=1\nFDNAME=" + name + "\nFDPOLL=0", descriptor);
}

void Store::forget(const std::string& name) noexcept {
  std::erase_if(kept_, [&](const PassedFd& kept) { return kept.name == name; });
  send("FDSTOREREMOVE=1\nFDNAME=" + name, -1);
}

void Store::send(std::string_view state, int descriptor) noexcept {
  if (!is_there() || send_datagram(socket_.get(), state, descriptor)) return;
  spdlog::error("the descriptor store has gone: {}", std::strerror(errno));
  socket_.reset();
}

}  // namespace beltway::daemon
