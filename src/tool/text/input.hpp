// Buffered reading of messages from a descriptor: lines, or pieces of a fixed size.
//
// Many small messages come out of one read() and go into one publish; what has arrived is handed out at
// once, so that a slow writer's lines do not wait for a full buffer. One thread. A stop request ends the reading
// as if nothing more came, without the unfinished last message; it must come from an Interrupt of this thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "beltway/bytes.hpp"

namespace beltway::tool {

/// A descriptor to read from; closes it if it opened it.
class InputFile {
 public:
  /// "-" is standard input. Throws Failure.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// At least one byte unless it is the end or a stop was requested: then 0. Throws Failure.
  [[nodiscard]] std::size_t read(std::span<std::byte> place, const std::stop_token& stop) const;
  /// Until `place` is full, the end, or a stop.
  [[nodiscard]] std::size_t read_full(std::span<std::byte> place, const std::stop_token& stop) const;

 private:
  int fd_ = -1;
  std::string name_;
};

class MessageReader {
 public:
  /// `piece_bytes` 0: lines, without their newline; a last line needs none. A message above `max_bytes` is a Failure.
  struct Options {
    std::size_t piece_bytes = 0;
    std::size_t max_bytes = 0;
  };
  MessageReader(const InputFile& file, Options options, std::stop_token stop);

  /// The next messages, at least one and at most `most`; none at the end or after a stop. Valid until the next call.
  [[nodiscard]] std::span<const Bytes> next(std::size_t most);

 private:
  void split(std::size_t most);
  void split_lines(std::size_t most);
  void split_pieces(std::size_t most);
  bool fill();
  void add(const char* data, std::size_t size);

  const InputFile& file_;
  Options options_;
  std::stop_token stop_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // of what is not handed out yet
  std::size_t end_ = 0;      // of what was read
  std::size_t scanned_ = 0;  // no newline before this
  bool ended_ = false;
  std::uint64_t count_ = 0;
  std::vector<Bytes> messages_;
};

}  // namespace beltway::tool
