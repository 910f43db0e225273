// The core of a Producer: endpoint, claims, lane, waiting and counters. It never moves, since loans point at it.
//
// Thread safety: one thread at a time. Invariants: the hot path (an inline message that fits at once) makes no system
// call, allocates nothing and writes no word that another process writes, except `tail` of a several-producer ring.
#pragma once

#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <type_traits>

#include "beltway/detail/fork_guard.hpp"
#include "beltway/info.hpp"
#include "beltway/producer.hpp"
#include "endpoint/attachment.hpp"
#include "ring/claim.hpp"
#include "ring/groups.hpp"
#include "ring/lane.hpp"
#include "ring/sequence_record.hpp"
#include "ring/stamps.hpp"
#include "waiting/waiter.hpp"

namespace beltway::endpoint {

/// The bytes of all parts. The largest number if there are more: no queue takes a message of that size.
[[nodiscard]] inline std::size_t total_size(std::span<const Bytes> parts) noexcept {
  constexpr std::size_t k_most = std::numeric_limits<std::size_t>::max();
  std::size_t size = 0;
  for (const Bytes& part : parts) size = part.size() > k_most - size ? k_most : size + part.size();
  return size;
}

/// One attempt at an operation, a callable that returns a Status, without owning it.
class Attempt {
 public:
  template <class Call>
  explicit Attempt(const Call& call) noexcept
      : object_(&call), call_([](const void* object) { return (*static_cast<const Call*>(object))(); }) {}
  Status operator()() const { return call_(object_); }

 private:
  const void* object_;
  Status (*call_)(const void* object);
};

class alignas(ring::k_apart_bytes) ProducerCore : public ring::Claimer {
 public:
  ProducerCore(Attachment attachment, const ProducerOptions& options);
  ~ProducerCore();
  ProducerCore(const ProducerCore&) = delete;
  ProducerCore& operator=(const ProducerCore&) = delete;

  /// After a commit: wakes sleepers, and stores the counters.
  [[gnu::cold]] void follow_up() noexcept;

  /// One attempt to publish a payload of `size` bytes that `fill(std::byte*)` writes, behind `block_bytes` of properties that it
  /// writes, too. Wakes no sleeper: see announce().
  template <class Fill>
  [[nodiscard, gnu::always_inline]] Status put(std::size_t size, const Fill& fill, std::size_t block_bytes = 0) {
    // plant: block_is_not_counted
    if (size + block_bytes >= slot_size_limit_ || has_news()) [[unlikely]]
      return put_uncommon(size, fill, block_bytes);
    return status_of(detail::try_put(*this, size, detail::meta_of_block(block_bytes), fill));
  }
  /// True if this producer's name has published the sequence number, which is not 0. Throws Error(forked), Error(misuse) if this
  /// producer has no name.
  [[nodiscard]] bool is_duplicate(std::uint64_t sequence) const;
  /// As put(), with a sequence number that is no duplicate.
  template <class Fill>
  [[nodiscard]] Status put_sequenced(std::size_t size, const Fill& fill, std::uint64_t sequence,
                                     std::size_t block_bytes);
  /// The last committed sequence number of this producer's name; 0: none.
  [[nodiscard]] std::uint64_t last_sequence() const {
    refuse_in_child();
    return sequence_record_ == nullptr ? 0 : sequence_record_->committed.load_relaxed();
  }
  /// As detail::touch_ends(), for each page. Reads nothing of a message that is too large: its size may be wrong.
  void touch(const Bytes& source) const noexcept {
    const volatile std::byte* const data = source.data();
    const std::size_t last = source.size() - 1;  // of nothing: a number that is not below
    if (last < detail::k_page_bytes) [[likely]] {
      static_cast<void>(data[0]);
      static_cast<void>(data[last]);
    } else if (source.size() != 0) {
      touch_pages(source);
    }
  }
  /// As touch(), of the parts of one message of `size` bytes.
  void touch_parts(std::span<const Bytes> parts, std::size_t size) const noexcept {
    if (is_too_large(size)) return;
    for (const Bytes& part : parts) touch(part);
  }
  /// As put(), of a copy.
  [[nodiscard]] Status put_copy(Bytes message);
  /// One attempt to publish messages [done] and later; `done` counts. Announces them unless it returns Status::ok.
  [[nodiscard]] Status put_batch(std::span<const Bytes> messages, std::size_t& done);
  /// The inline path of put_loan(): no properties, the message stays in the lane, there is room, and nothing is in the way.
  [[nodiscard]] Outcome try_publish_loan(std::uint64_t record, std::size_t size) noexcept {
    if (size <= inline_bytes_ || inline_size_limit_ == 0 || guard_.in_child() ||
        try_put_reference<InlinePublisher>(record, size, 0) != detail::Claim::ok) [[unlikely]]
      return Outcome::not_handled;
    return outcome_after_commit();
  }
  /// One attempt to publish the first `size` bytes of a loan at `data`, with the properties right before. Then the loan is over.
  [[nodiscard]] Status put_loan(const std::byte* data, std::uint64_t record, std::size_t size,
                                std::size_t block_bytes) noexcept;
  /// True if `size` bytes do not fit a lane of this queue.
  [[nodiscard]] bool is_too_large(std::size_t size) const noexcept {
    return size > attachment_.memory.geometry.lane_bytes || size > k_max_message_bytes;
  }
  /// As lend(), if there is room.
  [[nodiscard]] bool lend_now(std::size_t size, ring::Lane::Loan& lent) {
    if (guard_.in_child() || is_too_large(size)) return false;
    lent = lane_.lend(size);
    return lent.data != nullptr;
  }
  /// One attempt to lend lane memory.
  [[nodiscard]] Status lend(std::size_t size, ring::Lane::Loan& lent) {
    if (is_too_large(size)) return Status::too_large;
    lent = lane_.lend(size);
    if (lent.data != nullptr) [[likely]]
      return Status::ok;
    // A removed queue frees nothing any more.
    if (const Status status = take_notice(); status != Status::ok) return status;
    full_reason_ = lane_.waits_for_loans() ? FullReason::loans : FullReason::lane;
    return Status::full;
  }
  void drop(std::uint64_t record) noexcept {
    lane_.drop(record);
    // A try that failed because of our own loans may succeed now, and no other endpoint will wake us for it.
    if (waiter_.line().armed()) [[unlikely]]
      waiter_.ring_self();
  }

  /// Wakes the consumers that need the new messages: after a put, or after a batch of puts.
  void announce() noexcept {
    if (waiter_.symmetric()) [[unlikely]]
      detail::full_fence();
    const bool is_turn = last() % detail::k_positions_per_counter_store == 0;
    if (outcome_after_commit() != Outcome::published || is_turn) [[unlikely]]
      follow_up();
  }

  // The three forms of every operation, around one attempt at it: see Attempt.

  [[nodiscard]] Status run_try(const auto& attempt) {
    refuse_in_child();
    const Status status = attempt();
    if (status != Status::ok || waiter_.event_mode()) [[unlikely]]
      return run_try_slowly(status, Attempt(attempt));
    announce();
    return status;
  }
  [[nodiscard]] Status run_until(const Until& until, const auto& attempt) {
    const detail::SingleUse<InlinePublisher> use(*this);
    refuse_in_child();
    if (until.stop().stop_requested()) [[unlikely]]
      return Status::stopped;
    const Status status = attempt();
    if (status != Status::ok) [[unlikely]]
      return wait(status, until, Attempt(attempt));
    announce();
    return status;
  }
  /// Waits for ever; throws what is not ok. `size`: for the message of the error.
  void run_blocking(std::size_t size, const auto& attempt) {
    refuse_in_child();
    Status status = attempt();
    if (status != Status::ok) [[unlikely]] {
      status = wait(status, {}, Attempt(attempt));
      if (status != Status::ok) throw_status(status, size);
      return;
    }
    announce();
  }

  [[nodiscard]] std::size_t max_message_bytes() const noexcept;
  [[nodiscard]] std::size_t max_inline_bytes() const noexcept { return inline_bytes_; }
  [[nodiscard]] unsigned index() const noexcept { return producer(); }
  [[nodiscard]] const std::string& queue_name() const noexcept { return attachment_.queue_name; }
  /// As Producer::counters(). Throws Error(forked).
  [[nodiscard]] ProducerCounters counters() const;
  [[nodiscard]] int poll_fd();
  /// True in a forked child, where the shared memory is not mapped.
  [[nodiscard]] bool in_child() const noexcept { return guard_.in_child(); }
  /// No effect in a forked child.
  void interrupt() noexcept {
    if (!guard_.in_child()) waiter_.interrupt();
  }
  enum class Wanted : std::uint8_t { message, loan };
  [[noreturn]] void throw_status(Status status, std::size_t size, Wanted wanted = Wanted::message) const;

 private:
  /// Ends a wait, also after an exception of the callback that writes the message: turns the scans for unpassed acks off, and
  /// gives the place in the line for room back.
  struct ResetScanOnExit {
    ProducerCore& core;
    ~ResetScanOnExit() {
      core.scan_unpassed_acks(false);
      core.leave_parking_to_consumers(false);
      if (!core.waiter_.line().armed()) core.leave_line();
    }
  };

  /// Lane memory that is given back unless its message was committed.
  struct DropUnlessCommitted {
    ring::Lane& lane;
    std::uint64_t record;
    ~DropUnlessCommitted() { lane.drop_if_open(record); }
  };

  /// Before the claim of a message whose callback threw becomes VOID: the message's sequence number is not pending any more.
  struct TakeBackUnlessFilled {
    ring::SequenceRecord& record;
    int exceptions;
    ~TakeBackUnlessFilled() {
      if (std::uncaught_exceptions() != exceptions) ring::take_back_sequence(record);
    }
  };

  enum class FullReason : std::uint8_t {
    ring,   // by a reliable group
    turn,   // by producers that have waited longer for the room that there is
    busy,   // by a producer that is writing
    lane,   // by a message in the lane that a reliable group needs
    loans,  // by our own open loans: no other endpoint can end that
  };

  template <class Ring>
  friend class detail::ClaimedSlot;
  friend class detail::InlinePublisher;

  /// put() of a message that does not fit its slot or needs a stamp, and after a notice.
  template <class Fill>
  Status put_uncommon(std::size_t size, const Fill& fill, std::size_t block_bytes);
  template <class Fill>
  Status put_in_lane(std::size_t size, const Fill& fill, std::size_t block_bytes);
  /// Stores the stamp of the last claim, before its commit.
  void stamp() noexcept { ring::store_stamp(attachment_.memory, last(), ring::stamp_clock_us(stamps_)); }
  /// As stamp(), and what else a message in a lane needs before its commit.
  void begin_reference() noexcept {
    if (pending_sequence_ != 0) ring::begin_sequence(*sequence_record_, pending_sequence_, last());
    if (stamps_ != Stamps::off) stamp();
  }
  void set_pending_sequence(std::uint64_t sequence) noexcept {
    pending_sequence_ = sequence;
    needs_begin_ = sequence != 0 || stamps_ != Stamps::off;
  }
  /// One attempt to publish lane memory.
  template <class Ring>
  [[gnu::always_inline]] detail::Claim try_put_reference(std::uint64_t record, std::size_t size,
                                                         std::size_t block_bytes) noexcept {
    Ring& ring = *this;
    const std::uint64_t flags = ring::SlotMeta{0, ring::k_flag_lane}.word() + detail::meta_of_block(block_bytes);
    return detail::try_put(ring, size, flags, [&](std::byte* place) noexcept {
      if constexpr (std::is_same_v<Ring, ProducerCore>) {
        if (needs_begin_) [[unlikely]]
          begin_reference();
      }
      reinterpret_cast<detail::Word*>(place)->store_relaxed(lane_.commit(record, last()).word());
    });
  }
  Status put_reference(std::uint64_t record, std::size_t size, std::size_t block_bytes) noexcept;
  Status run_try_slowly(Status status, Attempt attempt);
  Status wait(Status status, const Until& until, Attempt attempt);
  Status wait_for_room(const Until& until, Attempt attempt);

  /// Status::ok, or why this producer has ended (removed, evicted).
  [[nodiscard]] Status take_news() noexcept { return has_news() ? take_notice() : Status::ok; }
  Status take_notice() noexcept;
  /// Notes why a claim failed.
  Status status_of(detail::Claim claim) noexcept {
    if (claim == detail::Claim::ok) [[likely]]
      return Status::ok;
    full_reason_ = claim == detail::Claim::full   ? FullReason::ring
                   : claim == detail::Claim::turn ? FullReason::turn
                                                  : FullReason::busy;
    return Status::full;
  }
  /// Ends the last claim, of `size` bytes, whose message could not be written.
  [[gnu::cold]] void void_claim(std::size_t size) noexcept;
  void choose_path() noexcept;
  /// After an attempt in a ring of several producers: a producer that waits for room in the ring stands in the line.
  void update_line(Status status) noexcept;
  void leave_line() noexcept;
  /// `until`, or sooner if the producer will sleep for several slots and the ring may have become slow.
  [[nodiscard]] Until while_the_pace_holds(const Until& until) const noexcept;
  /// Attempts until the room that there is does not belong to others: they take it within k_turn_ns, or are passed over.
  Status attempt_in_turn(const Until& until, Attempt attempt);
  [[nodiscard]] ProducerCounters own_counters() const noexcept;
  void store_counters() noexcept;
  void touch_pages(const Bytes& source) const noexcept;
  void arm() noexcept;
  void refuse_in_child() const {
    if (guard_.in_child()) [[unlikely]]
      throw_forked();
  }
  [[noreturn]] void throw_forked() const;

  [[noreturn]] void throw_unnamed() const;

  Attachment attachment_;
  ring::SequenceRecord* const sequence_record_;  // null: this producer has no name
  std::uint64_t pending_sequence_ = 0;           // of the message that is being published; 0: none
  const std::size_t inline_bytes_;
  /// Sizes below this take the common path of put(): what fits a slot. 0: each message gets a stamp.
  std::size_t slot_size_limit_ = 0;
  Stamps stamps_ = Stamps::off;  // of the queue, as of the last notice
  bool needs_begin_ = false;     // begin_reference() has something to do
  ring::Lane lane_;
  waiting::Waiter waiter_;
  ring::Endpoint& endpoint_;
  ProducerCounters counters_;
  FullReason full_reason_ = FullReason::ring;  // why the last attempt was Status::full
  const std::uint64_t unread_before_;          // of the queue, at attach
};

template <class Fill>
Status ProducerCore::put_uncommon(std::size_t size, const Fill& fill, std::size_t block_bytes) {
  if (size + block_bytes > inline_bytes_) return put_in_lane(size, fill, block_bytes);
  if (const Status status = take_news(); status != Status::ok) return status;
  const std::uint64_t flags = detail::meta_of_block(block_bytes);
  if (stamps_ == Stamps::off) return status_of(detail::try_put(*this, size, flags, fill));
  const auto fill_and_stamp = [&](std::byte* place) noexcept(noexcept(fill(place))) {
    fill(place);
    // plant: stamp_behind_ready
    stamp();
  };
  const detail::Claim claim = detail::try_put(*this, size, flags, fill_and_stamp);
  // plant: stamp_behind_ready/2
  return status_of(claim);
}

template <class Fill>
Status ProducerCore::put_in_lane(std::size_t size, const Fill& fill, std::size_t block_bytes) {
  const detail::SingleUse<InlinePublisher> use(*this);
  // Before the check for room: a message that never fits must not wait for it.
  if (is_too_large(size + block_bytes)) return Status::too_large;
  if (const Status status = take_news(); status != Status::ok) return status;
  // Check for room first: without room the copy is useless. If another producer takes the last slot meanwhile, we copy again.
  if (const Status status = status_of(room()); status != Status::ok) return status;
  ring::Lane::Loan lent;
  if (const Status status = lend(size + block_bytes, lent); status != Status::ok) return status;
  const DropUnlessCommitted dropping{lane_, lent.record};
  fill(lent.data);
  return put_reference(lent.record, size, block_bytes);
}

template <class Fill>
Status ProducerCore::put_sequenced(std::size_t size, const Fill& fill, std::uint64_t sequence,
                                   std::size_t block_bytes) {
  Status status = Status::ok;
  if (size + block_bytes > inline_bytes_) {
    // put_reference() begins it, after the claim.
    const struct Pending {
      ProducerCore& core;
      ~Pending() { core.set_pending_sequence(0); }
    } pending{*this};
    set_pending_sequence(sequence);
    status = put(size, fill, block_bytes);
  } else {
    status = put(
        size,
        [&](std::byte* place) noexcept(noexcept(fill(place))) {
          ring::begin_sequence(*sequence_record_, sequence, last());
          const TakeBackUnlessFilled taking_back{*sequence_record_, std::uncaught_exceptions()};
          fill(place);
        },
        block_bytes);
  }
  if (status == Status::ok) ring::commit_sequence(*sequence_record_, sequence);
  return status;
}

}  // namespace beltway::endpoint
