// See notification.hpp.
#include "survival/notification.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "os/descriptor_message.hpp"

namespace beltway::daemon {
namespace {

constexpr std::size_t k_datagram_bytes = 4096;

}  // namespace

std::optional<std::string> Notification::value(std::string_view key) const {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      return std::string(line.substr(key.size() + 1));
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<Notification> receive_notification(int socket) {
  std::array<char, k_datagram_bytes> text{};
  os::ReceivedDescriptors received;
  const ssize_t size = os::receive_with_descriptors(socket, text, received);
  if (size < 0) return std::nullopt;
  Notification heard;
  heard.text.assign(text.data(), static_cast<std::size_t>(size));
  heard.sender = received.sender;
  for (const int descriptor : received.used()) heard.descriptors.emplace_back(descriptor);
  return heard;
}

}  // namespace beltway::daemon
