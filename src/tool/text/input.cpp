// read(), and the cutting of its bytes into messages.
#include "tool/text/input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tool/process/exit_code.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_input_bytes = 256 * 1024;

}  // namespace

InputFile::InputFile(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  fd_ = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) throw Failure(ExitCode::failed, "open " + name_ + ": " + std::strerror(errno));
  // A hint: pipes refuse it, and that is fine.
  static_cast<void>(posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL));
}

InputFile::~InputFile() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

std::size_t InputFile::read(std::span<std::byte> place, const std::stop_token& stop) const {
  while (!stop.stop_requested()) {
    const ssize_t got = ::read(fd_, place.data(), place.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN) {
      pollfd readable{fd_, POLLIN, 0};
      poll(&readable, 1, -1);
    } else if (errno != EINTR) {
      throw Failure(ExitCode::failed, "read " + name_ + ": " + std::strerror(errno));
    }
  }
  return 0;
}

std::size_t InputFile::read_full(std::span<std::byte> place, const std::stop_token& stop) const {
  std::size_t filled = 0;
  while (filled < place.size()) {
    const std::size_t got = read(place.subspan(filled), stop);
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

MessageReader::MessageReader(const InputFile& file, Options options, std::stop_token stop)
    : file_(file), options_(options), stop_(std::move(stop)), buffer_(std::max(k_input_bytes, options.piece_bytes)) {}

std::span<const Bytes> MessageReader::next(std::size_t most) {
  messages_.clear();
  for (;;) {
    split(most);
    if (!messages_.empty() || !fill()) return messages_;
  }
}

void MessageReader::split(std::size_t most) { options_.piece_bytes == 0 ? split_lines(most) : split_pieces(most); }

void MessageReader::split_lines(std::size_t most) {
  while (messages_.size() < most) {
    const char* const from = buffer_.data() + scanned_;
    const auto* newline = static_cast<const char*>(std::memchr(from, '\n', end_ - scanned_));
    if (newline == nullptr) break;
    const auto line_end = static_cast<std::size_t>(newline - buffer_.data());
    add(buffer_.data() + begin_, line_end - begin_);
    begin_ = scanned_ = line_end + 1;
  }
  if (messages_.size() == most) return;
  scanned_ = end_;
  if (end_ - begin_ > options_.max_bytes) add(buffer_.data() + begin_, end_ - begin_);  // refused there
  if (ended_ && end_ > begin_) {
    add(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
  }
}

void MessageReader::split_pieces(std::size_t most) {
  while (messages_.size() < most && end_ > begin_) {
    const std::size_t there = end_ - begin_;
    if (there < options_.piece_bytes && !ended_) break;
    const std::size_t size = std::min(there, options_.piece_bytes);
    add(buffer_.data() + begin_, size);
    begin_ += size;
  }
}

/// Reads more. False if there is nothing more to hand out.
bool MessageReader::fill() {
  if (ended_ || stop_.stop_requested()) return false;
  // Nothing that was handed out is needed any more, so the unfinished rest moves to the front.
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= std::min(scanned_, begin_);
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  const std::size_t got = file_.read(std::as_writable_bytes(std::span(buffer_)).subspan(end_), stop_);
  if (got == 0 && stop_.stop_requested()) return false;
  ended_ = got == 0;
  end_ += got;
  return true;
}

void MessageReader::add(const char* data, std::size_t size) {
  ++count_;
  if (size > options_.max_bytes) {
    const std::string kind = options_.piece_bytes == 0 ? "line " : "piece ";
    throw Failure(ExitCode::failed,
                  kind + std::to_string(count_) + ": more than the " + std::to_string(options_.max_bytes) +
                      " bytes that a message of this queue may have; declare it with more --lane-bytes");
  }
  messages_.emplace_back(data, size);
}

}  // namespace beltway::tool
