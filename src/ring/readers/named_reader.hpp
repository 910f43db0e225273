// Reading a named group: competing consumers lease positions, and end each lease by an ack or give it back by a nack.
//
//   lease[p mod N]: older lap or RETRY(p) -> LEASED(p, me) -> DONE(p)     ack; then the floor may pass p
//                                                          -> RETRY(p)    nack without a delay, or the repair after our death
//                                                          -> DELAYED(p)  nack with a delay, see ring/redelivery.hpp
// A lease may be parked meanwhile: see ring/parking.hpp.
//
// `next` is only a hint where to begin; the lease word alone says which consumer holds a position. Each step that sets `next`
// back raises its version. So a slow consumer that still holds the old word cannot move `next` past a message that was given
// back: its swap fails. So a consumer may walk over many positions and move `next` once, at the end. A consumer that leases one
// by one moves `next` at every k_next_lag-th lease.
//
// Delayed messages are in named_reader_delayed.cpp, leases that end by time in named_reader_timeout.cpp.
//
// Thread safety: lease() belongs to the consumer's thread; what ends a lease may run in any thread of the process.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <span>

#include "ring/lease_timeout.hpp"
#include "ring/readers/private_reader.hpp"
#include "ring/redelivery.hpp"
#include "ring/slot_view.hpp"
#include "ring/tuning.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

/// A message that is leased and must not be delivered.
struct PutAside {
  SlotView view;
  FailReason reason;
};

class NamedReader {
 public:
  /// `evictable`: the daemon may take leases away while the consumer lives.
  NamedReader(const QueueMemory& memory, unsigned group, std::uint32_t incarnation, unsigned owner,
              bool evictable) noexcept
      : memory_(memory),
        group_(group),
        mask_(memory.mask()),
        shared_status_(memory.shared_status()),
        shared_(memory.group(group)),
        leases_(&memory.lease(group, 0)),
        lease_times_(&memory.lease_time(group, 0)),
        incarnation_(incarnation),
        active_word_(GroupStateWord{incarnation, GroupKind::named, GroupPhase::active}.word()),
        ack_lag_max_(std::min(memory.geometry.slots / 4, k_ack_lag)),
        owner_(static_cast<std::uint8_t>(owner)),
        ends_by_swap_(evictable),
        due_(memory, group),
        told_dropped_(shared_.dropped.load_relaxed()) {
    assert(group < memory.geometry.max_groups && owner >= k_first_consumer);
  }

  /// Leases up to `count` messages into `views`, and stores their number in `leased`. Delayed messages that are due come behind
  /// READY ones, and in turn with them once they are overdue by k_retry_patience_us. Messages that make no sense are
  /// acknowledged and counted in `corrupt`. Messages that must not be delivered are put aside.
  /// ReadResult::empty: nothing to lease now, or the group is paused or being removed
  /// (see is_gone()).
  ReadResult lease(SlotView* views, std::size_t count, std::size_t& leased, std::uint64_t& corrupt) noexcept;

  /// The common case of lease() for one message: the message follows our last one, or `next` points at it. False: call lease().
  /// It puts messages aside, too.
  bool try_lease_next(SlotView& view, std::uint64_t& corrupt) noexcept;
  /// True if the last try_lease_next() failed at a position that is not for us, or has no message: only lease() gets past it.
  [[nodiscard]] bool must_walk() const noexcept { return must_walk_; }

  /// Messages that we hold and that must not be delivered, in the order of their leases. Call it after each call of lease() and
  /// try_lease_next(), whatever they return. The caller ends each lease by itself, then calls forget_put_aside(). While the
  /// array is full, a walk leases no further message of this kind, and ends there.
  [[nodiscard]] std::span<const PutAside> put_aside() const noexcept { return {put_aside_.data(), put_aside_count_}; }
  [[nodiscard]] bool is_put_aside_full() const noexcept { return put_aside_count_ == put_aside_.size(); }
  /// Remembers a message that is leased. Requires that the array is not full.
  void put_aside(const SlotView& view, FailReason reason) noexcept;
  void forget_put_aside() noexcept { put_aside_count_ = 0; }

  /// Ends the lease of a message that lease() returned. False if the lease was not ours any more.
  bool ack(Position position, std::uint8_t tries) noexcept {
    return ack_lease(lease_of(position), {position, owner_, tries, LeasePhase::leased}, ends_by_swap());
  }
  /// Likewise of each message of a run. `tries(message)`: of its lease. Returns how many were ours.
  template <class Messages, class Tries>
  std::size_t ack_run(const Messages& run, const Tries& tries) noexcept {
    // Copies: the compiler must assume that a store into a lease word changes the members.
    Word* const leases = leases_;
    const Position mask = mask_;
    const std::uint8_t owner = owner_;
    const bool by_swap = ends_by_swap();
    std::size_t ours = 0;
    for (const auto& message : run) {
      const Position position = message.position();
      const Lease held{position, owner, tries(message), LeasePhase::leased};
      ours += ack_lease(leases[position & mask], held, by_swap) ? 1 : 0;
    }
    return ours;
  }
  /// True if other processes may end our leases while we live. Set before the first such lease.
  [[nodiscard]] bool ends_by_swap() const noexcept { return ends_by_swap_.load(std::memory_order_relaxed); }
  /// Gives the message back, to be delivered again at once, before newer ones. False as with ack().
  bool nack(Position position, std::uint8_t tries) noexcept;
  /// Gives the message back, to be delivered again when `delay_us` are over (at most k_max_retry_delay_ms).
  enum class Delayed : std::uint8_t {
    not_ours,      ///< as with ack()
    later,         ///< some message of the group is due before
    first_of_all,  ///< the caller wakes one sleeping consumer of the group, which will then know the time
  };
  Delayed delay(Position position, std::uint8_t tries, std::uint64_t delay_us) noexcept;
  /// Gives back a message that is given up, to be put aside with that reason when `delay_us` are over. `deliveries`: so far.
  Delayed delay_move(Position position, std::uint8_t tries, unsigned deliveries, std::uint64_t delay_us,
                     FailReason reason) noexcept;
  /// Ends the lease of a message that is given up, and counts that. False as with ack().
  bool discard(Position position, std::uint8_t tries) noexcept;

  /// Reads the group's lease_timeout again, for the leases from now on. Requires the consumer's thread.
  void refresh_lease_timeout() noexcept;
  /// True if all leases from now on are ended by swaps, and other consumers do not know it yet. Then the caller calls say_swaps()
  /// at a moment when the consumer holds no message.
  [[nodiscard]] bool must_say_swaps() const noexcept { return !has_said_swaps_ && ends_by_swap(); }
  void say_swaps() noexcept;
  /// Gives the lease of a message that lease() returned its whole time again, in a group with lease_timeout. False as with ack().
  bool extend(Position position, std::uint8_t tries) noexcept;
  /// Messages that this reader gave back for consumers that held them beyond lease_timeout.
  [[nodiscard]] std::uint64_t timed_out() const noexcept { return timed_out_.load(std::memory_order_relaxed); }
  /// Consumers that this reader woke so that they watch the time.
  [[nodiscard]] std::uint64_t woken() const noexcept { return woken_.load(std::memory_order_relaxed); }
  /// True while we hold the lease.
  [[nodiscard]] bool is_ours(Position position, std::uint8_t tries) const noexcept {
    const std::uint64_t seen = lease_of(position).load_relaxed();
    return seen == Lease{position, owner_, tries, LeasePhase::leased}.word() ||
           seen == Lease{position, owner_, tries, LeasePhase::parked}.word();
  }

  /// Gives back all `count` leases (at least one) of messages that no user has seen: their tries stay. Then calls after_ack().
  void give_back(const SlotView* views, std::size_t count) noexcept;

  /// After ack() and nack(): moves the floor on if a producer may wait for that, or enough acks have gathered, and wakes
  /// endpoints that sleep for it. Returns the number of bells rung.
  /// `oldest()`: the oldest of the positions that have ended, if that is not the last one.
  unsigned after_ack(Position position) noexcept {
    return after_ack(position, [position] { return position; });
  }
  template <class Oldest>
  unsigned after_ack(Position position, const Oldest& oldest) noexcept {
    // Pairs with the barriers of leave(), of an endpoint that goes to sleep, and of the daemon when the last producer leaves:
    // either they see what we have ended, or we see them.
    publish_fence(symmetric());
    const bool no_endpoint_waits = shared_.state.load_relaxed() == active_word_ &&
                                   shared_status_.producer_sleepers.load_relaxed() == 0 &&
                                   shared_status_.live_producers.load_relaxed() != 0;
    // While no endpoint waits, a message that is held at the floor keeps the floor until the ring is nearly full.
    if (no_endpoint_waits &&
        (distance(position, floor()) < ack_lag_max_ || (is_floor_held() && !park_before_full(position)))) [[likely]]
      return 0;
    return advance_floor(oldest());
  }

  /// False once the group was removed (also if another has taken its place), and while it is paused.
  [[nodiscard]] bool is_active() const noexcept { return shared_.state.load_acquire() == active_word_; }
  /// True once the group was removed, also if another has taken its place.
  [[nodiscard]] bool is_gone() const noexcept {
    const GroupStateWord paused{incarnation_, GroupKind::named, GroupPhase::paused};
    const std::uint64_t word = shared_.state.load_acquire();
    return word != active_word_ && word != paused.word();
  }
  [[nodiscard]] Position floor() const noexcept { return wrap(shared_.floor.load_acquire()); }
  [[nodiscard]] unsigned group() const noexcept { return group_; }

  /// What is done with messages that fail.
  [[nodiscard]] Redelivery redelivery() const noexcept { return Redelivery::of(shared_.redelivery.load_relaxed()); }
  /// When the first delayed message is due, in us; 0: none is delayed.
  [[nodiscard]] std::uint64_t earliest_due_us() const noexcept {
    return EarliestDue::of(shared_.earliest_due.load_acquire()).due_us;
  }
  /// When time alone gives us something to do: a delayed message is due, or leases may be over. In us; 0: never.
  [[nodiscard]] std::uint64_t first_due_us() const noexcept {
    return lease_timeout_us_ == 0 ? earliest_due_us() : ring::first_due_us(memory_, group_);
  }
  /// True if that time has come, or is one that no step can have set: the next lease() sets it right.
  [[nodiscard]] bool has_work_by_time(std::uint64_t now_us) const noexcept {
    if (lease_timeout_us_ != 0) return ring::has_work_by_time(memory_, group_, now_us);
    return earliest_due_us() != 0 && is_due(earliest_due_us(), now_us);
  }
  /// True if the last lease() has found a delayed message, or leases that were over: time alone has made it due, and no peer
  /// wakes for it.
  [[nodiscard]] bool found_delayed() const noexcept { return found_delayed_ || found_overdue_; }
  /// Messages that this reader gave up.
  [[nodiscard]] std::uint64_t discarded() const noexcept { return discarded_.load(std::memory_order_relaxed); }

  /// How many messages the group keeps (GroupBlock::keeps); 0: all. Then drop_old() comes before lease().
  void keep_newest(std::uint32_t messages) noexcept { keeps_ = messages; }
  /// Drops messages that are older than those that the group keeps, and that no consumer holds.
  void drop_old() noexcept;
  /// Messages that this reader dropped since they were old.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  /// Messages that any endpoint dropped in the group since the last call, or since the attach.
  [[nodiscard]] std::uint64_t lost_since_last() noexcept;

  /// True if a READY message that no consumer holds may be there: a consumer that takes one while this is true wakes another.
  [[nodiscard]] bool may_have_more() const noexcept;

  /// True if no message is left to deliver, now or after a nack of another consumer: this consumer holds all that is not DONE.
  [[nodiscard]] bool all_ours_or_done() const noexcept;

 private:
  struct Walk;  // over the leases of the group, see named_reader_timeout.cpp
  /// After `count` leases in a group with lease_timeout: plans when consumers look for what is over, and sees that it is time to
  /// look.
  void note_leases(const SlotView* views, std::size_t count) noexcept {
    // The swap of the lease is the fence. If we see a time, the consumer that looks then sees our leases. See
    // end_overdue_leases().
    if (EarliestDue::of(shared_.lease_check.load_acquire()).due_us == 0) [[unlikely]]
      plan_first_look();
    if (count < leases_before_clock_) [[likely]] {
      leases_before_clock_ -= static_cast<unsigned>(count);
    } else {
      note_time({views, count});
    }
  }
  [[gnu::noinline]] void plan_first_look() noexcept;
  /// Reads the clock. Stores the ends of the leases if it has ticked, or if no other consumer may give them one.
  [[gnu::noinline]] void note_time(std::span<const SlotView> views) noexcept;
  /// If it is time to look for leases that are over: gives their messages back to the group, or puts them aside. True if there
  /// was one.
  bool end_overdue_leases(std::uint64_t now_us, std::uint64_t& corrupt) noexcept;
  /// Looks at each lease. `corrupt`: null to end none; else ends those that are over, and counts there as lease() does.
  Walk walk_leases(std::uint64_t now_us, std::uint64_t* corrupt) noexcept;
  /// Ends a lease that is over. False if its consumer was faster, or has extended it.
  bool end_overdue(HeldLease held, std::uint64_t& corrupt) noexcept;
  /// One attempt. `held` is the lease word now.
  bool give_back_overdue(const HeldLease& held) noexcept;
  /// Puts a message aside that was just leased, if there is one.
  void put_leased_aside(const Slot& slot, std::uint64_t slot_word, std::uint8_t tries, FailReason reason,
                        std::uint64_t& corrupt) noexcept;
  bool put_overdue_aside(const HeldLease& held, std::uint64_t& corrupt) noexcept;
  void plan_lease_check(std::uint64_t due_us) noexcept;
  enum class Step : std::uint8_t { leased, passed, again, end };
  /// lease() in a group with lease_timeout.
  ReadResult lease_for_a_time(SlotView* views, std::size_t count, std::size_t& leased, std::uint64_t& corrupt) noexcept;
  /// lease() in a group without it.
  ReadResult lease_any(SlotView* views, std::size_t count, std::size_t& leased, std::uint64_t& corrupt) noexcept;
  /// lease() without the delayed messages.
  ReadResult lease_ready(SlotView* views, std::size_t count, std::size_t& leased, std::uint64_t& corrupt) noexcept;
  /// lease() while messages are delayed.
  ReadResult lease_mixed(std::span<SlotView> views, std::size_t& leased, std::uint64_t& corrupt) noexcept;
  /// Leases messages that are due. Returns how many.
  std::size_t lease_due(std::span<SlotView> views, std::uint64_t now_us, std::uint64_t& corrupt) noexcept;
  /// `seen`: a lease word that says DELAYED. True if the message is leased now, and shown. False also if it was put aside.
  bool try_lease_delayed(std::uint64_t seen, SlotView& view, std::uint64_t& corrupt) noexcept;
  /// Likewise of a word that says PARKED_DELAYED.
  bool try_lease_parked(std::uint64_t seen, Position position, SlotView& view, std::uint64_t& corrupt) noexcept;
  /// Of a message that is leased now, and was delayed for that reason: true if it must not be delivered, and was put aside.
  bool put_aside_if_failed(const SlotView& view, FailReason reason) noexcept;
  Delayed delay_until(Position position, std::uint8_t tries, LeaseTime time) noexcept;
  /// `seen`: a lease word of a delayed message that is due. True if the message was too old, and is dropped.
  bool drop_if_old(std::uint64_t seen) noexcept;
  /// Of a message that is leased now, and whose own time is over. Never Step::leased. Step::end: it was given back, since the
  /// array is full.
  Step put_aside_expired(const SlotView& view) noexcept;
  void count_discarded() noexcept { discarded_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool has_delayed() const noexcept {
    return EarliestDue::of(shared_.earliest_due.load_relaxed()).due_us != 0;
  }
  /// True if a delayed message goes before the READY ones now.
  [[nodiscard]] bool delayed_go_first(std::uint64_t now_us) const noexcept;
  /// True if the message was delivered as often as the group allows.
  [[nodiscard]] bool is_spent(std::uint8_t tries) const noexcept {
    const Redelivery redelivery = this->redelivery();
    return redelivery.gives_up() && redelivery.max_deliveries != 0 && tries >= redelivery.max_deliveries;
  }
  /// `timed`, here and below: in a group with lease_timeout.
  template <bool timed>
  Step try_lease_at(Position position, SlotView& view, std::uint64_t& corrupt) noexcept;
  template <bool timed>
  bool try_lease_next_as(SlotView& view, std::uint64_t& corrupt) noexcept;
  [[gnu::noinline]] bool try_lease_next_timed(SlotView& view, std::uint64_t& corrupt) noexcept;
  /// The rest of try_lease_at() for a message that is_spent(): `seen` is its lease word, which says RETRY.
  [[gnu::noinline]] Step try_lease_spent(Position position, std::uint64_t seen, std::uint64_t& corrupt) noexcept;
  /// Two that follow each other, the first at an even position: true if both are leased now, and shown.
  template <bool timed>
  bool try_lease_pair(Position position, SlotView* views, std::size_t& leased, std::uint64_t& corrupt) noexcept;
  /// Makes the view of a position that was just leased. Step::leased; or Step::passed: there is no message, and the lease
  /// has ended.
  Step view_leased(const Slot& slot, std::uint64_t slot_word, std::uint8_t tries, SlotView& view,
                   std::uint64_t& corrupt) noexcept;
  /// view_leased() if the message was reclaimed or parked before our lease, has expired, or makes no sense.
  [[gnu::cold, gnu::noinline]] Step view_leased_uncommon(std::uint64_t slot_word, std::uint8_t tries, SlotView& view,
                                                         std::uint64_t& corrupt) noexcept;
  /// Leases up to views.size() messages from `position` on, and moves `position` behind them. Step::again: another consumer was
  /// faster.
  template <bool timed>
  Step lease_run(Position& position, std::span<SlotView> views, std::size_t& leased, std::uint64_t& corrupt) noexcept;
  /// The result of a call that has leased messages: gives them back if the group is being removed.
  ReadResult keep_leases(const SlotView* views, std::size_t& leased) noexcept;
  /// Call it if no message could be leased: helps the floor over finished positions, which would block producers.
  void help_empty_group() noexcept;
  unsigned advance_floor(Position oldest) noexcept;
  /// After a lease, whose swap is the fence: it may have been the last message that waited, so that what holds the floor may be
  /// parked now. A producer that sleeps hears of it from consumers alone.
  void help_sleeping_producers() noexcept {
    // plant: lease_parks_for_no_sleeper
    if (shared_status_.producer_sleepers.load_relaxed() != 0) [[unlikely]]
      park_held();
  }
  void park_held() noexcept;
  /// After the ack of `position`, far behind a message that is held at the floor: parks it if the ring is nearly full. Else a
  /// producer would have to, and take the lines of the lease words from us. True if the floor moved.
  [[gnu::noinline]] bool park_before_full(Position position) noexcept;
  /// True if the message at the floor is not finished.
  [[nodiscard]] bool is_floor_held() const noexcept;
  /// LEASED to DONE. `held`: the lease as we took it.
  [[gnu::always_inline]] bool ack_lease(Word& word, Lease held, bool by_swap) noexcept {
    Lease done = held;
    done.phase = LeasePhase::done;
    if (by_swap) [[unlikely]]
      return word.compare_and_swap(held.word(), done.word()) || end_lease(held.position, held.tries, done.word());
    // While we live no other process ends our lease: no swap, which takes as long as all the rest. Another process may park it
    // between load and store. Then DONE overwrites PARKED, which is right: both let the floor pass.
    if (word.load_relaxed() != held.word()) [[unlikely]]
      return end_lease(held.position, held.tries, done.word());
    // Pairs with the acquire in count_finished_positions(): we have read before the floor passes it.
    word.store_release(done.word());
    return true;
  }
  bool end_lease(Position position, std::uint8_t tries, std::uint64_t word) noexcept;
  /// LEASED to RETRY with `next_tries`; sets `next` back. False if the lease was not ours any more.
  bool return_lease(Position position, std::uint8_t tries, std::uint8_t next_tries) noexcept;

  [[nodiscard]] bool symmetric() const noexcept {
    return (shared_status_.notice.load_relaxed() & k_notice_symmetric) != 0;
  }
  [[nodiscard]] Word& lease_of(Position position) const noexcept { return leases_[position & mask_]; }
  [[nodiscard]] Word& lease_time_of(Position position) const noexcept { return lease_times_[position & mask_]; }
  /// Where a walk begins: at `next`, behind our leases that `next` does not show yet, or at the floor, whichever is the last.
  [[nodiscard]] Position start(Next next) const noexcept;

  const QueueMemory memory_;
  const unsigned group_;
  const Position mask_;  // slots - 1
  const SharedStatus& shared_status_;
  GroupBlock& shared_;
  Word* const leases_;       // one a slot
  Word* const lease_times_;  // likewise
  const std::uint32_t incarnation_;
  const std::uint64_t active_word_;  // the group's state while it is ours and not paused
  const std::int64_t ack_lag_max_;   // acknowledgements behind the floor
  const std::uint8_t owner_;
  std::atomic<bool> ends_by_swap_;  // another process may end our leases while we live
  const bool pairs_ = has_atomic_pair_store();
  Position resume_position_ = 0;                   // right after our last lease
  std::uint32_t resume_version_ = ~0U;             // version of `next` at that lease; at first no version
  std::uint64_t resume_word_ = ~std::uint64_t{0};  // `next` then: while it stays, no consumer has moved it on
  std::uint64_t lease_timeout_us_ = 0;             // 0: leases do not end by time
  std::uint64_t untimed_state_ = active_word_;     // 0, which no state of a group is, if leases end by time
  bool must_walk_ = false;            // the last try_lease_next() failed at a place that only lease() gets past
  bool look_due_ = false;             // leases of others may be over: only lease() looks for them
  unsigned leases_before_clock_ = 1;  // 1 until has_said_swaps_
  unsigned leases_per_clock_read_ = 1;
  std::uint64_t clock_us_ = 0;  // at the last read
  DueMessages due_;
  bool ready_turn_ = false;     // a delayed message went first, so a READY one goes next
  bool found_delayed_ = false;  // the last lease() returned a delayed message
  std::atomic<std::uint64_t> discarded_ = 0;
  std::uint32_t keeps_ = 0;
  std::uint64_t told_dropped_;  // GroupBlock::dropped at the last message
  std::atomic<std::uint64_t> dropped_ = 0;
  std::array<PutAside, k_put_aside_batch> put_aside_;  // the first put_aside_count_ have values
  std::size_t put_aside_count_ = 0;
  bool found_overdue_ = false;  // the last lease() ended leases that were over
  bool has_said_swaps_ = false;
  std::uint64_t next_search_us_ = 0;   // for a consumer that holds a message and has planned no look
  std::atomic<Position> park_at_ = 0;  // the ack where park_before_full() looks again
  std::atomic<std::uint64_t> timed_out_ = 0;
  std::atomic<std::uint64_t> woken_ = 0;
};

}  // namespace beltway::ring
