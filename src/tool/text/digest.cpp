// The message hash (multiply and fold 64 x 64 to 128 bits, four independent lanes) and the sums.
#include "tool/text/digest.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace beltway::tool {

namespace {

__extension__ using Wide = unsigned __int128;

// Odd numbers with about as many ones as zeros: the initial values of SHA-512, the first made odd.
constexpr std::array<std::uint64_t, 5> k_secrets{0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                                 0xa54ff53a5f1d36f1, 0x510e527fade682d1};
constexpr std::size_t k_block = 64;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

using Lanes = std::array<std::uint64_t, 4>;

void take_block(Lanes& lanes, const std::byte* block) noexcept {
  std::array<std::uint64_t, 8> words;
  std::memcpy(words.data(), block, k_block);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    // The lane is added behind the product too: a factor that happens to be 0 must not wipe out what was before.
    lanes[i] = fold(words[2 * i] ^ k_secrets[i], words[2 * i + 1] ^ lanes[i]) + lanes[i];
  }
}

}  // namespace

Hash128 hash_message(std::span<const std::byte> message) noexcept {
  Lanes lanes{k_secrets[1], k_secrets[2], k_secrets[3], k_secrets[4]};
  const std::size_t size = message.size();
  while (message.size() >= k_block) {
    take_block(lanes, message.data());
    message = message.subspan(k_block);
  }
  if (!message.empty()) {
    std::array<std::byte, k_block> last{};
    std::memcpy(last.data(), message.data(), message.size());
    take_block(lanes, last.data());
  }
  // The size tells apart what the padding of the last block made equal.
  const std::uint64_t left = fold(lanes[0] ^ k_secrets[0], lanes[1] ^ size);
  const std::uint64_t right = fold(lanes[2] ^ k_secrets[4], lanes[3] ^ size);
  return {fold(left ^ k_secrets[2], right ^ k_secrets[3]), fold(left + k_secrets[1], right ^ k_secrets[0])};
}

void Digest::add(const Hash128& hash) noexcept {
  sum_.low += hash.low;
  sum_.high += hash.high + (sum_.low < hash.low ? 1 : 0);
}

void Digest::add(std::span<const std::byte> message) noexcept {
  ++messages_;
  bytes_ += message.size();
  add(hash_message(message));
}

void Digest::add(const Digest& other) noexcept {
  messages_ += other.messages_;
  bytes_ += other.bytes_;
  add(other.sum_);
}

std::string Digest::hex() const {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(sum_.high),
                static_cast<unsigned long long>(sum_.low));
  return text.data();
}

std::string Digest::line() const {
  return "messages=" + std::to_string(messages_) + " bytes=" + std::to_string(bytes_) + " digest=" + hex();
}

std::optional<Digest> Digest::parse(std::string_view line) {
  const auto take = [&](std::string_view label, std::uint64_t& value, int base, std::size_t digits) {
    if (!line.starts_with(label)) return false;
    line.remove_prefix(label.size());
    const std::size_t size = digits == 0 ? line.find_first_not_of("0123456789") : digits;
    const std::string_view number = line.substr(0, size);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value, base);
    if (error != std::errc{} || end != number.data() + number.size() || number.size() < digits) return false;
    line.remove_prefix(number.size());
    return true;
  };
  Digest digest;
  const bool read = take("messages=", digest.messages_, 10, 0) && take(" bytes=", digest.bytes_, 10, 0) &&
                    take(" digest=", digest.sum_.high, 16, 16) && take("", digest.sum_.low, 16, 16);
  if (!read || !line.empty()) return std::nullopt;
  return digest;
}

}  // namespace beltway::tool
