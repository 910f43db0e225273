// See private_reader.hpp.
#include "private_reader.hpp"

namespace beltway {

namespace {
/// Enough that neither the store nor the producer's look counts; more gains nothing.
constexpr std::int64_t k_few = 16;
}  // namespace

PrivateReader::PrivateReader(const QueueMap& map, unsigned group, Position start)
    : map_(map),
      shared_floor_(map.group(group).floor),
      quarter_(map.geometry.slots / 4 == 0 ? 1 : map.geometry.slots / 4),
      few_(map.geometry.slots / 16 < k_few ? map.geometry.slots / 16 : k_few),
      read_(start),
      slot_(&map_.slot(start)),
      floor_(start),
      stored_(start),
      lane_end_(start),
      beyond_floor_((map.geometry.slots + 63) / 64) {}

void PrivateReader::let_go_out_of_order(Position position) noexcept {
  const auto bit_of = [&](Position p) -> std::pair<std::uint64_t&, std::uint64_t> {
    const std::uint64_t index = p & map_.mask();
    return {beyond_floor_[index / 64], 1ULL << index % 64};
  };
  if (position != floor_) {
    const auto [word, bit] = bit_of(position);
    word |= bit;
    ++out_of_order_;
    return;
  }
  floor_ = wrap(floor_ + 1);
  while (out_of_order_ != 0) {
    const auto [word, bit] = bit_of(floor_);
    if ((word & bit) == 0) break;
    word &= ~bit;
    --out_of_order_;
    floor_ = wrap(floor_ + 1);
  }
}

}  // namespace beltway
