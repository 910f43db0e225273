// Buffered writing to a descriptor, with the ends that a command in a pipeline meets.
//
// A reader that is gone (EPIPE) throws a quiet Failure (broken_pipe), any other error one with its reason. When
// a stop is requested while the other end does not read, the write gives up after a moment: throws Stopped.
// One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace beltway::tool {

/// Thrown by a write that a stop request cut off; part of the bytes may have been written.
struct Stopped {};

class Output {
 public:
  /// `name` appears in errors. Does not close the descriptor.
  explicit Output(int fd, std::string name = "standard output", std::stop_token stop = {});

  void append(std::string_view text);
  void append(std::span<const std::byte> bytes);
  void append(char c) { append(std::string_view(&c, 1)); }

  /// Writes everything appended so far, then `bytes` and `tail`, in one system call if possible, without copying.
  void write_through(std::span<const std::byte> bytes, std::string_view tail = {});

  /// Writes everything appended so far. Never done by the destructor: a caller that forgets it has not checked for errors.
  void flush() { write_through({}); }

  /// Bytes appended and not yet written.
  [[nodiscard]] std::size_t pending() const noexcept { return buffer_.size(); }
  [[nodiscard]] bool is_terminal() const noexcept;

 private:
  void write_all(std::span<iovec> parts);
  void handle_stop() const;

  int fd_;
  std::string name_;
  std::stop_token stop_;
  std::string buffer_;
};

/// Writes the text to standard output.
void print(std::string_view text);

}  // namespace beltway::tool
