// Options of a group that its owner may change while the consumer is attached. See consumer_core.hpp.
//
// The daemon stores the words of the options, then posts a notice with a new epoch, then wakes all sleepers. A consumer that sees
// the epoch sees the words.
#include <utility>

#include "endpoint/consumer_core.hpp"
#include "ring/drop_oldest.hpp"

namespace beltway::endpoint {

void ConsumerCore::read_settings(std::uint32_t epoch) noexcept {
  settings_epoch_ = epoch;
  if (named_) named_->refresh_lease_timeout();
  say_swaps();
  if (std::exchange(settings_are_read_, true) && attachment_.dead_letters) attachment_.dead_letters->refresh();
  if (named_) {
    keeps_ = ring::kept_by(attachment_.memory.group(attachment_.group));
    named_->keep_newest(keeps_);
  }
  read_stamping();
  choose_path();
}

void ConsumerCore::say_swaps() noexcept {
  // Another thread may be about to end a message that we hold by a store.
  // plant: holder_says_that_it_swaps
  if (named_ && named_->must_say_swaps() && ends_.held() == 0) named_->say_swaps();
}

void ConsumerCore::choose_path() noexcept {
  read_kind_ = is_after_gap_ ? &ConsumerCore::read_after_gap : keeps_ != 0 ? &ConsumerCore::read_newest : plain_read_;
  const bool open = !attachment_.evictable && !waiter_.event_mode() && keeps_ == 0 && stamps_ == Stamps::off;
  fast_named_reader_ = named_ && open ? &*named_ : nullptr;
  // In a named group other threads may end messages, and read it: there it stays 0.
  if (!is_private()) return;
  inline_size_limit_ = 0;
  // plant: thrown_out_reads_in_place
  if (open && !is_after_gap_) inline_size_limit_ = attachment_.memory.geometry.inline_bytes() + 1;
}

ring::ReadResult ConsumerCore::read_newest(std::span<Message> out, std::size_t& count) noexcept {
  const std::size_t before = count;
  named_->drop_old();
  const ring::ReadResult result = (this->*plain_read_)(out, count);
  if (const std::uint64_t dropped = named_->dropped(); dropped != counters_.lost) {
    counters_.lost = dropped;
    store_counters();
  }
  if (count != before) out[before].lost_ = named_->lost_since_last();
  return result;
}

}  // namespace beltway::endpoint
