// See descriptor_store.hpp.
#include "survival/descriptor_store.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>

#include "os/descriptor_message.hpp"

namespace beltway::daemon {
namespace {

/// How long the daemon waits for a store that does not read before it puts things aside. Clients hardly notice the pause, and a
/// store that is behind already brings none.
constexpr int k_patience_ms = 100;
/// The same before a declare is refused. A store that lives reads something meanwhile, also on a machine with more work than
/// processors. With the time above it stays below the second after which the tool calls a daemon stopped.
constexpr int k_declare_patience_ms = 600;

/// An abstract name begins with @. Empty if there is no such socket.
os::Fd connect_to(const std::string& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof name.sun_path) return {};
  std::memcpy(name.sun_path, address.data(), address.size());
  if (address.front() == '@') name.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  os::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) {
    spdlog::warn("the descriptor store at {} does not answer; queues end with this process", address);
    return {};
  }
  return socket;
}

enum class Sent { yes, no_room, failed };

Sent send_datagram(int socket, std::string_view text, int descriptor) noexcept {
  const std::span<const int> descriptors(&descriptor, descriptor >= 0 ? 1 : 0);
  if (os::send_with_descriptors(socket, text, descriptors) >= 0) return Sent::yes;
  // ETOOMANYREFS: too many descriptors of this user are under way; the store takes them in a moment.
  return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? Sent::no_room : Sent::failed;
}

std::chrono::microseconds watchdog_of_this_process() {
  const long process = number_in_environment("WATCHDOG_PID");
  if (process >= 0 && process != ::getpid()) return {};
  return std::chrono::microseconds{std::max(number_in_environment("WATCHDOG_USEC"), 0L)};
}

}  // namespace

DescriptorStore DescriptorStore::from_environment() {
  DescriptorStore store;
  store.inherited_ = take_inherited();
  if (const char* const address = std::getenv("NOTIFY_SOCKET")) store.address_ = address;  // NOLINT
  if (const char* const limit = std::getenv("FDSTORE")) store.told_limit_ = limit;         // NOLINT
  if (!store.address_.empty()) store.socket_ = connect_to(store.address_);
  store.was_there_ = store.is_there();
  if (store.was_there_) store.watchdog_time_ = watchdog_of_this_process();
  if (const std::string& limit = store.told_limit_; !limit.empty()) {
    std::size_t number = 0;
    std::from_chars(limit.data(), limit.data() + limit.size(), number);
    store.limit_ = std::min(number, k_max_stored);
  }
  for (const char* const variable : {"NOTIFY_SOCKET", "FDSTORE"}) ::unsetenv(variable);
  return store;
}

void DescriptorStore::hand_on() const {
  std::vector<PassedFd> passed;
  passed.reserve(inherited_.size());
  for (const NamedFd& left : inherited_) passed.push_back({left.name, left.descriptor.get()});
  pass_at_exec(passed);
  if (!address_.empty()) ::setenv("NOTIFY_SOCKET", address_.c_str(), 1);
  if (!told_limit_.empty()) ::setenv("FDSTORE", told_limit_.c_str(), 1);
  if (is_there() && watchdog_time_.count() != 0) {
    static_cast<void>(send_datagram(socket_.get(), "WATCHDOG_USEC=0", -1));
  }
}

void DescriptorStore::tell_alive() const noexcept {
  if (is_there() && !is_behind()) static_cast<void>(send_datagram(socket_.get(), "WATCHDOG=1", -1));
}

os::Fd DescriptorStore::take(const std::string& name) {
  const auto found = std::find_if(inherited_.begin(), inherited_.end(), [&](const auto& e) { return e.name == name; });
  if (found == inherited_.end()) return {};
  os::Fd descriptor = std::move(found->descriptor);
  inherited_.erase(found);
  stored_.push_back({name, descriptor.get()});
  return descriptor;
}

void DescriptorStore::require_room(std::size_t count, const std::string& context) {
  if (is_behind() && !is_silent_) wait_for_store(k_declare_patience_ms);
  is_silent_ = is_behind();
  if (is_silent_) {
    throw Error(
        Errc::limit_reached,
        context +
            ": the descriptor store does not read, so the queue would not outlive the daemon; is the supervisor "
            "(the daemon's parent process) or systemd stopped? Let it go on (kill -CONT), and try again");
  }
  if (!is_there() || stored_.size() + count <= limit_) return;
  throw Error(Errc::limit_reached, context + ": the descriptor store has " + std::to_string(stored_.size()) + " of " +
                                       std::to_string(limit_) + " descriptors, and this queue needs " +
                                       std::to_string(count) +
                                       "; remove queues, or raise RLIMIT_NOFILE or FileDescriptorStoreMax=");
}

void DescriptorStore::keep(const std::string& name, int descriptor) noexcept {
  if (!was_there_) return;
  stored_.push_back({name, descriptor});
  send({.name = name, .text = "FDSTORE=1\nFDNAME=" + name + "\nFDPOLL=0", .descriptor = descriptor});
}

void DescriptorStore::forget(const std::string& name) noexcept {
  std::erase_if(stored_, [&](const PassedFd& stored) { return stored.name == name; });
  // The descriptor may be closed after this, and the store need not know it.
  const auto here = [&](const Datagram& waiting) { return waiting.name == name; };
  if (std::erase_if(aside_, here) == 0) send({.name = {}, .text = "FDSTOREREMOVE=1\nFDNAME=" + name, .descriptor = -1});
}

void DescriptorStore::send(Datagram datagram) noexcept {
  if (!is_there()) return;
  const bool was_behind = is_behind();
  aside_.push_back(std::move(datagram));
  catch_up();
  if (was_behind || !is_behind()) return;
  wait_for_store(k_patience_ms);
  if (is_behind()) spdlog::warn("the descriptor store does not read: until it does, no queue is declared");
}

void DescriptorStore::wait_for_store(int patience_ms) noexcept {
  for (pollfd entry{socket_.get(), POLLOUT, 0}; is_behind() && ::poll(&entry, 1, patience_ms) > 0;) {
    const std::size_t before = aside_.size();
    catch_up();
    if (aside_.size() == before) return;  // the socket has room, and the kernel does not take descriptors all the same
  }
}

void DescriptorStore::catch_up() noexcept {
  while (is_there() && is_behind()) {
    const Datagram& next = aside_.front();
    const Sent sent = send_datagram(socket_.get(), next.text, next.descriptor);
    if (sent == Sent::no_room) return;
    if (sent == Sent::failed) {
      spdlog::error("the descriptor store has gone: {}", std::strerror(errno));
      socket_.reset();
      aside_.clear();
      return;
    }
    aside_.pop_front();
    is_silent_ = false;
  }
}

}  // namespace beltway::daemon
