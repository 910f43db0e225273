// A fingerprint of a set of messages that does not depend on their order.
//
// Each message is hashed to 128 bits, and the hashes are added modulo 2^128. So the digests of several consumers that
// shared one stream add up to the digest of its publisher, in whatever order and shares they received; a lost, doubled
// or changed message changes the sum (a doubled one would cancel itself out in an exclusive or). The hash is for
// accidents, not against an adversary. Its values are stable: they may be kept in files (little-endian machines).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace beltway::tool {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

/// About as fast as memory for large messages, about ten nanoseconds for small ones.
[[nodiscard]] Hash128 hash_message(std::span<const std::byte> message) noexcept;

/// Count, bytes and sum of hashes.
class Digest {
 public:
  void add(std::span<const std::byte> message) noexcept;
  void add(const Digest& other) noexcept;

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// 32 hexadecimal digits.
  [[nodiscard]] std::string hex() const;
  /// "messages=3 bytes=12 digest=<hex>", as pub and sub print it and parse() reads it.
  [[nodiscard]] std::string line() const;
  [[nodiscard]] static std::optional<Digest> parse(std::string_view line);

  bool operator==(const Digest&) const = default;

 private:
  void add(const Hash128& hash) noexcept;

  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  Hash128 sum_;
};

}  // namespace beltway::tool
