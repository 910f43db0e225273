#include "client/channel.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>

#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "client/living_daemon.hpp"
#include "os/descriptor_message.hpp"

namespace beltway::client {

namespace {

using nlohmann::json;

/// As receive_with_descriptors(); -1 stands for the descriptors that `arrivals` has taken. Allocates and throws nothing.
ssize_t receive_in_section(int socket, std::span<char> text, os::ReceivedDescriptors& received,
                           Arrivals* arrivals) noexcept {
  std::optional<os::ForkSection> section;
  if (arrivals != nullptr) section.emplace();
  const ssize_t size = os::receive_with_descriptors(socket, text, received);
  if (size < 0) return size;
  if (received.is_cut) {
    received.close();  // at once: the handler of the error may need one
    if (arrivals != nullptr && received.had_no_room) arrivals->had_no_room();
  } else if (arrivals != nullptr && received.count != 0) {
    arrivals->arrived(received.used(), *section);
  }
  return size;
}

[[noreturn]] void throw_cut(bool had_no_room) {
  if (had_no_room) {
    throw Error(Errc::limit_reached,
                "receive a protocol message: no room for its file descriptors; " + os::descriptor_advice());
  }
  throw Error(Errc::protocol, "receive a protocol message: it is longer than " + std::to_string(k_max_protocol_bytes) +
                                  " bytes, the limit");
}

json parse_message(std::string_view text, std::size_t descriptors) {
  json body = json::parse(text, nullptr, false);
  if (body.is_discarded() || !body.is_object()) {
    throw Error(Errc::protocol, "receive a protocol message: it is not a JSON object; the peer is no Beltway process");
  }
  std::uint64_t announced = 0;
  if (const auto field = body.find("fds"); field != body.end()) {
    if (!field->is_number_unsigned()) {
      throw Error(Errc::protocol, "receive a protocol message: field \"fds\" is not a count");
    }
    announced = field->get<std::uint64_t>();
  }
  if (announced != descriptors) {
    throw Error(Errc::protocol, "receive a protocol message: " + std::to_string(descriptors) +
                                    " file descriptors came where " + std::to_string(announced) + " were announced");
  }
  return body;
}

/// A wait is cut into pieces of this length. One that takes twice as long is time in which this process did not run.
constexpr std::chrono::milliseconds k_piece_ms{250};

void throw_if_given_up(const Deadline& deadline, int process) {
  if (!deadline.gives_up_stopped() || !is_stopped_daemon(process)) return;
  throw Error(Errc::no_daemon, "the daemon does not answer; " + why_silent({}, process));
}

/// False at the deadline. A client that was frozen together with the daemon (a paused container, a suspended machine) must not
/// find that the daemon was too slow: time in which this process did not run is added to `deadline`.
bool wait_until(int descriptor, short events, Deadline& deadline, int process) {
  using std::chrono::milliseconds;
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    const auto end = deadline.at();
    // Compared first: the distance to a deadline far in the past does not fit its type.
    const bool is_over = end <= now || deadline.is_over_for_caller();
    const milliseconds left = is_over ? milliseconds(0) : std::chrono::ceil<milliseconds>(end - now);
    const milliseconds piece = std::min(left, deadline.has_stop() ? k_piece_before_stop : k_piece_ms);
    pollfd entry{descriptor, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(piece.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) throw os::system_failure("poll for the daemon");
    const auto late = std::chrono::steady_clock::now() - now - piece;
    if (late > k_piece_ms && left > milliseconds(0)) {
      deadline.extend(late);
    } else if (ready == 0 && left <= milliseconds(0)) {
      return false;
    } else {
      throw_if_given_up(deadline, process);
    }
  }
}

}  // namespace

ChannelStatus Channel::try_send(json body, std::span<const int> descriptors) {
  if (!descriptors.empty()) body["fds"] = descriptors.size();
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > k_max_protocol_bytes || descriptors.size() > os::k_max_descriptors) {
    throw Error(Errc::protocol, "send a protocol message: " + std::to_string(text.size()) + " bytes and " +
                                    std::to_string(descriptors.size()) + " descriptors; the limits are " +
                                    std::to_string(k_max_protocol_bytes) + " and " +
                                    std::to_string(os::k_max_descriptors));
  }
  if (os::send_with_descriptors(socket_.get(), text, descriptors) >= 0) return ChannelStatus::ok;
  if (errno == EAGAIN || errno == ENOBUFS) return ChannelStatus::would_block;
  if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) return ChannelStatus::closed;
  if (errno == ETOOMANYREFS) {
    throw Error(Errc::limit_reached,
                "send a protocol message: too many file descriptors are under way; "
                "raise the daemon's RLIMIT_NOFILE (ulimit -n)");
  }
  throw os::system_failure("send a protocol message: sendmsg");
}

ChannelStatus Channel::try_receive(Packet& packet, Arrivals* arrivals) {
  std::array<char, k_max_protocol_bytes> text;  // NOLINT: filling 64 KiB for each message would cost more than the rest
  std::vector<os::Fd> descriptors;
  descriptors.reserve(os::k_max_descriptors);  // before the first one is there, so that nothing can throw in between
  os::ReceivedDescriptors received;
  const ssize_t size = receive_in_section(socket_.get(), text, received, arrivals);
  if (size < 0) {
    if (errno == EAGAIN) return ChannelStatus::would_block;
    if (errno == ECONNRESET || errno == ENOTCONN) return ChannelStatus::closed;
    throw os::system_failure("receive a protocol message: recvmsg");
  }
  for (const int descriptor : received.used()) descriptors.emplace_back(descriptor);
  // An empty packet reads like the end of the stream; no peer that keeps the protocol sends one.
  if (size == 0) return ChannelStatus::closed;
  if (received.is_cut) throw_cut(received.had_no_room);
  packet.body = parse_message({text.data(), static_cast<std::size_t>(size)}, descriptors.size());
  packet.descriptors = std::move(descriptors);
  return ChannelStatus::ok;
}

bool Channel::is_cut() const noexcept {
  pollfd entry{socket_.get(), 0, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLERR)) != 0;
}

bool Channel::send(const json& body, Deadline deadline) {
  for (;;) {
    const ChannelStatus status = try_send(body);
    if (status == ChannelStatus::ok) return true;
    if (status == ChannelStatus::closed || !wait_until(socket_.get(), POLLOUT, deadline, process_)) return false;
  }
}

bool Channel::receive(Packet& packet, Deadline deadline, Arrivals* arrivals) {
  for (;;) {
    // Wait first: nothing may wait in a ForkSection, and an empty poll needs none.
    if (arrivals != nullptr && !wait_until(socket_.get(), POLLIN, deadline, process_)) return false;
    const ChannelStatus status = try_receive(packet, arrivals);
    if (status == ChannelStatus::ok) return true;
    if (status == ChannelStatus::closed || !wait_until(socket_.get(), POLLIN, deadline, process_)) return false;
  }
}

}  // namespace beltway::client
