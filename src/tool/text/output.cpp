// writev until all is written, with the special ends.
#include "tool/text/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_output_bytes = 256 * 1024;
/// How long a write that was asked to stop waits for the other end before it gives up.
constexpr int k_patience_when_stopping_ms = 200;

iovec part(const void* data, std::size_t size) { return {const_cast<void*>(data), size}; }

}  // namespace

Output::Output(int fd, std::string name, std::stop_token stop)
    : fd_(fd), name_(std::move(name)), stop_(std::move(stop)) {}

void Output::append(std::string_view text) {
  if (buffer_.size() + text.size() > k_output_bytes) {
    if (!buffer_.empty()) flush();
    if (text.size() > k_output_bytes) return write_through(std::as_bytes(std::span(text)));
  }
  buffer_ += text;
}

void Output::append(std::span<const std::byte> bytes) {
  append(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void Output::write_through(std::span<const std::byte> bytes, std::string_view tail) {
  std::array<iovec, 3> parts{part(buffer_.data(), buffer_.size()), part(bytes.data(), bytes.size()),
                             part(tail.data(), tail.size())};
  write_all(parts);
  buffer_.clear();
}

bool Output::is_terminal() const noexcept { return isatty(fd_) == 1; }

void Output::write_all(std::span<iovec> parts) {
  for (;;) {
    while (!parts.empty() && parts.front().iov_len == 0) parts = parts.subspan(1);
    if (parts.empty()) return;
    const ssize_t written = writev(fd_, parts.data(), static_cast<int>(parts.size()));
    if (written < 0) {
      if (errno == EPIPE) throw Failure(ExitCode::broken_pipe, "");
      if (errno == EAGAIN) {
        // Another process set O_NONBLOCK on a descriptor that we share.
        pollfd writable{fd_, POLLOUT, 0};
        poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        throw Failure(ExitCode::failed, "write to " + name_ + ": " + std::strerror(errno));
      }
    }
    auto done = static_cast<std::size_t>(written < 0 ? 0 : written);
    for (iovec& each : parts) {
      const std::size_t taken = std::min(done, each.iov_len);
      each.iov_base = static_cast<char*>(each.iov_base) + taken;
      each.iov_len -= taken;
      done -= taken;
    }
    const bool more = std::any_of(parts.begin(), parts.end(), [](const iovec& each) { return each.iov_len > 0; });
    if (more && stop_.stop_requested()) handle_stop();
  }
}

void Output::handle_stop() const {
  pollfd writable{fd_, POLLOUT, 0};
  int ready = 0;
  // The kicks of the Interrupt cut a poll short; its time then starts anew, at most as often as they come.
  for (int tries = 0; tries < 4; ++tries) {
    ready = poll(&writable, 1, k_patience_when_stopping_ms);
    if (ready >= 0 || errno != EINTR) break;
  }
  if (ready <= 0) throw Stopped{};
}

void print(std::string_view text) {
  Output output(1);
  output.append(text);
  output.flush();
}

}  // namespace beltway::tool
