// See waking.hpp.
#include "waking.hpp"

#include <bit>

namespace beltway {

namespace {

/// Calls `visit(index)` for each set bit below `count`.
template <class Visit>
void for_each_bit(std::uint64_t bits, unsigned count, Visit visit) {
  if (count < 64) bits &= (1ULL << count) - 1;
  for (; bits != 0; bits &= bits - 1) visit(static_cast<unsigned>(std::countr_zero(bits)));
}

unsigned group_of(const QueueMap& map, unsigned consumer) noexcept {
  return Identity::of(map.endpoint(k_first_consumer + consumer).identity.load_relaxed()).group;
}

unsigned wake_busy_producers(const QueueMap& map, unsigned me) noexcept {
  unsigned rung = 0;
  for_each_bit(map.board().producer_sleepers.load_relaxed(), map.geometry.max_producers, [&](unsigned producer) {
    if (producer == me || map.endpoint(producer).wake_busy.load_relaxed() == 0) return;
    if (wake(map, producer)) ++rung;
  });
  return rung;
}

}  // namespace

bool wake(const QueueMap& map, unsigned owner) noexcept {
  Word& word = map.endpoint(owner).wait;
  const std::uint64_t seen = word.load_acquire();
  const Wait wait = Wait::of(seen);
  if (wait.phase != WaitPhase::asleep) return false;
  // First the bell, then the word: who dies between the two has woken somebody needlessly, not said so falsely.
  kernel::ring_bell(map.bell(owner));
  // If the word has moved on, the sleeper was up already, on its own or for another's message, and may have looked before
  // ours was there: then the caller wakes another one.
  return word.compare_and_swap(seen, Wait{wait.sequence, WaitPhase::signalled}.word());
}

unsigned wake_for_message(const QueueMap& map, unsigned me) noexcept {
  unsigned rung = 0;
  std::uint64_t named_done = 0;  // named groups of which one was woken
  for_each_bit(map.board().consumer_sleepers.load_relaxed(), map.geometry.max_consumers, [&](unsigned consumer) {
    const unsigned owner = k_first_consumer + consumer;
    const unsigned group = group_of(map, consumer);
    const bool named = group < map.geometry.max_groups;
    if (owner == me || (named && (named_done >> group & 1U) != 0)) return;
    if (!wake(map, owner)) return;
    ++rung;
    if (named) named_done |= 1ULL << group;
  });
  return rung + wake_busy_producers(map, me);
}

bool wake_one_of_group(const QueueMap& map, unsigned group, unsigned me) noexcept {
  bool rung = false;
  for_each_bit(map.board().consumer_sleepers.load_relaxed(), map.geometry.max_consumers, [&](unsigned consumer) {
    const unsigned owner = k_first_consumer + consumer;
    if (rung || owner == me || group_of(map, consumer) != group) return;
    rung = wake(map, owner);
  });
  return rung;
}

unsigned wake_all_of_group(const QueueMap& map, unsigned group) noexcept {
  unsigned rung = 0;
  for_each_bit(map.board().consumer_sleepers.load_relaxed(), map.geometry.max_consumers, [&](unsigned consumer) {
    if (group_of(map, consumer) == group && wake(map, k_first_consumer + consumer)) ++rung;
  });
  return rung;
}

unsigned wake_for_room(const QueueMap& map, Position floor) noexcept {
  unsigned rung = 0;
  for_each_bit(map.board().producer_sleepers.load_relaxed(), map.geometry.max_producers, [&](unsigned producer) {
    // Pairs with the release of the bit in arm(): the position was written before.
    if (distance(floor, wrap(map.endpoint(producer).wake_past.load_acquire())) <= 0) return;
    if (wake(map, producer)) ++rung;
  });
  return rung;
}

WaitLine::WaitLine(const QueueMap& map, unsigned owner) noexcept
    : map_(map), owner_(owner), sequence_(Wait::of(map.endpoint(owner).wait.load_relaxed()).sequence) {}

Word& WaitLine::sleepers() const noexcept {
  return owner_ < k_first_consumer ? map_.board().producer_sleepers : map_.board().consumer_sleepers;
}

void WaitLine::arm(bool symmetric, Position past, bool busy) noexcept {
  Endpoint& endpoint = map_.endpoint(owner_);
  endpoint.wake_past.store_relaxed(past);
  endpoint.wake_busy.store_relaxed(busy ? 1 : 0);
  endpoint.wait.store_release(Wait{++sequence_, WaitPhase::asleep}.word());
  sleepers().fetch_or(bit());  // a full fence: all that a symmetric publisher needs
  if (!symmetric) kernel::heavy_barrier();
  armed_ = true;
}

bool WaitLine::disarm() noexcept {
  const std::uint64_t before = map_.endpoint(owner_).wait.exchange(Wait{sequence_, WaitPhase::awake}.word());
  sleepers().fetch_and(~bit());
  armed_ = false;
  return Wait::of(before).phase == WaitPhase::signalled;
}

bool WaitLine::signalled() const noexcept {
  return armed_ && Wait::of(map_.endpoint(owner_).wait.load_acquire()).phase == WaitPhase::signalled;
}

}  // namespace beltway
