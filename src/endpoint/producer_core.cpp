// See producer_core.hpp.
#include "endpoint/producer_core.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <string>

#include "beltway/error.hpp"
#include "ring/counters.hpp"
#include "ring/drop_oldest.hpp"
#include "ring/parking.hpp"
#include "ring/tuning.hpp"

namespace beltway::endpoint {

ProducerCore::ProducerCore(Attachment attachment, const ProducerOptions& options)
    : ring::Claimer(attachment.memory, attachment.owner),
      attachment_(std::move(attachment)),
      sequence_record_(attachment_.sequence_record ? &attachment_.memory.sequence_record(*attachment_.sequence_record)
                                                   : nullptr),
      inline_bytes_(attachment_.memory.geometry.inline_bytes()),
      lane_(*this),
      waiter_(attachment_.memory, attachment_.owner, options.wait),
      endpoint_(attachment_.memory.endpoint(attachment_.owner)),
      unread_before_(ring::count_unread(attachment_.memory)) {
  ring::store_counters(endpoint_.counters, counters_);
  store_published();
  scan_unpassed_acks(false);
  choose_path();
}

ProducerCore::~ProducerCore() {
  if (guard_.in_child()) return;
  waiter_.silence();
  leave_line();
  store_counters();
}

std::size_t ProducerCore::max_message_bytes() const noexcept {
  const ring::Geometry& geometry = attachment_.memory.geometry;
  const std::uint64_t lane = geometry.lane_bytes < k_max_message_bytes ? geometry.lane_bytes : k_max_message_bytes;
  return lane > inline_bytes_ ? lane : inline_bytes_;
}

Status ProducerCore::take_notice() noexcept {
  const ring::Notice notice = accept_notice();
  if (void_lost_claims()) ring::wake_all_sleepers(attachment_.memory);
  waiter_.set_symmetric((notice.flags & ring::k_notice_symmetric) != 0);
  choose_path();
  if ((notice.flags & ring::k_notice_removed) != 0) return Status::removed;
  if (attachment_.standing.is_lost(notice)) {
    leave_notice();
    return Status::removed;
  }
  if ((ring::Identity::of(endpoint_.identity.load_acquire()).flags & ring::k_endpoint_evicted) != 0)
    return Status::evicted;
  return Status::ok;
}

Status ProducerCore::put_reference(std::uint64_t record, std::size_t size, std::size_t block_bytes) noexcept {
  if (const Status status = take_news(); status != Status::ok) return status;
  return status_of(try_put_reference<ProducerCore>(record, size, block_bytes));
}

void ProducerCore::touch_pages(const Bytes& source) const noexcept {
  if (is_too_large(source.size())) return;
  detail::touch_ends(source);
  const volatile std::byte* const data = source.data();
  for (std::size_t at = detail::k_page_bytes; at < source.size(); at += detail::k_page_bytes)
    static_cast<void>(data[at]);
}

Status ProducerCore::put_copy(Bytes message) {
  touch(message);
  return put(message.size(), detail::CopyOf{message});
}

Status ProducerCore::put_loan(const std::byte* data, std::uint64_t record, std::size_t size,
                              std::size_t block_bytes) noexcept {
  const Bytes message(data - block_bytes, size + block_bytes);
  if (message.size() > inline_bytes_) return put_reference(record, size, block_bytes);
  touch(message);
  const Status status = put(size, detail::CopyOf{message}, block_bytes);
  if (status == Status::ok) lane_.drop(record);
  return status;
}

Status ProducerCore::put_batch(std::span<const Bytes> messages, std::size_t& done) {
  InlinePublisher& inline_ring = *this;
  const std::size_t before = done;
  Status status = Status::ok;
  for (const Bytes& message : messages.subspan(done)) {
    const std::size_t size = message.size();
    bool published = false;
    if (size < inline_size_limit_) [[likely]] {
      detail::touch_ends(message);
      published = detail::try_put(inline_ring, size, 0, detail::CopyOf{message}) == detail::Claim::ok;
    }
    if (!published) [[unlikely]] {
      status = put_copy(message);
      if (status != Status::ok) break;
    }
    ++done;
  }
  if (last() % detail::k_positions_per_counter_store < done - before) store_counters();
  if (done != before && status != Status::ok) announce();
  return status;
}

}  // namespace beltway::endpoint

namespace beltway::detail {

void InlinePublisher::void_claim(std::size_t size) noexcept {
  bytes_ -= size;  // the claim has counted it
  static_cast<endpoint::ProducerCore*>(this)->void_claim(size);
}

}  // namespace beltway::detail

namespace beltway::endpoint {

void ProducerCore::void_claim(std::size_t size) noexcept {
  Claimer::void_claim(size);
  announce();
  // A group's floor may stand right before the VOID while none of its consumers polls: a producer that waits for room must help
  // it.
  // plant: void_wakes_no_sleeper
  ring::wake_all_sleepers(attachment_.memory);
}

void ProducerCore::choose_path() noexcept {
  stamps_ = ring::stamps_of(ring::load_stamping(attachment_.memory));
  const bool plain = attachment_.memory.geometry.single_producer() && detail::has_atomic_pair_store() &&
                     !waiter_.symmetric() && !waiter_.event_mode() && stamps_ == Stamps::off;
  inline_size_limit_ = plain ? std::min(inline_bytes_, detail::k_page_bytes) + 1 : 0;
  slot_size_limit_ = stamps_ == Stamps::off ? inline_bytes_ + 1 : 0;
  set_pending_sequence(pending_sequence_);
}

int ProducerCore::poll_fd() {
  const int fd = waiter_.enable_events(os::EventSet::Timer::none, "poll_fd of a producer of \"" + queue_name() + "\"");
  choose_path();
  return fd;
}

void ProducerCore::follow_up() noexcept {
  if (ring::has_sleepers(attachment_.memory))
    counters_.wakes += ring::wake_for_message(attachment_.memory, attachment_.owner);
  store_counters();
}

Status ProducerCore::run_try_slowly(Status status, Attempt attempt) {
  const detail::SingleUse<InlinePublisher> use(*this);
  const ResetScanOnExit quick{*this};
  scan_unpassed_acks(true);
  if (status == Status::full) status = attempt();
  if (waiter_.event_mode()) {
    if (status == Status::full) found_full(os::now_ns());
    update_line(status);
    const auto poll = [&] { return (status = attempt()) != Status::full; };
    const auto never = [] { return waiting::Waiter::k_never; };
    waiter_.after_try(status != Status::full, poll, [this] { arm(); }, never, [] {});
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

Status ProducerCore::wait(Status status, const Until& until, Attempt attempt) {
  const detail::SingleUse<InlinePublisher> use(*this);
  const ResetScanOnExit quick{*this};
  // It would go to sleep at once.
  if (status == Status::full && !waiter_.spins()) {
    scan_unpassed_acks(true);
    status = attempt();
  }
  // What only our own open loans hold will not come free while we wait.
  if (status == Status::full && full_reason_ != FullReason::loans) status = wait_for_room(until, attempt);
  if (status == Status::ok) {
    announce();
  } else {
    ++counters_.refused;
  }
  store_counters();
  return status;
}

Status ProducerCore::wait_for_room(const Until& until, Attempt attempt) {
  Status status = Status::full;
  found_full(os::now_ns());
  update_line(status);
  unsigned polls = 0;
  const auto poll = [&] {
    const bool often = ++polls % ring::k_polls_per_ack_scan != 0 && !waiter_.is_yielding();
    const bool sleeps = !waiter_.spins() || waiter_.line().armed();
    scan_unpassed_acks(!often || sleeps);
    leave_parking_to_consumers(!sleeps);
    return (status = attempt_in_turn(until, attempt)) != Status::full || full_reason_ == FullReason::loans;
  };
  const auto wait_until = [&](const Until& end) { return waiter_.wait(end, poll, [this] { arm(); }, [] {}); };
  waiting::Waiter::Ended ended = wait_until(while_the_pace_holds(until));
  if (ended == waiting::Waiter::Ended::timeout && !until.is_over()) {
    forget_pace();
    ended = wait_until(until);
  }
  switch (ended) {
    case waiting::Waiter::Ended::found: break;
    case waiting::Waiter::Ended::stopped: return Status::stopped;
    case waiting::Waiter::Ended::interrupted: return Status::interrupted;
    case waiting::Waiter::Ended::timeout:
      scan_unpassed_acks(true);
      status = attempt();
      if (status == Status::full) return Status::timeout;
  }
  return status;
}

Status ProducerCore::attempt_in_turn(const Until& until, Attempt attempt) {
  for (;;) {
    const Status status = attempt();
    update_line(status);
    if (status != Status::full || full_reason_ != FullReason::turn || until.is_over()) return status;
    os::give_way();
  }
}

void ProducerCore::update_line(Status status) noexcept {
  if (attachment_.memory.geometry.single_producer()) return;
  if (status == Status::full && full_reason_ != FullReason::lane && full_reason_ != FullReason::loans) {
    ticket().take(!waiter_.event_mode());
  } else if (status != Status::ok) {
    leave_line();  // it waits for its lane, or not any more
  } else {
    ticket().give_back();
  }
}

Until ProducerCore::while_the_pace_holds(const Until& until) const noexcept {
  if (full_reason_ == FullReason::lane || !waits_for_several()) return until;
  const Until::Clock::time_point end{std::chrono::nanoseconds(os::now_ns() + ring::k_pace_holds_ns)};
  return until.deadline() && *until.deadline() < end ? until : Until(end, until.stop());
}

void ProducerCore::leave_line() noexcept {
  if (!ticket().is_held()) return;
  ticket().give_back();
  // The wake that was for us, or the room that was left to us, is for the next one now.
  // plant: leaving_the_line_wakes_no_producer
  counters_.wakes += ring::wake_first_for_room(attachment_.memory, producer());
}

void ProducerCore::arm() noexcept {
  store_counters();  // a reader of a sleeper's counters sees its present state
  // A message that is being written may be the one that a group drops for us.
  const bool claim_end = full_reason_ == FullReason::busy || ring::has_dropping_group(attachment_.memory);
  const std::uint64_t events =
      (claim_end ? ring::k_wake_at_claim_end : 0) |
      (ring::is_any_marked(attachment_.memory) || lane_.has_parked() ? ring::k_wake_at_parked_end : 0);
  if (full_reason_ == FullReason::lane) return waiter_.line().arm(waiter_.symmetric(), lane_.wake_past(), events);
  // A producer that leaves the line while we count it does not see us asleep: count again behind the barrier of arm().
  for (unsigned ahead = ticket().ahead_in_calls();;) {
    waiter_.line().arm(waiter_.symmetric(), wake_past(ahead), events);
    const unsigned again = ticket().ahead_in_calls();
    // plant: producer_that_leaves_the_line_is_counted
    if (again >= ahead) return;
    ahead = again;
  }
}

ProducerCounters ProducerCore::own_counters() const noexcept {
  ProducerCounters counters = counters_;
  counters.messages = published().messages;
  counters.bytes = published().bytes;
  counters.sleeps = waiter_.sleeps();
  counters.rescued = waiter_.rescued();
  counters.needless_wakes = waiter_.needless();
  counters.blocked_ns = waiter_.blocked_ns();
  counters.high_water = high_water();
  return counters;
}

ProducerCounters ProducerCore::counters() const {
  refuse_in_child();
  ProducerCounters counters = own_counters();
  const std::uint64_t unread = ring::count_unread(attachment_.memory);
  counters.unread = unread > unread_before_ ? unread - unread_before_ : 0;  // a peer may write the words
  return counters;
}

void ProducerCore::store_counters() noexcept {
  counters_.last_progress_ns = os::coarse_now_ns();
  ring::store_counters(endpoint_.counters, own_counters());
  store_published();
}

}  // namespace beltway::endpoint

namespace beltway::detail {

void report_two_threads(const InlinePublisher& producer) {
  if (producer.guard_.in_child()) return;
  throw Error(Errc::misuse, "publish to \"" + static_cast<const endpoint::ProducerCore&>(producer).queue_name() +
                                "\": two threads used one Producer at once; give each thread a Producer of its own, or "
                                "hand it on under a lock or a strand");
}

}  // namespace beltway::detail

namespace beltway::endpoint {

bool ProducerCore::is_duplicate(std::uint64_t sequence) const {
  refuse_in_child();
  if (sequence_record_ == nullptr) throw_unnamed();
  return sequence <= last_sequence();
}

void ProducerCore::throw_unnamed() const {
  throw Error(Errc::misuse, "publish to \"" + queue_name() +
                                "\": a sequence number needs a named producer; attach with ProducerOptions::name");
}

void ProducerCore::throw_forked() const {
  throw Error(Errc::forked, "publish to \"" + queue_name() +
                                "\": this producer was made before fork(); open a connection in the child");
}

void ProducerCore::throw_status(Status status, std::size_t size, Wanted wanted) const {
  const bool loan = wanted == Wanted::loan;
  const std::string operation = (loan ? "loan from \"" : "publish to \"") + queue_name() + "\": ";
  switch (status) {
    case Status::removed:
      throw Error(Errc::removed, operation + "the queue was removed, or its daemon ended; declare it again");
    case Status::evicted:
      throw Error(Errc::evicted, operation + "this producer was thrown out by the queue's owner; attach again");
    case Status::too_large:
      throw Error(Errc::too_large, operation + std::to_string(size) + " bytes, but the largest " +
                                       (loan ? "loan is " + std::to_string(attachment_.memory.geometry.lane_bytes)
                                             : "message is " + std::to_string(max_message_bytes())) +
                                       "; declare the queue with larger lane_bytes");
    case Status::full:
      throw Error(Errc::limit_reached, operation + std::to_string(size) +
                                           " bytes, but this producer's own open loans hold the lane; commit or drop "
                                           "them, or declare the queue with larger lane_bytes");
    case Status::interrupted:
      throw Error(Errc::interrupted,
                  operation +
                      "interrupt() was called, or a signal came, while it waited for room; it was not "
                      "published: call again, or end");
    default: throw Error(Errc::misuse, operation + std::string(to_string(status)));
  }
}

}  // namespace beltway::endpoint
