// Delayed messages, and messages that are given up. See named_reader.hpp and ring/redelivery.hpp.
#include "ring/readers/named_reader.hpp"

#include <algorithm>
#include <cassert>

#include "ring/tuning.hpp"

namespace beltway::ring {

ReadResult NamedReader::lease(SlotView* views, std::size_t count, std::size_t& leased,
                              std::uint64_t& corrupt) noexcept {
  if (lease_timeout_us_ != 0) [[unlikely]]
    return lease_for_a_time(views, count, leased, corrupt);
  return lease_any(views, count, leased, corrupt);
}

ReadResult NamedReader::lease_any(SlotView* views, std::size_t count, std::size_t& leased,
                                  std::uint64_t& corrupt) noexcept {
  found_delayed_ = false;
  if (!has_delayed()) [[likely]]
    return lease_ready(views, count, leased, corrupt);
  return lease_mixed({views, count}, leased, corrupt);
}

bool NamedReader::delayed_go_first(std::uint64_t now_us) const noexcept {
  const std::uint64_t due_us = EarliestDue::of(shared_.earliest_due.load_relaxed()).due_us;
  const std::uint64_t patience_us = due_us == k_at_once_us ? 0 : k_retry_patience_us;
  return !ready_turn_ && due_us != 0 && is_due(due_us + patience_us, now_us);
}

ReadResult NamedReader::lease_mixed(std::span<SlotView> views, std::size_t& leased, std::uint64_t& corrupt) noexcept {
  leased = 0;
  const std::uint64_t now = now_us();
  const bool first = delayed_go_first(now);
  // Half of a batch; of single messages each second one.
  if (first) leased = lease_due(views.first((views.size() + 1) / 2), now, corrupt);
  found_delayed_ = leased != 0;
  ready_turn_ = leased == views.size();
  if (ready_turn_) return ReadResult::message;
  std::size_t ready = 0;
  const std::span<SlotView> rest = views.subspan(leased);
  const ReadResult result = lease_ready(rest.data(), rest.size(), ready, corrupt);
  leased += ready;
  if (leased < views.size() && is_due(earliest_due_us(), now)) {
    const std::size_t delayed = lease_due(views.subspan(leased), now, corrupt);
    leased += delayed;
    found_delayed_ = found_delayed_ || delayed != 0;
  }
  return leased != 0 ? ReadResult::message : result;
}

std::size_t NamedReader::lease_due(std::span<SlotView> views, std::uint64_t now_us, std::uint64_t& corrupt) noexcept {
  if (!is_active()) return 0;
  std::size_t leased = 0;
  for (bool scanned = false; leased < views.size();) {
    if (is_put_aside_full()) break;
    if (due_.empty()) {
      if (scanned) break;
      due_.find(now_us);
      scanned = true;
      continue;
    }
    const std::uint64_t seen = due_.take();
    if (keeps_ != 0 && drop_if_old(seen)) continue;
    if (try_lease_delayed(seen, views[leased], corrupt)) ++leased;
  }
  due_.store_rest();
  if (leased == 0 || is_active()) return leased;
  give_back(views.data(), leased);  // as in lease_ready()
  return 0;
}

NamedReader::Delayed NamedReader::delay(Position position, std::uint8_t tries, std::uint64_t delay_us) noexcept {
  const std::uint8_t more = one_try_more(tries);
  return delay_until(position, tries, {now_us() + delay_us, owner_, more});
}

NamedReader::Delayed NamedReader::delay_move(Position position, std::uint8_t tries, unsigned deliveries,
                                             std::uint64_t delay_us, FailReason reason) noexcept {
  const auto counted = static_cast<std::uint8_t>(std::min<unsigned>(deliveries, k_max_tries));
  // plant: reason_is_lost
  return delay_until(position, tries, {now_us() + delay_us, owner_, counted, reason});
}

NamedReader::Delayed NamedReader::delay_until(Position position, std::uint8_t tries, LeaseTime time) noexcept {
  Word& word = lease_of(position);
  const std::uint64_t leased = Lease{position, owner_, tries, LeasePhase::leased}.word();
  const std::uint64_t parked = Lease{position, owner_, tries, LeasePhase::parked}.word();
  // Before DELAYED, so that a scan that sees DELAYED sees this time. If the daemon takes our lease away in between, the time
  // bears other tries than the lease word and does not count.
  if (!store_due_time(memory_, group_, Lease::of(leased), position, time)) return Delayed::not_ours;
  if (!word.compare_and_swap(leased, Lease{position, owner_, time.tries, LeasePhase::delayed}.word()) &&
      !word.compare_and_swap(parked, Lease{position, owner_, time.tries, LeasePhase::parked_delayed}.word())) {
    return Delayed::not_ours;
  }
  // plant: due_time_is_written_over
  keep_due_time(memory_, group_, position, time);
  // plant: nack_brings_no_time_forward
  const bool first = bring_forward(memory_, group_, time.due_us);
  return first ? Delayed::first_of_all : Delayed::later;
}

bool NamedReader::discard(Position position, std::uint8_t tries) noexcept {
  if (!ack(position, tries)) return false;
  count_discarded();
  return true;
}

bool NamedReader::put_aside_if_failed(const SlotView& view, FailReason reason) noexcept {
  if (reason == FailReason::none && is_spent(view.tries)) reason = FailReason::too_many_deliveries;
  // A group that says no more what becomes of such messages delivers them again.
  if (reason == FailReason::none || !redelivery().gives_up()) return false;
  put_aside(view, reason);
  // plant: delayed_for_a_move_is_delivered
  return true;
}

void NamedReader::put_aside(const SlotView& view, FailReason reason) noexcept {
  assert(!is_put_aside_full());
  put_aside_[put_aside_count_++] = {view, reason};
}

}  // namespace beltway::ring
