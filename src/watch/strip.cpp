// See strip.hpp.
#include "watch/strip.hpp"

#include <algorithm>
#include <vector>

#include "client/inspect_floors.hpp"
#include "ring/floors.hpp"
#include "ring/redelivery.hpp"
#include "ring/slot_view.hpp"

namespace beltway::watch {

namespace {

/// Slots that are looked at for one cell.
constexpr std::uint64_t k_slots_per_cell = 32;

/// Which of two looks a cell shows.
int weight_of(SlotLook look) noexcept {
  switch (look) {
    case SlotLook::free: return 0;
    case SlotLook::acknowledged: return 1;
    case SlotLook::waiting: return 2;
    case SlotLook::lane: return 3;
    case SlotLook::voided: return 4;
    case SlotLook::delayed: return 5;
    case SlotLook::leased: return 6;
    case SlotLook::parked: return 7;
    case SlotLook::claimed: return 8;
  }
  return 0;
}

SlotLook graver(SlotLook a, SlotLook b) noexcept { return weight_of(a) < weight_of(b) ? b : a; }

class Painter {
 public:
  Painter(const ring::QueueMemory& memory, const wire::Description& description, ring::Position tail)
      : memory_(memory), tail_(tail), lowest_(tail) {
    for (const unsigned place : description.group_indexes) add_floor(place, true);
    for (const auto& group : description.leaving) add_floor(group.index, true);
    for (const EndpointInfo& endpoint : description.info.endpoints) {
      const bool is_private = !endpoint.producer && endpoint.group.empty() && !endpoint.lossy && !endpoint.evicted;
      if (is_private && endpoint.index < memory.geometry.max_consumers)
        add_floor(memory.geometry.max_groups + endpoint.index, false);
    }
  }

  [[nodiscard]] SlotLook look_at(ring::Position position) const {
    const bool is_behind = ring::distance(position, lowest_) < 0;
    const SlotLook leases = leases_of(position);
    if (is_behind) return leases == SlotLook::parked ? leases : SlotLook::free;
    const ring::Slot& slot = memory_.slot(position);
    const ring::SlotState state = ring::SlotState::of(slot.state.load_acquire());  // pairs with the release of READY
    if (state.position != position || state.phase == ring::SlotPhase::claimed) return SlotLook::claimed;
    if (state.phase != ring::SlotPhase::ready) return SlotLook::voided;
    if (leases != SlotLook::waiting) return leases;
    const bool in_lane = (ring::SlotMeta::of(slot.meta.load_relaxed()).flags & ring::k_flag_lane) != 0;
    return in_lane ? SlotLook::lane : SlotLook::waiting;
  }

 private:
  struct Floor {
    unsigned place;
    ring::Position position;
    bool named;
  };
  void add_floor(unsigned place, bool named) {
    const ring::Position floor = client::floor_of(memory_, place);
    floors_.push_back({place, floor, named});
    if (ring::distance(floor, tail_) < 0 && ring::distance(floor, lowest_) < 0) lowest_ = floor;
  }
  /// What the gravest group makes of the position: waiting, leased, delayed, parked, or acknowledged by all.
  [[nodiscard]] SlotLook leases_of(ring::Position position) const {
    SlotLook look = SlotLook::acknowledged;
    for (const Floor& floor : floors_) {
      const bool passed = ring::distance(position, floor.position) < 0;
      if (!floor.named) {
        if (!passed) look = graver(look, SlotLook::waiting);
        continue;
      }
      const ring::Lease lease = ring::Lease::of(memory_.lease(floor.place, position).load_acquire());
      const bool is_of_lap = ring::distance<ring::Lease::bits>(lease.position, position) == 0;
      if (is_of_lap && ring::is_parked(lease.phase)) look = graver(look, SlotLook::parked);
      if (passed) continue;
      if (is_of_lap && lease.phase == ring::LeasePhase::leased) {
        look = graver(look, SlotLook::leased);
      } else if (is_of_lap && ring::is_delayed(lease)) {
        look = graver(look, SlotLook::delayed);
      } else if (!client::is_over(memory_, floor.place, position)) {
        look = graver(look, SlotLook::waiting);
      }
    }
    return look;
  }

  const ring::QueueMemory& memory_;
  ring::Position tail_;
  ring::Position lowest_;
  std::vector<Floor> floors_;
};

void add_floors(const ring::QueueMemory& memory, const wire::Description& description, RingStrip& strip) {
  for (std::size_t i = 0; i < description.group_indexes.size(); ++i) {
    strip.floors.push_back({.group = description.info.options.groups[i].name,
                            .position = client::floor_of(memory, description.group_indexes[i])});
  }
  for (const EndpointInfo& endpoint : description.info.endpoints) {
    if (endpoint.producer || !endpoint.group.empty() || endpoint.lossy) continue;
    if (endpoint.index >= memory.geometry.max_consumers) continue;
    strip.floors.push_back({.group = {},
                            .consumer = endpoint.index,
                            .position = client::floor_of(memory, memory.geometry.max_groups + endpoint.index)});
  }
}

}  // namespace

RingStrip strip_of(const ring::QueueMemory& memory, const wire::Description& description, std::size_t cells) {
  const std::uint64_t slots = memory.geometry.slots;
  const std::uint64_t count = std::clamp<std::uint64_t>(cells, 1, slots);
  const ring::Position tail = ring::load_tail(memory);
  const Painter painter(memory, description, tail);
  RingStrip strip;
  strip.first = ring::wrap(tail - slots);
  const std::int64_t before_first = ring::distance(0, strip.first);
  strip.never_used = before_first > 0 ? static_cast<std::uint64_t>(before_first) : 0;
  strip.slots_per_cell = static_cast<double>(slots) / static_cast<double>(count);
  strip.cells.reserve(count);
  for (std::uint64_t cell = 0; cell < count; ++cell) {
    const std::uint64_t begin = cell * slots / count;
    const std::uint64_t end = (cell + 1) * slots / count;
    const std::uint64_t step = std::max<std::uint64_t>((end - begin) / k_slots_per_cell, 1);
    SlotLook look = SlotLook::free;
    for (std::uint64_t i = begin; i < end; i += step) look = graver(look, painter.look_at(ring::wrap(strip.first + i)));
    strip.cells.push_back(look);
  }
  add_floors(memory, description, strip);
  return strip;
}

}  // namespace beltway::watch
