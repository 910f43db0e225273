// Taking messages; waiting for them is in consumer_wait.cpp, ending them in consumer_end.cpp. See consumer_core.hpp.
#include "endpoint/consumer_core.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "beltway/error.hpp"
#include "ring/counters.hpp"
#include "ring/tuning.hpp"

namespace beltway::endpoint {

namespace {

/// Producers that have come and gone.
std::uint64_t producers_ended(const ring::SharedStatus& status) noexcept {
  // In this order: the daemon sets a producer's live bit before it counts it.
  const std::uint64_t ever = status.producers_ever.load_acquire();
  const auto live = static_cast<unsigned>(std::popcount(status.live_producers.load_acquire()));
  return ever > live ? ever - live : 0;
}

/// What the options mean: never by_group.
EndOfStream resolve(const ConsumerOptions& options) noexcept {
  if (options.follow) return EndOfStream::never;
  if (options.end_of_stream != EndOfStream::by_group) return options.end_of_stream;
  return options.group.empty() ? EndOfStream::after_producer : EndOfStream::never;
}

}  // namespace

ConsumerCore::ConsumerCore(Attachment attachment, const ConsumerOptions& options, const waiting::SpinPolicy& policy)
    : ring::PrivateReader(attachment.memory, attachment.group, attachment.start),
      attachment_(std::move(attachment)),
      ack_(options.ack),
      end_of_stream_(resolve(options)),
      prefetch_(options.prefetch == 0 ? attachment_.memory.geometry.slots : options.prefetch),
      stream_backoff_(attachment_.memory.geometry),
      waiter_(attachment_.memory, attachment_.owner, policy),
      endpoint_(attachment_.memory.endpoint(attachment_.owner)),
      words_(endpoint_.counters),
      ends_(!waiter_.symmetric() && os::register_for_barriers()),
      producers_ended_(attachment_.producers_ended.value_or(producers_ended(attachment_.memory.shared_status()))) {
  const Attachment& at = attachment_;
  ring::store_counters(endpoint_.counters, counters_);
  InlineReceiver::counters_ = &words_.messages;
  switch (at.kind) {
    case ring::GroupKind::named:
      // plant: late_ack_is_a_store
      named_.emplace(at.memory, at.group, at.group_incarnation, at.owner, at.evictable);
      break;
    case ring::GroupKind::lossy: lossy_.emplace(at.memory, at.group, at.start, options.conflate); break;
    case ring::GroupKind::private_reliable:
      if (skip_empty_slots()) wake_for_room(floor());
      break;
  }
  read_settings(ring::Notice::of(at.memory.shared_status().notice.load_acquire()).epoch);
}

std::size_t ConsumerCore::read_run(std::span<Message> out) noexcept {
  if (inline_size_limit_ == 0 || guard_.in_child()) return 0;
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  for (View view; count < out.size() && view_next(view) == Next::in_slot; ++count) {
    std::construct_at(&out[count], Message(this, view.data, view.position, 0, view.size, view.producer,
                                           0));  // it holds nothing, as in fill()
    step();
    bytes += view.size;
  }
  if (count != 0) detail::add_pair(words_.messages, count, bytes);
  return count;
}

template <bool has_stamps>
ring::ReadResult ConsumerCore::read_private(std::span<Message> out, std::size_t& count) noexcept {
  if constexpr (has_stamps) refresh_settings();  // so that a changed ttl counts at once
  const ring::Position before = read();
  const std::uint64_t now_us = has_stamps ? stamp_clock_us() : 0;
  std::uint32_t skipped = 0;  // after a lap of them the caller checks its deadline
  ring::ReadResult result = ring::ReadResult::empty;
  while (count < out.size()) {
    if (const std::size_t taken = read_run(out.subspan(count)); taken != 0) [[likely]] {
      count += taken;
      continue;
    }
    ring::SlotView view;
    result = next(view);
    if (has_stamps && result == ring::ReadResult::message && is_too_old(view.position, now_us)) {
      release(view.position);
      result = ring::ReadResult::expired;
    }
    if (result != ring::ReadResult::message) [[unlikely]] {
      if (result != ring::ReadResult::corrupt && result != ring::ReadResult::expired) break;
      count_passed_over(result);
      if (++skipped < attachment_.memory.geometry.slots) continue;
      result = ring::ReadResult::again;
      break;
    }
    if constexpr (has_stamps) count_age(ring::load_stamp(attachment_.memory, view.position), now_us);
    fill(out[count++], view);
  }
  // What was skipped may have moved the floor.
  if (ring::wrap(before + count) != read()) [[unlikely]]
    wake_for_room(floor());
  return count != 0 ? ring::ReadResult::message : result;
}

template <bool has_stamps>
ring::ReadResult ConsumerCore::read_lossy(std::span<Message> out, std::size_t& count) {
  if constexpr (has_stamps) refresh_settings();  // so that a changed ttl counts at once
  ring::LossyReader& reader = *lossy_;
  reader.begin();
  const std::size_t most = reader.conflates() ? std::min<std::size_t>(out.size(), 1) : out.size();
  ring::ReadResult result = ring::ReadResult::empty;
  while (count < most) {
    ring::SlotView view;
    result = reader.next(view);
    counters_.lost = reader.lost();
    if (result == ring::ReadResult::corrupt || result == ring::ReadResult::expired) {
      count_passed_over(result);
      continue;
    }
    if (result != ring::ReadResult::message) break;
    ++copies_held_;
    fill(out[count++], view);
  }
  // The copies may have moved while they grew: point at them now that all are there.
  std::size_t offset = 0;
  for (Message& message : out.first(count)) {
    message.data_ = reader.data(offset);
    if constexpr (has_stamps) count_age(ring::LossyReader::stamp_of(message.data_), stamp_clock_us());
    const std::size_t properties = message.properties_bytes();
    message.data_ += properties;
    offset = ring::LossyReader::next_offset(offset, properties + message.size());
  }
  return count != 0 ? ring::ReadResult::message : result;
}

bool ConsumerCore::at_prefetch_limit() const noexcept { return named_ && ends_.held() >= prefetch_; }

template <bool has_stamps>
ring::ReadResult ConsumerCore::read_named(std::span<Message> out, std::size_t& count) noexcept {
  if constexpr (has_stamps) refresh_settings();  // so that a changed ttl counts at once
  ring::NamedReader& reader = *named_;
  ring::ReadResult result = ring::ReadResult::empty;
  [[maybe_unused]] std::size_t passed_over = 0;  // after a lap of them the caller checks its deadline
  while (count < out.size()) {
    const std::uint64_t credit = prefetch_ - ends_.held();
    ring::SlotView views[ring::k_lease_batch];
    std::size_t leased = 0;
    const std::size_t wanted = std::min({out.size() - count, ring::k_lease_batch, static_cast<std::size_t>(credit)});
    if (wanted == 0) break;
    const std::uint64_t corrupt_before = counters_.corrupt;
    const std::uint64_t timed_out_before = reader.timed_out();
    result = reader.lease(views, wanted, leased, counters_.corrupt);
    if (counters_.corrupt != corrupt_before || reader.timed_out() != timed_out_before) store_counters();
    if (!reader.put_aside().empty()) [[unlikely]]
      result = read_past_put_aside({views, wanted}, leased, result);
    if (result != ring::ReadResult::message) break;
    // plant: late_lease_is_kept
    if (is_evicted()) {  // the daemon may have taken our leases away before these
      reader.give_back(views, leased);
      hand_wake_on();
      return ring::ReadResult::empty;
    }
    if constexpr (has_stamps) {
      passed_over += leased;
      leased = pass_over_old({views, leased});
      passed_over -= leased;
      if (leased == 0) {
        result = ring::ReadResult::again;
        if (passed_over < attachment_.memory.geometry.slots) continue;
        break;
      }
    }
    ends_.took(leased);
    std::uint64_t bytes = 0;
    std::uint64_t redelivered = 0;
    Message* to = &out[count];  // counted here: the compiler must assume that a message lies over `count` or `leased`
    for (const ring::SlotView& view : std::span(views, leased)) {
      make_message(*to++, view);
      bytes += view.size;
      redelivered += view.tries != 0 ? 1 : 0;
    }
    count += leased;
    detail::add_pair(words_.messages, leased, bytes);
    counters_.redelivered += redelivered;
    if (redelivered != 0 || views[leased - 1].position % detail::k_positions_per_counter_store < leased) [[unlikely]] {
      refresh_settings();
      store_counters();
    }
    if (leased < wanted) break;
  }
  if (count == 0) return result;
  wake_next_consumer(reader);
  return ring::ReadResult::message;
}

bool ConsumerCore::try_lease_next(ring::SlotView& view) noexcept {
  if (fast_named_reader_ == nullptr) return false;
  ends_.own();
  if (ends_.held() >= prefetch_) [[unlikely]]
    return false;
  if (!fast_named_reader_->try_lease_next(view, counters_.corrupt)) {
    if (counters_.corrupt != words_.corrupt.load_relaxed()) store_counters();
    if (!fast_named_reader_->put_aside().empty()) [[unlikely]]
      end_put_aside();
    return false;
  }
  ends_.took(1);
  wake_next_consumer(*fast_named_reader_);
  return true;
}

void ConsumerCore::wake_next_consumer(const ring::NamedReader& reader) noexcept {
  // Two messages may have woken one sleeper only.
  // plant: no_chain
  if (attachment_.memory.shared_status().consumer_sleepers.load_relaxed() != 0 && reader.may_have_more()) [[unlikely]] {
    hand_wake_on();
  }
}

template <bool has_stamps>
ConsumerCore::Read ConsumerCore::read_of(ring::GroupKind kind) noexcept {
  switch (kind) {
    case ring::GroupKind::private_reliable: return &ConsumerCore::read_private<has_stamps>;
    case ring::GroupKind::named: return &ConsumerCore::read_named<has_stamps>;
    case ring::GroupKind::lossy: break;
  }
  return &ConsumerCore::read_lossy<has_stamps>;
}

void ConsumerCore::read_stamping() noexcept {
  const ring::QueueMemory& memory = attachment_.memory;
  const ring::Stamping stamping = ring::load_stamping(memory);
  stamps_ = ring::stamps_of(stamping);
  [[maybe_unused]] const auto times = ring::GroupTimes::of(memory.group(attachment_.group).times.load_relaxed());
  // plant: ttl_of_the_group_is_ignored
  const std::uint32_t ttl_ms = named_ ? times.ttl_ms : stamping.ttl_ms;
  ttl_us_ = std::uint64_t{1000} * ttl_ms;
  if (lossy_) lossy_->expire_after(ttl_us_, stamps_);
  plain_read_ = stamps_ == Stamps::off ? read_of<false>(attachment_.kind) : read_of<true>(attachment_.kind);
}

ring::ReadResult ConsumerCore::read_available(std::span<Message> out, std::size_t& count) {
  ring::ReadResult result = ring::ReadResult::again;
  for (unsigned turn = 0; turn < ring::k_max_reads && result == ring::ReadResult::again; ++turn) {
    result = (this->*read_kind_)(out, count);
  }
  return result;
}

Status ConsumerCore::take(std::span<Message> out, std::size_t& count) {
  count = 0;
  if (out.empty()) return Status::ok;
  if (is_evicted()) return Status::evicted;
  if (named_) ends_.own();
  if (at_prefetch_limit()) return is_removed() ? Status::removed : Status::prefetch_limit;
  if (read_available(out, count) == ring::ReadResult::message) [[likely]]
    return Status::ok;
  return why_empty(out, count);
}

bool ConsumerCore::all_delivered() const noexcept { return !named_ || named_->all_ours_or_done(); }

Status ConsumerCore::why_empty(std::span<Message> out, std::size_t& count) {
  const detail::SingleUse<InlineReceiver> use(*this);
  const ring::SharedStatus& shared_status = attachment_.memory.shared_status();
  const ring::Notice notice = ring::Notice::of(shared_status.notice.load_acquire());
  waiter_.set_symmetric((notice.flags & ring::k_notice_symmetric) != 0);
  if ((notice.flags & ring::k_notice_removed) != 0 || attachment_.standing.is_lost(notice)) return Status::removed;
  if ((ring::Identity::of(endpoint_.identity.load_acquire()).flags & ring::k_endpoint_evicted) != 0)
    return Status::evicted;
  if (named_ && named_->is_gone()) return Status::removed;
  refresh_settings(notice);
  say_swaps();
  if (is_private() && restore_floor()) [[unlikely]]
    wake_for_room(floor());
  if (end_of_stream_ == EndOfStream::never) return Status::empty;
  // In this order: the daemon sets a producer's live bit before it counts it among those that ever were, and clears it
  // after its last message was repaired. Pair with its releases.
  if (!had_producers() || shared_status.live_producers.load_acquire() != 0) return Status::empty;
  // It may have published between our result and its end.
  // plant: end_of_stream_without_a_last_poll
  if (read_available(out, count) == ring::ReadResult::message) return Status::ok;
  return all_delivered() ? Status::end_of_stream : Status::empty;
}

Result<Message> ConsumerCore::received_seldom(const ring::SlotView& view) noexcept {
  refresh_settings();
  count(view);
  return Result<Message>(message(view));
}

Result<Message> ConsumerCore::try_receive() {
  check_fork();
  ring::SlotView view;
  if (try_next(view)) return received(view);
  Message message;
  std::size_t count = 0;
  const Status status = try_take({&message, 1}, count);
  if (status != Status::ok) return status;
  return message;
}

Result<std::size_t> ConsumerCore::try_receive_batch(std::span<Message> out) {
  const detail::SingleUse<InlineReceiver> use(*this);
  check_fork();
  release_all(out);
  std::size_t count = 0;
  const Status status = try_take(out, count);
  if (status != Status::ok) return status;
  return count;
}

ConsumerCounters ConsumerCore::own_counters() const noexcept {
  ConsumerCounters counters = counters_;
  counters.messages = words_.messages.load_relaxed();
  counters.bytes = words_.bytes.load_relaxed();
  counters.nacks = nacks_.load(std::memory_order_relaxed);
  counters.acks = acks_of(ends_.ended());
  counters.wakes = wakes_.load(std::memory_order_relaxed);
  counters.sleeps = waiter_.sleeps();
  counters.rescued = waiter_.rescued();
  counters.needless_wakes = waiter_.needless();
  counters.blocked_ns = waiter_.blocked_ns();
  counters.dead_lettered = dead_lettered_.load(std::memory_order_relaxed);
  counters.failed_moves = failed_moves_.load(std::memory_order_relaxed);
  if (!named_) return counters;
  counters.wakes += named_->woken();
  counters.discarded = named_->discarded();
  counters.timed_out = named_->timed_out();
  return counters;
}

ConsumerCounters ConsumerCore::counters() const {
  check_fork();
  return own_counters();
}

void ConsumerCore::store_counters() noexcept {
  counters_.last_progress_ns = os::coarse_now_ns();
  ring::store_counters(endpoint_.counters, own_counters());
}

}  // namespace beltway::endpoint

namespace beltway::detail {

void report_two_threads(const InlineReceiver& consumer) {
  if (consumer.guard_.in_child()) return;
  throw Error(Errc::misuse,
              "receive from \"" + static_cast<const endpoint::ConsumerCore&>(consumer).queue_name() +
                  "\": two threads used one Consumer at once; give each thread a Consumer of its own, or hand it "
                  "on under a lock or a strand");
}

}  // namespace beltway::detail

namespace beltway::endpoint {

void ConsumerCore::throw_forked() const {
  throw Error(Errc::forked, "receive from \"" + queue_name() +
                                "\": this consumer was made before fork(); open a connection in the child");
}

}  // namespace beltway::endpoint
