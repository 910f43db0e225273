// The core of a Consumer: endpoint, reader, waiter, counters. It derives from PrivateReader, because inline code in Consumer
// and Message uses that part. The reader of a named or a lossy group is a member. Messages point at the core, so it never
// moves. It lives until the Consumer and its last message are gone.
//
// Thread safety: one thread at a time, except Message::end() of a named group, which may run in any thread of the process.
// Counters that ending a message touches are therefore atomic; the rest is the consumer thread's own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "beltway/consumer.hpp"
#include "beltway/detail/fork_guard.hpp"
#include "beltway/info.hpp"
#include "endpoint/attachment.hpp"
#include "endpoint/dead_letters.hpp"
#include "endpoint/held_count.hpp"
#include "ring/counters.hpp"
#include "ring/readers/lossy_reader.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/readers/private_reader.hpp"
#include "ring/stamps.hpp"
#include "waiting/stream_backoff.hpp"
#include "waiting/waiter.hpp"

namespace beltway::endpoint {

class alignas(ring::k_apart_bytes) ConsumerCore : public ring::PrivateReader {
 public:
  ConsumerCore(Attachment attachment, const ConsumerOptions& options, const waiting::SpinPolicy& policy);
  ConsumerCore(const ConsumerCore&) = delete;
  ConsumerCore& operator=(const ConsumerCore&) = delete;

  /// Handles the cases that InlineReceiver::try_next() does not.
  Result<Message> try_receive();
  Result<Message> receive(const Until& until);
  /// Private groups: spins for a moment. True if a message is ready.
  [[nodiscard]] bool await_next() noexcept;
  Result<std::size_t> try_receive_batch(std::span<Message> out);
  Result<std::size_t> receive_batch(std::span<Message> out, const Until& until);

  /// Call it when the Consumer is destroyed. The end of its last message deletes the core.
  void detach() noexcept;

  /// The core of a consumer that goes on after `old`, which was evicted: see reattachment.hpp. Takes over its descriptor of event
  /// mode. Throws Error(system).
  [[nodiscard]] static ConsumerCore* successor(ConsumerCore& old, Attachment attachment,
                                               const ConsumerOptions& options);
  /// An interrupt() that came for `old` counts for this one.
  void take_interrupt_of(ConsumerCore& old) noexcept;

  /// See overwriting.hpp.
  [[nodiscard]] static bool may_be_overwritten(const Message& message) noexcept;

  [[nodiscard]] int poll_fd();
  /// No effect in a forked child.
  void interrupt() noexcept {
    if (!guard_.in_child()) waiter_.interrupt();
  }
  /// As Consumer::counters(). Throws Error(forked).
  [[nodiscard]] ConsumerCounters counters() const;
  [[nodiscard]] unsigned index() const noexcept { return attachment_.owner - ring::k_first_consumer; }
  [[nodiscard]] const std::string& queue_name() const noexcept { return attachment_.queue_name; }
  [[nodiscard]] const std::string& group() const noexcept { return attachment_.group_name; }

 private:
  ~ConsumerCore() = default;

  /// One attempt to take up to out.size() messages: ok with `count` > 0, or why there is none.
  Status take(std::span<Message> out, std::size_t& count);
  /// Takes consecutive READY messages from slots. Returns how many.
  [[nodiscard]] std::size_t read_run(std::span<Message> out) noexcept;
  /// Each has two forms. The one for messages with stamps counts their ages, and delivers none that is too old.
  template <bool has_stamps>
  ring::ReadResult read_private(std::span<Message> out, std::size_t& count) noexcept;
  template <bool has_stamps>
  ring::ReadResult read_named(std::span<Message> out, std::size_t& count) noexcept;
  /// read_private() until the first message after an eviction, which is told what was lost.
  ring::ReadResult read_after_gap(std::span<Message> out, std::size_t& count) noexcept;
  /// read_named() of a group that keeps only its newest messages.
  ring::ReadResult read_newest(std::span<Message> out, std::size_t& count) noexcept;
  template <bool has_stamps>
  ring::ReadResult read_lossy(std::span<Message> out, std::size_t& count);
  /// Reads what the options of its group say now, if the daemon has posted a notice since the last call. Costs one comparison
  /// otherwise. Called at the attach, when nothing is found, and with the rare store of the counters.
  void refresh_settings(ring::Notice notice) noexcept {
    if (notice.epoch != settings_epoch_) [[unlikely]]
      read_settings(notice.epoch);
  }
  void refresh_settings() noexcept {
    refresh_settings(ring::Notice::of(attachment_.memory.shared_status().notice.load_acquire()));
  }
  [[gnu::cold]] void read_settings(std::uint32_t epoch) noexcept;
  /// Tells other consumers that our leases are ended by swaps, if that is so and they do not know it yet.
  void say_swaps() noexcept;
  /// Opens the fast path, or closes it, as the settings and event mode say.
  void choose_path() noexcept;
  using Read = ring::ReadResult (ConsumerCore::*)(std::span<Message> out, std::size_t& count);
  template <bool has_stamps>
  [[nodiscard]] static Read read_of(ring::GroupKind kind) noexcept;
  /// Reads whether messages have stamps, and when they expire.
  void read_stamping() noexcept;
  /// Of messages with stamps that are to be delivered. In consumer_ages.cpp.
  [[nodiscard]] std::uint64_t stamp_clock_us() const noexcept { return ring::stamp_clock_us(stamps_); }
  [[nodiscard]] bool is_too_old(ring::Position position, std::uint64_t now_us) const noexcept;
  /// Ends messages that are too old, and counts the ages of the others, which it moves to the front. Returns their number.
  std::size_t pass_over_old(std::span<ring::SlotView> views) noexcept;
  /// Ends a message of ours that has expired. False if it is not ours any more.
  bool expire(const ring::SlotView& view) noexcept;
  void count_age(std::uint64_t stamp_us, std::uint64_t now_us) noexcept;
  /// Counts a message that was passed over.
  [[gnu::cold]] void count_passed_over(ring::ReadResult result) noexcept;
  /// When the message was published, in us of CLOCK_MONOTONIC; 0: not known.
  [[nodiscard]] std::uint64_t stamp_of(const Message& message) const noexcept;
  /// Reads with read_kind_ until the result is not ReadResult::again, at most k_max_reads times.
  ring::ReadResult read_available(std::span<Message> out, std::size_t& count);
  Status why_empty(std::span<Message> out, std::size_t& count);
  /// The next message of a private or named group, in a slot or lane. Only the common case.
  [[nodiscard]] bool try_next(ring::SlotView& view) noexcept {
    return inline_size_limit_ != 0 ? next_if_ready(view) : try_lease_next(view);
  }
  [[nodiscard]] bool try_lease_next(ring::SlotView& view) noexcept;
  /// After a message was taken from a named group: wakes another sleeping consumer if another message is READY.
  void wake_next_consumer(const ring::NamedReader& reader) noexcept;
  /// Counts and returns the message that try_next() has found.
  [[nodiscard]] Result<Message> received(const ring::SlotView& view) noexcept {
    if (view.position % detail::k_positions_per_counter_store == 0 || view.tries != 0) [[unlikely]] {
      // Copy the view. Otherwise its address escapes, it stays in memory on the fast path too, and a wide load waits for two
      // narrow stores.
      const ring::SlotView copy = view;
      return received_seldom(copy);
    }
    detail::add_pair(words_.messages, 1, view.size);
    return Result<Message>(message(view));
  }
  /// The rare case of received(): also stores the counters.
  [[nodiscard, gnu::noinline]] Result<Message> received_seldom(const ring::SlotView& view) noexcept;
  /// True if the consumer has read every READY message; for batches, if the last one was partial. False for lossy, evictable
  /// and event-mode consumers.
  [[nodiscard]] bool has_caught_up() const noexcept {
    if (inline_size_limit_ != 0) return last_batch_partial_ || !PrivateReader::may_have_more();
    return fast_named_reader_ != nullptr && (last_batch_partial_ || !fast_named_reader_->may_have_more());
  }
  /// Rungs of the wait ladder, see Waiter::climb() and consumer_wait.cpp.
  struct Steps;
  bool back_off(const ring::BackoffLimit& limit) noexcept;
  [[nodiscard]] bool poll_position(bool paused) noexcept;
  [[nodiscard]] bool at_prefetch_limit() const noexcept;
  [[nodiscard]] bool all_delivered() const noexcept;
  /// True if the producers that the end of the stream requires have attached, whether or not they still are.
  [[nodiscard]] bool had_producers() const noexcept;
  [[nodiscard]] bool is_removed() const noexcept {
    return (ring::Notice::of(attachment_.memory.shared_status().notice.load_acquire()).flags &
            ring::k_notice_removed) != 0;
  }
  /// Pairs with the eviction: it sets the flag, runs a heavy barrier, then revokes our leases.
  [[nodiscard]] bool is_evicted() const noexcept {
    return attachment_.evictable &&
           (ring::Identity::of(endpoint_.identity.load_acquire()).flags & ring::k_endpoint_evicted) != 0;
  }

  Status try_take(std::span<Message> out, std::size_t& count);
  Status wait_take(const Until& until, waiting::Waiter::Rung first, Steps& steps);
  static void release_all(std::span<Message> messages) noexcept {
    for (Message& message : messages) {
      if (message) [[unlikely]]
        message = Message();
    }
  }
  void arm() noexcept;
  /// After arm() and a try that found nothing: see Waiter::climb().
  std::uint64_t watch() noexcept;
  void hand_wake_on() noexcept;
  /// Call it when this consumer sleeps no more. If no other one watches for the first delayed message, it wakes one.
  void hand_watch_on() noexcept;

  friend class detail::InlineReceiver;
  friend class ::beltway::Message;
  friend std::size_t(::beltway::ack_batch)(std::span<Message> messages) noexcept;
  bool end_private(ring::Position position) noexcept;
  /// Counts the end of messages of a named group. If the last one has ended and the Consumer has gone, deletes this.
  [[gnu::always_inline]] void count_ends(std::size_t messages, unsigned woken) noexcept {
    if (woken != 0) [[unlikely]]
      wakes_ += woken;
    const auto ring = [this] { waiter_.ring_self(); };
    const auto tell = [this](std::uint64_t ended) { words_.acks.store_relaxed(acks_of(ended)); };
    if (ends_.count(messages, ring, tell)) [[unlikely]]
      delete this;
  }
  /// Ends a message that failed. `delay_us`: how long it waits; k_delay_of_group: as the group says.
  [[gnu::noinline]] bool fail(const Message& message, std::uint64_t delay_us) noexcept;
  [[gnu::noinline]] bool give_back_at_once(const Message& message) noexcept;
  /// Ends a message that failed for the last time.
  [[gnu::noinline]] bool fail_for_good(const Message& message, ring::FailReason reason) noexcept;
  /// Ends the messages that the named reader has put aside.
  [[gnu::noinline]] void end_put_aside() noexcept;
  /// After a lease() with this result that has put messages aside: ends them, and leases again while the walk ended at them.
  [[gnu::noinline]] ring::ReadResult read_past_put_aside(std::span<ring::SlotView> views, std::size_t& leased,
                                                         ring::ReadResult result) noexcept;
  /// Ends a message of ours that must not be delivered any more: moves it to the dead letter queue, or drops it. `deliveries`: so
  /// far. False if it is not ours any more.
  bool give_up(const ring::SlotView& view, ring::FailReason reason, unsigned deliveries) noexcept;
  /// Moves it, or delays it until it can be moved.
  bool move_away(const ring::SlotView& view, ring::FailReason reason, unsigned deliveries) noexcept;
  /// How long a message waits whose move has failed now.
  [[nodiscard]] std::uint64_t next_move_delay_us() noexcept;
  [[nodiscard]] bool is_private() const noexcept { return attachment_.kind == ring::GroupKind::private_reliable; }
  [[nodiscard]] std::uint64_t acks_of(std::uint64_t ended) const noexcept {
    const std::uint64_t nacks = nacks_.load(std::memory_order_relaxed);
    return ended < nacks ? 0 : ended - nacks;  // may be too low for a moment: a nack is counted before its message ends
  }
  [[nodiscard]] Message message(const ring::SlotView& view) noexcept {
    return {this, view.data, view.position, view.lost, view.size, view.producer, view.tries, view.properties_bytes};
  }
  [[nodiscard]] static ring::SlotView view_of(const Message& message) noexcept {
    return {.position = message.position_,
            .data = message.data_,
            .size = message.size_,
            .producer = message.producer_,
            .lost = message.lost_,
            .tries = message.tries(),
            .properties_bytes = static_cast<std::uint16_t>(message.properties_bytes())};
  }
  /// Requires that `empty` holds no message. Constructs in place: a move would load wider than the stores before it.
  void make_message(Message& empty, const ring::SlotView& view) noexcept { ::new (&empty) Message(message(view)); }
  void fill(Message& empty, const ring::SlotView& view) noexcept {
    count(view);
    make_message(empty, view);
  }
  void count(const ring::SlotView& view) noexcept {
    detail::add_pair(words_.messages, 1, view.size);
    if (view.tries != 0) ++counters_.redelivered;
    if (view.position % detail::k_positions_per_counter_store == 0 || view.tries != 0 || view.lost != 0) [[unlikely]]
      store_counters();
  }
  void wake_for_room(ring::Position floor) noexcept;
  [[nodiscard]] ConsumerCounters own_counters() const noexcept;
  void store_counters() noexcept;
  void check_fork() const {
    if (guard_.in_child()) [[unlikely]]
      throw_forked();
  }
  [[noreturn]] void throw_forked() const;

  Attachment attachment_;
  Read read_kind_ = nullptr;   // how messages are read now
  Read plain_read_ = nullptr;  // reads our kind of group, with stamps or without
  const Ack ack_;
  const EndOfStream end_of_stream_;  // never by_group
  const std::uint64_t prefetch_;
  std::optional<ring::NamedReader> named_;
  std::optional<ring::LossyReader> lossy_;
  ring::Position lost_before_ = 0;    // positions that an evicted consumer did not get before it was attached again
  std::uint32_t keeps_ = 0;           // messages that its group keeps; 0: all
  Stamps stamps_ = Stamps::off;       // of the queue, as of the last notice
  std::uint64_t ttl_us_ = 0;          // of our group; 0: messages do not expire
  std::uint32_t settings_epoch_ = 0;  // of the notice when the settings were read
  bool settings_are_read_ = false;
  bool is_after_gap_ = false;  // attached again, and no message received since
  // The named reader if the fast path is open (see choose_path()), else null.
  ring::NamedReader* fast_named_reader_ = nullptr;
  waiting::StreamBackoff stream_backoff_;
  bool last_batch_partial_ = false;  // the last batch was shorter than asked for
  waiting::Waiter waiter_;
  ring::Endpoint& endpoint_;
  const ring::ConsumerCounterWords words_;
  ConsumerCounters counters_;  // messages, bytes, lost, redelivered and corrupt; counters() adds the rest

  // Messages that are not ended. Only the consumer's thread counts private ones (in their reader) and lossy ones.
  std::uint64_t copies_held_ = 0;
  bool released_ = false;
  std::atomic<bool> closed_ = false;  // the Consumer has gone: what is dropped goes back at once

  HeldCount ends_;  // named groups: after the Consumer is gone, the end of the last message deletes the core
  std::atomic<std::uint64_t> nacks_ = 0;
  std::atomic<std::uint64_t> wakes_ = 0;
  std::atomic<std::uint64_t> dead_lettered_ = 0;
  std::atomic<std::uint64_t> failed_moves_ = 0;
  // After a move that failed: how long messages wait, and when that was set. Any thread, relaxed.
  std::atomic<std::uint64_t> move_delay_us_ = 0;
  std::atomic<std::uint64_t> move_failed_us_ = 0;

  const std::uint64_t producers_ended_;  // that had attached and ended before this attach
};

}  // namespace beltway::endpoint
