// How a received message lies in a chunk: memory of JavaScript that both sides read and write. lib/message.js reads the same
// layout. Numbers are little-endian, as both sides have them in registers.
//
// A record begins at a multiple of 8 bytes. Behind the head lies the payload; behind that, from the next multiple of 8 bytes on,
// the properties block, if there is one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace beltway::node {

struct RecordHead {
  std::uint32_t size;              ///< bytes of the payload
  std::uint32_t properties_bytes;  ///< 0: the message has none
  double position;
  std::uint32_t slot;        ///< among the messages that the consumer holds; k_not_held: nothing is to be acknowledged
  std::uint32_t generation;  ///< of the slot: it is used again
  std::uint32_t deliveries;
  std::uint32_t producer;
  double lost;
  double age_ms;           ///< when it was received; NaN: not known
  double published_at_ms;  ///< since 1970; NaN: not known
};
static_assert(sizeof(RecordHead) == 56);

inline constexpr std::uint32_t k_not_held = 0xffffffff;
inline constexpr std::size_t k_record_alignment = 8;

[[nodiscard]] constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + k_record_alignment - 1) / k_record_alignment * k_record_alignment;
}

}  // namespace beltway::node
