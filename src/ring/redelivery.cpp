// See redelivery.hpp.
#include "ring/redelivery.hpp"

#include <algorithm>
#include <optional>

#include "os/kernel.hpp"

namespace beltway::ring {

namespace {

constexpr std::uint64_t k_max_delay_us = static_cast<std::uint64_t>(k_max_retry_delay_ms) * 1000;

/// 0 says that no message is delayed.
constexpr std::uint64_t stored(std::uint64_t due_us) noexcept { return std::max(due_us, k_at_once_us); }

/// When the message of a lease word is due, in us. Nothing: the word names no delayed message that is there.
std::optional<std::uint64_t> due_time(const QueueMemory& memory, unsigned group, const Word& word, std::uint64_t seen,
                                      Position floor) noexcept {
  const Lease lease = Lease::of(seen);
  if (!is_delayed(lease)) return std::nullopt;
  const Position position = widen<Lease::bits>(lease.position, floor);
  // A peer may have written any word: believe only what the floor and the slot agree to. Of a parked message the consumer that
  // leases it looks at the slot.
  if (&memory.lease(group, position) != &word) return std::nullopt;
  if (lease.phase == LeasePhase::delayed &&
      (distance(position, floor) < 0 || !SlotState::is_ready(memory.slot(position).state.load_acquire(), position))) {
    return std::nullopt;
  }
  const std::uint64_t time_word = memory.lease_time(group, position).load_relaxed();
  // The consumer that delayed it is about to store its time again: see keep_due_time().
  if (const LeaseEnd end = LeaseEnd::of(time_word); end.is_of(lease.owner)) return end.due_us;
  const LeaseTime time = LeaseTime::of(time_word);
  if (time.owner != lease.owner || time.tries != lease.tries) return 0;
  return time.due_us;
}

struct Delayed {
  std::uint64_t lease_word;
  std::uint64_t due_us;
};

/// The delayed message of a lease word, if there is one.
std::optional<Delayed> find_delayed(const QueueMemory& memory, unsigned group, std::uint32_t index,
                                    Position floor) noexcept {
  const Word& word = memory.lease(group, index);
  // Pairs with the swap of a nack: who sees DELAYED sees its lease time.
  std::uint64_t seen = word.load_acquire();
  if (!is_delayed(Lease::of(seen))) return std::nullopt;
  std::optional<std::uint64_t> due_us = due_time(memory, group, word, seen, floor);
  // plant: slot_of_a_parked_message_is_believed
  if (!due_us) {
    // A producer may have parked it after the load above, and gone on with its slot.
    seen = word.load_acquire();
    due_us = due_time(memory, group, word, seen, floor);
  }
  if (!due_us) return std::nullopt;
  return Delayed{seen, *due_us};
}

}  // namespace

std::uint64_t now_us() noexcept { return os::now_ns() / 1000; }

std::uint64_t retry_delay_us(Redelivery redelivery, std::uint8_t tries) noexcept {
  // The daemon writes numbers within their limits. A peer may have written others.
  const std::uint64_t most_ms =
      std::min<std::uint64_t>(redelivery.max_delay_ms, static_cast<std::uint64_t>(k_max_retry_delay_ms));
  constexpr unsigned k_doublings = Redelivery::k_delay_bits;  // more of them exceed every limit
  return std::min(std::uint64_t{redelivery.delay_ms} << std::min<unsigned>(tries, k_doublings), most_ms) * 1000;
}

bool is_due(std::uint64_t due_us, std::uint64_t now_us) noexcept {
  return due_us <= std::max(now_us, k_at_once_us) || due_us - now_us > k_max_delay_us;
}

bool bring_forward(const QueueMemory& memory, unsigned group, std::uint64_t due_us) noexcept {
  Word& word = memory.group(group).earliest_due;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    const EarliestDue before = EarliestDue::of(seen);
    const bool earlier = before.due_us == 0 || due_us < before.due_us;
    const EarliestDue after{earlier ? stored(due_us) : before.due_us, static_cast<std::uint16_t>(before.version + 1)};
    // plant: nack_without_a_version
    if (word.compare_and_swap(seen, after.word())) return earlier;
  }
  // A peer that writes the word without end must not hide the message: the next scan finds it, and stores the right time.
  word.store_release(
      EarliestDue{k_at_once_us, static_cast<std::uint16_t>(EarliestDue::of(word.load_acquire()).version + 1)}.word());
  return true;
}

void restore_earliest_due(const QueueMemory& memory, unsigned group) noexcept {
  const GroupBlock& block = memory.group(group);
  const Position floor = wrap(block.floor.load_acquire());
  std::optional<std::uint64_t> first;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const std::optional<Delayed> delayed = find_delayed(memory, group, i, floor);
    if (delayed && (!first || delayed->due_us < *first)) first = delayed->due_us;
  }
  // Also if the time is right: a scan may have passed the word of a consumer that died before it raised the version.
  // plant: the_right_time_is_left_alone
  if (first.has_value()) bring_forward(memory, group, *first);
}

FailReason reason_of(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept {
  if (!is_delayed(lease)) return FailReason::none;
  const LeaseTime time = LeaseTime::of(memory.lease_time(group, position).load_relaxed());
  if (time.owner != lease.owner || time.tries != lease.tries || time.reason > FailReason::lease_over)
    return FailReason::none;
  return time.reason;
}

void DueMessages::find(std::uint64_t now_us) noexcept {
  seen_ = shared_.earliest_due.load_acquire();
  next_ = count_ = 0;
  later_us_ = k_never;
  const Position floor = wrap(shared_.floor.load_acquire());
  const std::uint32_t first = scan_from_;
  for (std::uint32_t i = 0; i < memory_.geometry.slots; ++i) {
    const std::optional<Delayed> delayed = find_delayed(memory_, group_, first + i, floor);
    if (!delayed) continue;
    if (!is_due(delayed->due_us, now_us) || count_ == found_.size()) {
      later_us_ = std::min(later_us_, delayed->due_us);
      continue;
    }
    found_[count_++] = {delayed->lease_word, delayed->due_us};
    scan_from_ = (first + i + 1) & static_cast<std::uint32_t>(memory_.mask());
  }
}

void DueMessages::store_rest() noexcept {
  std::uint64_t rest_us = later_us_;
  for (std::size_t i = next_; i < count_; ++i) rest_us = std::min(rest_us, found_[i].due_us);
  rest_us = rest_us == k_never ? 0 : stored(rest_us);
  const EarliestDue before = EarliestDue::of(seen_);
  if (before.due_us == rest_us) return;
  const std::uint64_t after = EarliestDue{rest_us, static_cast<std::uint16_t>(before.version + 1)}.word();
  // plant: rest_is_stored_without_a_look
  if (shared_.earliest_due.compare_and_swap(seen_, after)) seen_ = after;
}

void set_next_back(const QueueMemory& memory, unsigned index, Position position) noexcept {
  GroupBlock& group = memory.group(index);
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = group.next.load_acquire();
    const Next next = Next::of(seen);
    const bool earlier = distance<Next::bits>(next.position, position) < 0;
    const Next back{earlier ? next.position : position, next.version + 1};
    // plant: no_bump_when_earlier, no_bump_when_equal, no_version_on_next
    if (group.next.compare_and_swap(seen, back.word())) return;
  }
}

}  // namespace beltway::ring
