// A neighbour that writes nonsense over shared memory: random words, and words that look right and are wrong.
// Thread safety: none. The same numbers write the same.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <utility>

#include "ring/floors.hpp"

namespace beltway::test {

using namespace beltway::detail;
using namespace beltway::ring;

/// What a neighbour may write: a consumer the control segment, a producer everything.
enum class Neighbour : std::uint8_t { consumer, producer };

/// Where choices come from: a number below `limit`, any for 0.
using Numbers = std::function<std::uint64_t(std::uint64_t limit)>;

inline Numbers random_numbers(std::uint64_t seed) {
  return [random = std::mt19937_64(seed)](std::uint64_t limit) mutable {
    return limit == 0 ? random() : random() % limit;
  };
}

class Scribbler {
 public:
  Scribbler(const QueueMemory& memory, Neighbour as, Numbers numbers)
      : memory_(memory), as_(as), numbers_(std::move(numbers)) {}

  /// Writes one to four words.
  void scribble() {
    for (std::uint64_t i = below(4) + 1; i != 0; --i) pick().store_release(value());
  }
  std::uint64_t below(std::uint64_t limit) { return numbers_(limit); }

 private:
  Word& pick() {
    const Geometry& geometry = memory_.geometry;
    const std::uint64_t kinds = as_ == Neighbour::producer ? 9 : 6;
    switch (below(kinds)) {
      case 0: return word(memory_.control + geometry.status_offset(), sizeof(SharedStatus));
      case 1: return word(memory_.control + geometry.endpoints_offset(), geometry.endpoints() * sizeof(Endpoint));
      case 2: return memory_.group(static_cast<unsigned>(below(geometry.groups()))).state;
      case 3: return memory_.group(static_cast<unsigned>(below(geometry.groups()))).floor;
      case 4: return memory_.group(static_cast<unsigned>(below(geometry.groups()))).next;
      case 5: return memory_.lease(static_cast<unsigned>(below(geometry.max_groups)), below(geometry.slots));
      case 6: return word(memory_.ring, sizeof(RingHead));
      case 7: return memory_.slot(below(geometry.slots)).state;
      default: return word(memory_.ring + k_slots_offset, std::size_t{geometry.slots} * geometry.slot_bytes);
    }
  }
  Word& word(std::byte* base, std::size_t bytes) { return *reinterpret_cast<Word*>(base + 8 * below(bytes / 8)); }

  std::uint64_t value() {
    const Position tail = load_tail(memory_);
    const Position near = tail + below(9) - 4 + (below(3) - 1) * memory_.geometry.slots;
    const auto owner = static_cast<std::uint8_t>(below(256));
    switch (below(11)) {
      case 0: return 0;
      case 1: return ~0ULL;
      case 2: return 1ULL << below(64);
      case 3: return SlotState{wrap(near), owner, static_cast<SlotPhase>(below(4))}.word();
      case 4:
        return Lease{near, owner, static_cast<std::uint8_t>(below(256)), static_cast<LeasePhase>(below(4))}.word();
      case 5: return Next{near, static_cast<std::uint32_t>(below(1U << 20))}.word();
      case 6: return Floor{static_cast<std::uint32_t>(below(3)), wrap(near)}.word();
      case 7:
        return GroupStateWord{static_cast<std::uint32_t>(below(3)), static_cast<GroupKind>(below(4)),
                              static_cast<GroupPhase>(below(7))}
            .word();
      case 8: return SlotMeta{static_cast<std::uint32_t>(numbers_(0)), static_cast<std::uint16_t>(below(4))}.word();
      case 9:
        return PropertiesHead{static_cast<std::uint16_t>(16 * below(9)), static_cast<std::uint16_t>(below(128)),
                              static_cast<std::uint8_t>(below(256))}
            .word();
      default: return numbers_(0);
    }
  }

  const QueueMemory memory_;
  const Neighbour as_;
  Numbers numbers_;
};

}  // namespace beltway::test
