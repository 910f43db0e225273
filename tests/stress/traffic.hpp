// Numbered, checksummed messages of many sizes, and what their receivers must find: nothing lost, doubled, torn or out of
// order. Used by the stress tests with threads and with processes.
//
// Thread safety: build() and check() touch nothing shared. An Account belongs to one receiver; merge them afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace beltway::test {

/// What a message says of itself; then filler that follows from it.
struct Stamp {
  std::uint32_t producer;
  std::uint32_t size;  // of the whole message, bytes
  std::uint64_t number;
  std::uint64_t checksum;
};

[[nodiscard]] inline std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 31)) * 0x7fb5d329728ea185ULL;
  value = (value ^ (value >> 27)) * 0x81dadef4bc2dd44dULL;
  return value ^ (value >> 33);
}

/// Message `number` of `producer`: most fit a slot, some go through the lane.
[[nodiscard]] inline std::vector<std::byte> build(std::uint32_t producer, std::uint64_t number, std::size_t most) {
  const std::uint64_t random = mix(number * 64 + producer);
  const std::size_t range = random % 16 == 0 ? most : 112;
  const std::size_t size = sizeof(Stamp) + mix(random) % (range - sizeof(Stamp) + 1);
  std::vector<std::byte> message(size);
  for (std::size_t i = sizeof(Stamp); i < size; ++i) message[i] = static_cast<std::byte>(random + i * 13);
  const Stamp stamp{producer, static_cast<std::uint32_t>(size), number, mix(random + size)};
  std::memcpy(message.data(), &stamp, sizeof stamp);
  return message;
}

/// Empty if the message is whole; otherwise what is wrong with it.
[[nodiscard]] inline std::string check(std::span<const std::byte> message, Stamp& stamp) {
  if (message.size() < sizeof stamp) return "shorter than its stamp";
  std::memcpy(&stamp, message.data(), sizeof stamp);
  const std::uint64_t random = mix(stamp.number * 64 + stamp.producer);
  if (stamp.size != message.size())
    return "size " + std::to_string(message.size()) + " says " + std::to_string(stamp.size);
  if (stamp.checksum != mix(random + stamp.size)) return "checksum";
  for (std::size_t i = sizeof stamp; i < message.size(); ++i) {
    if (message[i] != static_cast<std::byte>(random + i * 13)) return "torn at byte " + std::to_string(i);
  }
  return {};
}

/// How often each message was seen.
class Account {
 public:
  void saw(const Stamp& stamp) { ++seen_[stamp.producer][stamp.number]; }
  void merge(const Account& other) {
    for (const auto& [producer, numbers] : other.seen_) {
      for (const auto& [number, times] : numbers) seen_[producer][number] += times;
    }
  }
  /// Empty if every producer's 0 to count - 1 was seen at least once, and exactly once if told so.
  [[nodiscard]] std::string missing(std::uint32_t producers, std::uint64_t count, bool exactly_once = true) const {
    for (std::uint32_t producer = 0; producer < producers; ++producer) {
      const auto found = seen_.find(producer);
      for (std::uint64_t number = 0; number < count; ++number) {
        const unsigned times = found == seen_.end() || found->second.count(number) == 0 ? 0 : found->second.at(number);
        if (times == 0 || (exactly_once && times != 1)) {
          return "message " + std::to_string(number) + " of producer " + std::to_string(producer) + " was seen " +
                 std::to_string(times) + " times";
        }
      }
    }
    return {};
  }

 private:
  std::map<std::uint32_t, std::map<std::uint64_t, unsigned>> seen_;
};

}  // namespace beltway::test
