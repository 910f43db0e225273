// What a Producer is: its endpoint, its claims, its lane, its waiting and its counters. Non-movable, so that loans can
// point at it.
//
// Thread safety: one thread at a time. Invariants: the hot path (an inline message that fits at once) makes no system
// call, allocates nothing and writes no word that another process writes, except `tail` of a several-producer ring.
#pragma once

#include <cstdint>
#include <span>

#include "beltway/detail/fork_guard.hpp"
#include "beltway/info.hpp"
#include "beltway/producer.hpp"
#include "endpoint/attachment.hpp"
#include "ring/claim.hpp"
#include "ring/groups.hpp"
#include "ring/lane.hpp"
#include "waiting/waiter.hpp"

namespace beltway::detail {

inline constexpr std::size_t k_page_bytes = 4096;
/// A page fault inside a claim would be everybody's wait: take it before.
inline void touch(const Bytes& source) noexcept {
  if (source.size() == 0) return;
  const volatile std::byte* data = source.data();
  static_cast<void>(data[0]);
  static_cast<void>(data[source.size() - 1]);
  for (std::size_t at = k_page_bytes; at < source.size(); at += k_page_bytes) static_cast<void>(data[at]);
}

class alignas(k_apart_bytes) ProducerCore : public Claimer {
 public:
  ProducerCore(Attachment attachment, const ProducerOptions& options);
  ~ProducerCore();
  ProducerCore(const ProducerCore&) = delete;
  ProducerCore& operator=(const ProducerCore&) = delete;

  /// After InlinePublisher::try_put() has left something to do.
  [[gnu::cold]] void follow_up() noexcept;
  /// As try_put(), for as many as it is the common case of; their number. Wakes nobody: see announce().
  [[nodiscard]] std::size_t try_put_some(std::span<const Bytes> messages) noexcept;

  /// As try_put(), for a ring of several producers: it is put() and announce() without what they do seldom.
  [[nodiscard]] Outcome try_put_shared(const Bytes& message) noexcept {
    if (attachment_.map.geometry.single_producer() || message.size() > inline_bytes_ || guard_.in_child() ||
        waiter_.event_mode() || Claimer::claim() != Claim::ok) [[unlikely]]
      return Outcome::not_handled;
    const std::size_t size = message.size();
    copy_racing(slot().payload(), message.data(), size);
    Claimer::ready({static_cast<std::uint32_t>(size), 0});
    add_pair(published_[0], 1, size);
    publish_fence(waiter_.symmetric());
    return is_time_to_store(last()) || anybody_sleeps(attachment_.map) ? Outcome::published_follow_up
                                                                       : Outcome::published;
  }

  /// One attempt to publish `size` bytes that `fill(std::byte*)` writes. Wakes nobody: see announce().
  template <class Fill>
  [[nodiscard]] Status put(std::size_t size, const Fill& fill) {
    return size <= inline_bytes_ ? put_inline(size, fill) : put_in_lane(size, fill);
  }
  /// Fast path of put_loan(): the message stays in the lane, there is room, and nothing else is in the way.
  [[nodiscard]] Outcome try_put_loan(std::uint64_t record, std::size_t size) noexcept {
    if (size <= inline_bytes_ || inline_size_limit_ == 0 || guard_.in_child() || !has_room_now()) [[unlikely]]
      return Outcome::not_handled;
    const std::uint64_t position = next_;
    lane_.commit(record, position);
    write_now<true>(
        size,
        [offset = lane_.offset(record)](std::byte* place) noexcept {
          reinterpret_cast<Slot*>(place - sizeof(Slot))->lane_offset().store_relaxed(offset);
        },
        SlotMeta{0, k_flag_lane}.word());
    return outcome_after_commit(position);
  }
  /// One attempt to publish the first `size` bytes of a loan, which is over then.
  [[nodiscard]] Status put_loan(const std::byte* data, std::uint64_t record, std::size_t size) noexcept;
  /// True if no lane of this queue takes `size` bytes.
  [[nodiscard]] bool is_too_large(std::size_t size) const noexcept {
    return size > attachment_.map.geometry.lane_bytes || size > k_max_message_bytes;
  }
  /// As lend(), if there is room.
  [[nodiscard]] bool lend_now(std::size_t size, Lane::Lent& lent) {
    if (guard_.in_child() || is_too_large(size)) return false;
    lent = lane_.lend(size);
    return lent.data != nullptr;
  }
  /// One attempt to lend lane memory.
  [[nodiscard]] Status lend(std::size_t size, Lane::Lent& lent) {
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
    // A try that our own loans refused may succeed now, and nobody else will say so.
    if (waiter_.line().armed()) [[unlikely]]
      waiter_.ring_self();
  }

  /// Wakes those for whom what was put is news: after a put, or after a batch of them.
  void announce() noexcept {
    publish_fence(waiter_.symmetric());
    if (anybody_sleeps(attachment_.map)) [[unlikely]]
      announce_to_sleepers();
  }

  /// The forms of every operation, around one attempt at it (a callable that returns a Status).
  template <class Attempt>
  [[nodiscard]] Status run_try(Attempt&& attempt) {
    if (guard_.in_child()) [[unlikely]]
      throw_forked();
    const Status status = attempt();
    if (status == Status::ok && !waiter_.event_mode()) [[likely]] {
      announce();
      return status;
    }
    return run_try_slowly(status, attempt);
  }
  template <class Attempt>
  [[nodiscard]] Status run_until(const Until& until, Attempt&& attempt) {
    const SingleUse<InlinePublisher> use(*this);
    if (guard_.in_child()) [[unlikely]]
      throw_forked();
    const Status status = attempt();
    if (status == Status::ok) [[likely]] {
      announce();
      return status;
    }
    return wait(status, until, attempt);
  }
  /// Waits for ever; throws what is not ok. `size`: for the message of the error.
  template <class Attempt>
  void run_blocking(std::size_t size, Attempt&& attempt) {
    if (guard_.in_child()) [[unlikely]]
      throw_forked();
    Status status = attempt();
    if (status == Status::ok) [[likely]] {
      announce();
      return;
    }
    status = wait(status, {}, attempt);
    if (status != Status::ok) throw_status(status, size);
  }

  [[nodiscard]] std::size_t max_message_bytes() const noexcept;
  [[nodiscard]] std::size_t max_inline_bytes() const noexcept { return inline_bytes_; }
  [[nodiscard]] unsigned index() const noexcept { return producer(); }
  [[nodiscard]] const std::string& queue_name() const noexcept { return attachment_.queue_name; }
  [[nodiscard]] ProducerCounters counters() const noexcept;
  /// ProducerCounters::unread.
  [[nodiscard]] std::uint64_t unread() const noexcept;
  [[nodiscard]] int poll_fd();
  void interrupt() noexcept { waiter_.interrupt(); }
  enum class Wanted : std::uint8_t { message, loan };
  [[noreturn]] void throw_status(Status status, std::size_t size, Wanted wanted = Wanted::message) const;

 private:
  /// Polls. A spinning producer looks for acknowledgements that no floor has passed at one of this many polls. If it looked more
  /// often, it would do so before a consumer moves the floor itself: see NamedReader::k_ack_lag.
  static constexpr unsigned k_polls_per_ack_scan = 32;

  /// However a wait ends, also by an exception of the callback that writes the message: no more thorough looks, and the place in
  /// the line for room is given back.
  struct ResetScanOnExit {
    ProducerCore& core;
    ~ResetScanOnExit() {
      core.scan_unpassed_acks(false);
      if (!core.waiter_.line().armed()) core.leave_line();
    }
  };

  enum class FullReason : std::uint8_t {
    ring,   // by a reliable group
    turn,   // by producers that have waited longer for the room that there is
    busy,   // by a producer that is writing
    lane,   // by a message in the lane that a reliable group needs
    loans,  // by our own open loans: nobody else can end that
  };

  template <class Fill>
  Status put_inline(std::size_t size, const Fill& fill);
  template <class Fill>
  Status put_in_lane(std::size_t size, const Fill& fill);
  template <class Attempt>
  Status run_try_slowly(Status status, Attempt& attempt);
  template <class Attempt>
  Status wait(Status status, const Until& until, Attempt& attempt);

  Status claim() noexcept {
    const Claim claim = Claimer::claim();
    return claim == Claim::ok ? Status::ok : claim_slowly(claim);
  }
  Status claim_slowly(Claim claim) noexcept;
  Status room() noexcept;
  Status take_notice() noexcept;
  void put_reference(std::uint64_t record, std::size_t size) noexcept;
  /// Ends the last claim, which is a message now, and counts it.
  void ready(SlotMeta meta) noexcept {
    Claimer::ready(meta);
    add_pair(published_[0], 1, meta.size);
    if (is_time_to_store(last())) [[unlikely]]
      store_counters();
  }
  /// Ends the last claim, whose message could not be written.
  [[gnu::cold]] void void_claim() noexcept;
  friend void beltway::detail::void_claim(InlinePublisher& claim, std::size_t size) noexcept;
  void choose_way() noexcept;
  /// After an attempt in a ring of several producers: a producer that waits for room in the ring stands in the line.
  void update_line(Status status) noexcept;
  void leave_line() noexcept;
  /// `until`, or sooner if the producer will sleep for several slots and the ring may have become slow.
  [[nodiscard]] Until while_the_pace_holds(const Until& until) const noexcept;
  /// Attempts until the room that there is does not belong to others: they take it within k_turn_ns, or are passed over.
  template <class Attempt>
  Status attempt_in_turn(const Until& until, Attempt& attempt) {
    for (;;) {
      const Status status = attempt();
      update_line(status);
      if (status != Status::full || full_reason_ != FullReason::turn || until.is_over()) return status;
      kernel::give_way();
    }
  }
  void store_counters() noexcept;
  void announce_to_sleepers() noexcept;
  void arm() noexcept;
  [[noreturn]] void throw_forked() const;

  Attachment attachment_;
  const std::size_t inline_bytes_;
  Lane lane_;
  Waiter waiter_;
  Endpoint& endpoint_;
  Word* const published_;
  ProducerCounters counters_;
  FullReason full_reason_ = FullReason::ring;  // why the last attempt was Status::full
  const std::uint64_t unread_before_;          // of the queue, at attach
};

template <class Fill>
Status ProducerCore::put_inline(std::size_t size, const Fill& fill) {
  if (const Status status = claim(); status != Status::ok) [[unlikely]]
    return status;
  std::byte* const place = slot().payload();
  if constexpr (noexcept(fill(place))) {
    fill(place);
  } else {
    try {
      fill(place);
    } catch (...) {
      void_claim();
      throw;
    }
  }
  ready({static_cast<std::uint32_t>(size), 0});
  return Status::ok;
}

template <class Fill>
Status ProducerCore::put_in_lane(std::size_t size, const Fill& fill) {
  const SingleUse<InlinePublisher> use(*this);
  // Before the look for room: a message that never fits must not wait for it.
  if (is_too_large(size)) return Status::too_large;
  // Not worth the copy if the ring has no room; who takes the last place meanwhile makes us copy again.
  if (const Status status = room(); status != Status::ok) return status;
  Lane::Lent lent;
  if (const Status status = lend(size, lent); status != Status::ok) return status;
  if constexpr (noexcept(fill(lent.data))) {
    fill(lent.data);
  } else {
    try {
      fill(lent.data);
    } catch (...) {
      lane_.drop(lent.record);
      throw;
    }
  }
  const Status status = claim();
  if (status == Status::ok) {
    put_reference(lent.record, size);
  } else {
    lane_.drop(lent.record);
  }
  return status;
}

template <class Attempt>
Status ProducerCore::run_try_slowly(Status status, Attempt& attempt) {
  const SingleUse<InlinePublisher> use(*this);
  const ResetScanOnExit quick{*this};
  scan_unpassed_acks(true);
  if (status == Status::full) status = attempt();
  if (waiter_.event_mode()) {
    if (status == Status::full) found_full(kernel::now_ns());
    update_line(status);
    const auto look = [&] { return (status = attempt()) != Status::full; };
    waiter_.after_try(status != Status::full, look, [this] { arm(); }, [] {});
    update_line(status);
    if (status == Status::full && waiter_.take_interrupt()) status = Status::interrupted;
  }
  if (status == Status::ok) announce();
  if (status == Status::full) {
    ++counters_.refused;
    store_counters();
  }
  return status;
}

template <class Attempt>
Status ProducerCore::wait(Status status, const Until& until, Attempt& attempt) {
  const SingleUse<InlinePublisher> use(*this);
  const ResetScanOnExit quick{*this};
  if (status == Status::full && !waiter_.spins()) {  // it would go to sleep at once
    scan_unpassed_acks(true);
    status = attempt();
  }
  // What only our own open loans hold will not come free while we wait.
  if (status == Status::full && full_reason_ != FullReason::loans) {
    found_full(kernel::now_ns());
    update_line(status);
    unsigned looks = 0;
    const auto look = [&] {
      const bool often = ++looks % k_polls_per_ack_scan != 0 && !waiter_.gave_way();
      scan_unpassed_acks(!often || !waiter_.spins() || waiter_.line().armed());
      return (status = attempt_in_turn(until, attempt)) != Status::full || full_reason_ == FullReason::loans;
    };
    const auto wait_until = [&](const Until& end) { return waiter_.wait(end, look, [this] { arm(); }, [] {}); };
    Waiter::Ended ended = wait_until(while_the_pace_holds(until));
    if (ended == Waiter::Ended::timeout && !until.is_over()) {
      forget_pace();
      ended = wait_until(until);
    }
    if (ended == Waiter::Ended::timeout) {
      scan_unpassed_acks(true);
      status = attempt();
      if (status == Status::full) status = Status::timeout;
    }
    if (ended == Waiter::Ended::stopped) status = Status::stopped;
    if (ended == Waiter::Ended::interrupted) status = Status::interrupted;
  }
  if (status == Status::ok) {
    announce();
  } else {
    ++counters_.refused;
  }
  store_counters();
  return status;
}

}  // namespace beltway::detail
