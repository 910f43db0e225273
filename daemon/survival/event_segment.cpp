// See event_segment.hpp.
#include "survival/event_segment.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "beltway/detail/atomics.hpp"
#include "beltway/error.hpp"

namespace beltway::daemon {
namespace {

constexpr std::uint64_t k_event_magic = 0x0a73746e'65766562ULL;  // "bevents\n"
constexpr std::uint64_t k_event_layout = 1;
constexpr const char* k_keep_events = "keep the events";
/// Numbers stay exact in every JSON reader.
constexpr std::uint64_t k_max_sequence = (1ULL << 53) - 1;

detail::Word& word_at(std::byte* place) noexcept { return *reinterpret_cast<detail::Word*>(place); }

std::uint64_t random_journal() {
  std::random_device device;
  return ((std::uint64_t{device()} << 32 | device()) & k_max_sequence) | 1;
}

}  // namespace

EventSegment::EventSegment()
    : segment_(os::make_segment("beltway:events", k_event_memory_bytes, k_keep_events)),
      mapping_(segment_.get(), {0, k_event_memory_bytes}, os::Access::read_write, k_keep_events) {
  word_at(mapping_.data() + 8).store_relaxed(k_event_layout);
  word_at(mapping_.data() + 16).store_relaxed(random_journal());
  word_at(mapping_.data()).store_release(k_event_magic);
}

EventSegment::EventSegment(os::Fd segment) : segment_(std::move(segment)) {
  os::check_segment(segment_.get(), k_event_memory_bytes, k_keep_events);
  mapping_ = os::Mapping(segment_.get(), {0, k_event_memory_bytes}, os::Access::read_write, k_keep_events);
  const std::uint64_t layout = word_at(mapping_.data() + 8).load_relaxed();
  if (word_at(mapping_.data()).load_acquire() == k_event_magic && layout == k_event_layout && journal() != 0 &&
      journal() <= k_max_sequence)
    return;
  throw Error(Errc::incompatible, std::string(k_keep_events) + ": the daemon before this one left layout " +
                                      std::to_string(layout) + ", this one reads " + std::to_string(k_event_layout));
}

std::uint64_t EventSegment::journal() const noexcept { return word_at(mapping_.data() + 16).load_relaxed(); }

std::byte* EventSegment::record(std::uint64_t sequence) const noexcept {
  return mapping_.data() + k_event_heading_bytes + sequence % k_max_events * k_max_event_bytes;
}

void EventSegment::write(std::uint64_t sequence, std::string_view text) noexcept {
  std::byte* const place = record(sequence);
  word_at(place).store_relaxed(0);
  detail::full_fence();  // a daemon that is killed from here on leaves an empty record
  if (text.size() > k_max_text_bytes) return;
  word_at(place + 8).store_relaxed(text.size());
  std::memcpy(place + 16, text.data(), text.size());
  // Pairs with the acquire in read_all(), in the next daemon: a reader of the number sees the text.
  word_at(place).store_release(sequence);
}

std::vector<EventSegment::Record> EventSegment::read_all() const {
  std::vector<Record> records;
  for (std::uint64_t index = 0; index < k_max_events; ++index) {
    std::byte* const place = record(index);
    const std::uint64_t sequence = word_at(place).load_acquire();
    const std::uint64_t size = word_at(place + 8).load_relaxed();
    const bool valid = sequence != 0 && sequence <= k_max_sequence && sequence % k_max_events == index;
    if (!valid || size > k_max_text_bytes) continue;
    records.push_back({sequence, std::string(reinterpret_cast<const char*>(place + 16), size)});
  }
  std::ranges::sort(records, {}, &Record::sequence);
  return records;
}

}  // namespace beltway::daemon
