// See event_journal.hpp.
#include "survival/event_journal.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "wire/events_json.hpp"
#include "wire/json_reader.hpp"

namespace beltway::daemon {
namespace {

using nlohmann::json;

constexpr const char* k_journal_name = "EVTS";
constexpr const char* k_restore_event = "restore an event";
/// What the names of the fields and the numbers of a record take at most, and two names.
static_assert(EventSegment::k_max_text_bytes > 2 * k_max_name_length + 450);

template <class Clock>
std::uint64_t ns_of() {
  const auto since = Clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

std::size_t bytes_of(const StoredEvent& stored) { return wire::encode(stored.event).dump().size() + 1; }

}  // namespace

StoredEvent event_of(const QueueRecord& queue, std::string_view kind, std::string text) {
  StoredEvent stored{
      .event = {}, .owner_uid = queue.owner_uid, .owner_gid = queue.owner_gid, .mode = queue.options.mode};
  stored.event.kind = kind;
  stored.event.queue = queue.name;
  stored.event.queue_id = queue.id;
  stored.event.text = std::move(text);
  return stored;
}

std::string encode(const StoredEvent& stored) {
  json object = wire::encode(stored.event);
  if (stored.is_public) {
    object["public"] = true;
  } else {
    object["rights"] = json::array({stored.owner_uid, stored.owner_gid, stored.mode});
  }
  return object.dump();
}

StoredEvent decode_stored_event(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  StoredEvent stored{.event = wire::decode_event(object, k_restore_event)};
  const wire::JsonReader fields(object, k_restore_event);
  stored.is_public = fields.flag("public");
  if (stored.is_public) return stored;
  const json& rights = fields.array("rights");
  const auto is_word = [](const json& each) {
    return each.is_number_unsigned() && each.get<std::uint64_t>() <= 0xffffffff;
  };
  if (rights.size() != 3 || !std::ranges::all_of(rights, is_word)) fields.refuse("rights", "owner, group and mode");
  stored.owner_uid = rights[0].get<std::uint32_t>();
  stored.owner_gid = rights[1].get<std::uint32_t>();
  stored.mode = rights[2].get<std::uint32_t>();
  return stored;
}

EventJournal::EventJournal(DescriptorStore& store) {
  if (os::Fd left = store.take(k_journal_name)) {
    try {
      segment_.emplace(os::Fd(::fcntl(left.get(), F_DUPFD_CLOEXEC, 0)));
      restore();
      held_ = std::move(left);
    } catch (const std::exception& error) {
      spdlog::error("the events of earlier daemons cannot be read: {}; they begin anew", error.what());
      segment_.reset();
      store.forget(k_journal_name);
    }
  }
  if (!segment_) begin(store);
  if (segment_) journal_ = segment_->journal();
}

EventJournal::EventJournal(EventSegment segment) : segment_(std::move(segment)), journal_(segment_->journal()) {
  restore();
}

void EventJournal::begin(DescriptorStore& store) {
  try {
    segment_.emplace();
    store.keep(k_journal_name, segment_->descriptor());
  } catch (const Error& error) {
    spdlog::error("events will end with this daemon: {}", error.what());
  }
}

void EventJournal::restore() {
  was_taken_over_ = true;
  std::size_t broken = 0;
  for (const EventSegment::Record& record : segment_->read_all()) {
    last_ = record.sequence;
    try {
      StoredEvent stored = decode_stored_event(record.text);
      if (stored.event.sequence != record.sequence) throw Error(Errc::protocol, "another number");
      events_.push_back(std::move(stored));
    } catch (const Error&) {
      ++broken;
    }
  }
  while (!events_.empty() && events_.front().event.sequence + k_max_events <= last_) events_.pop_front();
  if (broken != 0) spdlog::warn("{} events of earlier daemons make no sense and are left out", broken);
}

void EventJournal::add(StoredEvent stored) noexcept {
  try {
    Event& event = stored.event;
    event.command = wire::printable(event.command, k_max_event_command_bytes);
    event.text = wire::printable(event.text, k_max_event_text_bytes);
    if (event.time_ns == 0) event.time_ns = ns_of<std::chrono::system_clock>();
    if (event.monotonic_ns == 0) event.monotonic_ns = ns_of<std::chrono::steady_clock>();
    const std::lock_guard lock(mutex_);
    event.sequence = last_ + 1;
    std::string text = encode(stored);
    if (text.size() > EventSegment::k_max_text_bytes) {  // two of the longest names: the text has to go
      event.text.resize(event.text.size() - std::min(event.text.size(), text.size() - EventSegment::k_max_text_bytes));
      text = encode(stored);
    }
    events_.push_back(std::move(stored));
    if (events_.size() > k_max_events) events_.pop_front();
    ++last_;
    if (segment_) segment_->write(last_, text);
  } catch (const std::exception& error) {  // no memory: the daemon goes on without this event
    spdlog::error("an event is lost: {}", error.what());
  }
}

std::string EventJournal::last_of_endpoint(std::uint64_t queue_id, std::string_view role, unsigned index) const {
  const std::lock_guard lock(mutex_);
  for (auto stored = events_.rbegin(); stored != events_.rend(); ++stored) {
    const Event& event = stored->event;
    if (event.queue_id != queue_id || event.role != role || event.index != index) continue;
    for (const char* const kind : {"attached", "left", "died", "evicted"}) {
      if (event.kind == kind) return event.kind;
    }
  }
  return {};
}

EventPage EventJournal::page(std::uint64_t since, std::uint32_t count,
                             const std::function<bool(const StoredEvent&)>& may_see) const {
  const std::lock_guard lock(mutex_);
  EventPage page{.journal = journal_, .last = last_};
  page.first = events_.empty() ? 0 : events_.front().event.sequence;
  const auto number_of = [](const StoredEvent& stored) { return stored.event.sequence; };
  auto each = std::ranges::lower_bound(events_, since, {}, number_of);
  std::size_t bytes = 0;
  for (std::uint32_t seen = 0; each != events_.end() && seen < k_max_events_per_request; ++each, ++seen) {
    if (!may_see(*each)) continue;
    if (page.events.size() >= count) break;
    bytes += bytes_of(*each);
    if (bytes > k_event_page_bytes) break;
    page.events.push_back(each->event);
  }
  page.more = each != events_.end();
  page.next = page.more ? each->event.sequence : last_ + 1;
  return page;
}

}  // namespace beltway::daemon
