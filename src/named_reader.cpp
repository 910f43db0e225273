// See named_reader.hpp.
#include "named_reader.hpp"

#include <algorithm>

#include "floors.hpp"
#include "groups.hpp"
#include "waking.hpp"

namespace beltway {

namespace {
/// Leases after which `next` is moved: others walk over as many in vain.
constexpr std::int64_t k_untold = 8;
/// Acknowledgements behind a floor after which it is moved, if that is not more than a quarter of the ring. A producer to whom it
/// takes too long helps, and takes our lease words for that: through 4096 slots, 8 B, where two processors share no cache, 9
/// instead of 19 million a second.
constexpr std::uint32_t k_unpassed = 256;

Position position_of(Next next, Position floor) noexcept { return widen<Next::bits>(next.position, floor); }
}  // namespace

[[gnu::always_inline]] inline NamedReader::Step NamedReader::step(Position position, SlotView& view,
                                                                  std::uint64_t& corrupt) noexcept {
  // Pairs with the release of READY in Claimer::ready().
  const std::uint64_t slot_word = map_.slot(position).state.load_acquire();
  const SlotState slot = SlotState::of(slot_word);
  const std::int64_t ahead = distance(slot.position, position);
  if (ahead < 0 || slot.phase == SlotPhase::claimed) return Step::end;
  if (ahead > 0) return Step::again;  // `next` was stale by a lap
  if (slot.phase != SlotPhase::ready) return Step::passed;
  Word& word = lease_of(position);
  const std::uint64_t seen = word.load_acquire();
  const Lease lease = Lease::of(seen);
  const std::int64_t lap = distance<Lease::bits>(lease.position, position);
  if (lap > 0) return Step::again;
  if (lap == 0 && lease.phase != LeasePhase::retry) return Step::passed;
  const std::uint8_t tries = lap < 0 ? std::uint8_t{0} : lease.tries;
  if (!word.compare_and_swap(seen, Lease{position, owner_, tries, LeasePhase::leased}.word())) return Step::again;
  // Was it marked GONE before we had the lease (a join at the oldest races with the lane's owner)? Then floors may have
  // passed it, and its bytes be another's. Marked from now on, it is ours: is_over() sees the lease.
  const bool still_there = map_.slot(position).state.load_acquire() == slot_word;
  if (still_there && view_slot(map_, slot, view)) {
    view.tries = tries;
    return Step::leased;
  }
  if (still_there) ++corrupt;
  if (ack(position, tries) && settle(position)) wake_for_room(map_, floor());
  return Step::passed;
}

Position NamedReader::start(Next next) const noexcept {
  const Position floor = this->floor();
  Position position = position_of(next, floor);
  if (next.version == ahead_version_ && distance(ahead_, position) > 0) position = ahead_;
  return distance(position, floor) < 0 ? floor : position;
}

bool NamedReader::lease_now(SlotView& view, std::uint64_t& corrupt) noexcept {
  if (!active()) return false;
  const std::uint64_t seen = shared_.next.load_acquire();
  const Next next = Next::of(seen);
  const Position position = start(next);
  if (step(position, view, corrupt) != Step::leased) return false;
  ahead_ = wrap(position + 1);
  ahead_version_ = next.version;
  // A swap a message is a sixth of what lease and ack take. Who is awakened should find it up to date, though.
  if (distance<Next::bits>(next.position, ahead_) <= -k_untold || map_.board().consumer_sleepers.load_relaxed() != 0) {
    shared_.next.compare_and_swap(seen, Next{ahead_, next.version}.word());
  }
  if (active()) return true;
  give_back(&view, 1);
  return false;
}

void NamedReader::give_back(const SlotView* views, std::size_t count) noexcept {
  for (std::size_t i = count; i-- > 0;) nack(views[i].position, views[i].tries);
  settle(views[0].position);  // the removal may have seen our leases, and waits for their end
}

Look NamedReader::lease(SlotView* views, std::size_t count, std::size_t& leased, std::uint64_t& corrupt) noexcept {
  leased = 0;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    if (!active()) return Look::empty;
    const std::uint64_t seen = shared_.next.load_acquire();
    const Next next = Next::of(seen);
    const Position floor = wrap(shared_.floor.load_acquire());
    Position position = position_of(next, floor);
    const bool behind = distance(position, floor) < 0;
    if (behind) position = floor;
    const Position first = position;
    Step step = Step::passed;
    for (std::uint32_t walked = 0; leased < count && walked < map_.geometry.slots; ++walked) {
      step = this->step(position, views[leased], corrupt);
      if (step == Step::again || step == Step::end) break;
      if (step == Step::leased) ++leased;
      position = wrap(position + 1);
    }
    if (behind || position != first) {
      shared_.next.compare_and_swap(seen, Next{position, next.version}.word());
    }
    if (leased != 0) {
      // A removal that did not see our leases is seen by us: leave() posts LEAVING, then a heavy barrier, then looks.
      if (active()) return Look::message;
      give_back(views, leased);
      leased = 0;
      return Look::empty;
    }
    if (step != Step::again) {
      // Over VOIDs, or acknowledgements of others that nobody had waited for yet. Who waits now is not told by them.
      if (help_floor(map_, group_) && map_.board().producer_sleepers.load_relaxed() != 0) {
        wake_for_room(map_, this->floor());
      }
      return Look::empty;
    }
  }
  return Look::again;
}

bool NamedReader::end_lease(Position position, std::uint8_t tries, std::uint64_t word) noexcept {
  return lease_of(position).compare_and_swap(Lease{position, owner_, tries, LeasePhase::leased}.word(), word);
}

bool NamedReader::ack(Position position, std::uint8_t tries) noexcept {
  return end_lease(position, tries, Lease{position, owner_, tries, LeasePhase::done}.word());
}

bool NamedReader::nack(Position position, std::uint8_t tries) noexcept {
  const auto more = static_cast<std::uint8_t>(tries == k_max_tries ? tries : tries + 1);
  if (!end_lease(position, tries, Lease{position, owner_, more, LeasePhase::retry}.word())) return false;
  set_next_back(map_, group_, position);
  return true;
}

bool NamedReader::settle(Position position) noexcept {
  const GroupWord state = GroupWord::of(shared_.state.load_relaxed());
  if (state.phase == GroupPhase::leaving && state.incarnation == incarnation_) {
    help_floor(map_, group_);
    try_drain(map_, group_);
    return true;
  }
  const std::int64_t enough = std::min(map_.geometry.slots / 4, k_unpassed);
  const bool waited_for = map_.board().producer_sleepers.load_relaxed() != 0;
  const bool last_producer_left = map_.board().live_producers.load_relaxed() == 0;
  if (!waited_for && !last_producer_left && distance(position, floor()) < enough) return false;
  help_floor(map_, group_);
  return true;  // whoever was faster: a producer that helps wakes no other
}

bool NamedReader::more() const noexcept {
  const Position position = start(Next::of(shared_.next.load_acquire()));
  const SlotState slot = SlotState::of(map_.slot(position).state.load_acquire());
  return slot.position == position && slot.phase == SlotPhase::ready;
}

bool NamedReader::all_ours_or_done() const noexcept {
  Position position = floor();
  for (std::uint32_t walked = 0; walked < map_.geometry.slots; ++walked, position = wrap(position + 1)) {
    const SlotState slot = SlotState::of(map_.slot(position).state.load_acquire());
    if (distance(slot.position, position) < 0) return true;  // the end of the ring
    if (slot.phase == SlotPhase::voided || slot.phase == SlotPhase::gone) continue;
    const Lease lease = Lease::of(lease_of(position).load_acquire());
    if (distance<Lease::bits>(lease.position, position) != 0) return false;
    if (lease.phase == LeasePhase::done) continue;
    if (lease.phase != LeasePhase::leased || lease.owner != owner_) return false;
  }
  return true;
}

void set_next_back(const QueueMap& map, unsigned index, Position position) noexcept {
  Group& group = map.group(index);
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = group.next.load_acquire();
    const Next next = Next::of(seen);
    const bool earlier = distance<Next::bits>(next.position, position) < 0;
    const Next back{earlier ? next.position : position, next.version + 1};
    if (group.next.compare_and_swap(seen, back.word())) return;
  }
}

}  // namespace beltway
