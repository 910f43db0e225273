#include "queues/queue.hpp"

#include <spdlog/spdlog.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "os/kernel.hpp"
#include "os/mark.hpp"
#include "ring/groups.hpp"
#include "ring/queue_setup.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

using namespace std::chrono_literals;

namespace {

/// The most slots and lease words that the daemon's own thread walks over. It takes a millisecond or two if no cache has them.
constexpr std::uint64_t k_walked_at_once = 1 << 15;

/// A large mapping is unmapped in pieces: other threads that change the process's address space wait for each.
constexpr std::size_t k_release_bytes = 64UL << 20;

os::Mapping map_segment(const os::Fd& segment, std::uint64_t bytes, const std::string& context) {
  return {segment.get(), {0, bytes}, os::Access::read_write, context};
}

/// Without bells and heap.
ring::QueueMemory memory_of(const ring::Geometry& geometry, const os::Mapping& ring,
                            const os::Mapping& control) noexcept {
  return {.geometry = geometry, .ring = ring.data(), .heap = nullptr, .control = control.data(), .bells = nullptr};
}

void release_pages(const os::Mapping& mapping) noexcept {
  for (std::size_t at = 0; at < mapping.size(); at += k_release_bytes) {
    ::madvise(mapping.data() + at, std::min(k_release_bytes, mapping.size() - at), MADV_DONTNEED);
  }
}

}  // namespace

NewQueue make_queue(QueueRecord record) {
  const ring::Geometry geometry = wire::geometry_of(record.options);
  const std::string context = wire::error_subject("declare", record.name);
  const std::string label = "beltway:" + record.name;
  NewQueue made{.record = std::move(record), .own = {}, .owner_lock = {}, .ring = {}, .control = {}};
  QueueDescriptors& own = made.own;
  own.ring = os::make_segment(label + ":ring", geometry.ring_bytes(), context);
  own.control = os::make_segment(label + ":control", geometry.control_bytes(), context);
  if (geometry.lane_bytes != 0) own.heap = os::make_segment(label + ":heap", geometry.heap_bytes(), context);
  for (unsigned i = 0; i < ring::k_bells; ++i) own.bells.push_back(os::make_bell(context));
  os::fill_segment(own.control.get(), {0, geometry.control_bytes()}, context);
  os::fill_segment(own.ring.get(), {0, geometry.ring_bytes()}, context);
  made.ring = map_segment(own.ring, geometry.ring_bytes(), context);
  made.control = map_segment(own.control, geometry.control_bytes(), context);
  made.record.symmetric = made.record.options.fence == Fence::symmetric;
  made.record.groups.resize(geometry.max_groups);
  made.record.endpoints.resize(geometry.endpoints());
  const ring::QueueMemory memory = memory_of(geometry, made.ring, made.control);
  ring::initialize_queue(memory, made.record.id, made.record.symmetric);
  make_groups(made.record, memory, std::exchange(made.record.options.groups, {}), Start::latest);
  store_stamping(made.record, memory);
  if (made.record.options.exclusive) {
    made.owner_lock = os::open_segment_anew(own.control.get(), os::Access::read_write, context);
    static_cast<void>(try_lock_byte(made.owner_lock, wire::k_queue_owner, context + ": lock it for its process"));
  }
  return made;
}

Queue::Queue(NewQueue made, SavedQueues& saved_queues)
    : record_(std::move(made.record)),
      geometry_(wire::geometry_of(record_.options)),
      saved_queues_(saved_queues),
      own_(std::move(made.own)),
      owner_lock_(std::move(made.owner_lock)),
      ring_mapping_(std::move(made.ring)),
      control_mapping_(std::move(made.control)) {
  use_memory();
  saved_at_ = saved_queues_.add(own_, wire::error_subject("declare", record_.name));
  count_unread();
  save();
}

Queue::Queue(SavedQueues::SavedQueue&& saved, SavedQueues& saved_queues)
    : record_(saved.record),
      geometry_(wire::geometry_of(record_.options)),
      saved_queues_(saved_queues),
      saved_at_(saved.place),
      own_(std::move(saved.descriptors)) {
  try {
    const std::string context = wire::error_subject("restore", record_.name);
    ring_mapping_ = map_segment(own_.ring, geometry_.ring_bytes(), context);
    control_mapping_ = map_segment(own_.control, geometry_.control_bytes(), context);
  } catch (...) {
    saved.descriptors = std::move(own_);
    throw;
  }
  use_memory();
  give_grace(Clock::now());
  if (record_.unused_since) {
    // Another time namespace may have written it.
    record_.unused_since =
        std::min(*record_.unused_since, std::chrono::floor<std::chrono::milliseconds>(Clock::now().time_since_epoch()));
  }
  note_use();
  reconcile();
}

void Queue::use_memory() {
  for (const os::Fd& bell : own_.bells) bell_numbers_.push_back(bell.get());
  ring_mapping_.leave_out_of_core_dumps();
  memory_ = memory_of(geometry_, ring_mapping_, control_mapping_);
  memory_.bells = bell_numbers_.data();
}

void Queue::release() noexcept {
  release_pages(ring_mapping_);
  release_pages(control_mapping_);
  memory_ = {};
  ring_mapping_ = {};
  control_mapping_ = {};
  own_ = {};
}

void Queue::reconcile() noexcept {
  if (record_.symmetric) {
    ring::post_notice(memory_, ring::k_notice_symmetric);
    os::heavy_barrier();
  }
  for (unsigned index = 0; index < record_.groups.size(); ++index) {
    const ring::GroupPhase phase = ring::GroupStateWord::of(memory_.group(index).state.load_acquire()).phase;
    switch (record_.groups[index].state) {
      case GroupRecord::State::free:  // being made or being freed: no endpoint can be attached to it
        if (phase != ring::GroupPhase::free) ring::free_group(memory_, index);
        break;
      case GroupRecord::State::leaving:
        // The removal may be half done, and perhaps no attached endpoint will do the rest.
        if (phase == ring::GroupPhase::active || phase == ring::GroupPhase::paused ||
            phase == ring::GroupPhase::leaving) {
          ring::leave(memory_, index);
        }
        break;
      case GroupRecord::State::active:  // before the queue is healed: see reset()
        finish_reset(index);
        break;
    }
  }
  store_settings();  // the daemon may have died between a record with new options and these words
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    if (record_.endpoints[place].evicted) revoke(place);
  }
  store_clock_offset();
  heal("at the daemon's start");
  free_ownerless_lanes();
  count_unread();
  // A daemon that died may have left sleepers that it was about to wake.
  ring::wake_all_sleepers(memory_);
}

bool Queue::is_large() const noexcept {
  return std::uint64_t{geometry_.slots} * (1 + geometry_.max_groups) > k_walked_at_once;
}

std::uint64_t Queue::shared_bytes() const noexcept { return wire::shared_bytes_of(geometry_); }

wire::Description Queue::description(bool with_endpoints) const {
  wire::Description description;
  QueueInfo& info = description.info;
  info.name = record_.name;
  info.id = record_.id;
  info.owner_uid = record_.owner_uid;
  info.owner_gid = record_.owner_gid;
  info.options = record_.options;
  info.shared_bytes = shared_bytes();
  if (record_.options.exclusive) info.owner_pid = record_.owner_process.pid;
  if (const auto end = expires_at()) {
    info.expires_in = std::max(std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()), 0ms);
  }
  for (unsigned i = 0; i < record_.groups.size(); ++i) {
    const GroupRecord& group = record_.groups[i];
    if (group.state == GroupRecord::State::leaving) description.leaving.push_back({i, group.name});
    if (group.state != GroupRecord::State::active) continue;
    description.group_indexes.push_back(i);
    info.options.groups.push_back({group.name, group.options});
    if (group.paused_since) {
      const auto now = std::chrono::floor<std::chrono::milliseconds>(Clock::now().time_since_epoch());
      info.paused.push_back({group.name, std::max(now - *group.paused_since, 0ms)});
    }
  }
  if (!with_endpoints) return description;
  for (unsigned i = 0; i < record_.producer_names.size(); ++i) {
    info.producer_names.push_back({record_.producer_names[i], memory_.sequence_record(i).committed.load_relaxed()});
  }
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    const EndpointRecord& endpoint = record_.endpoints[place];
    if (!endpoint.attached) continue;
    const bool producer = place < geometry_.max_producers;
    const bool named = !producer && endpoint.kind == ring::GroupKind::named;
    info.endpoints.push_back({.index = producer ? place : place - geometry_.max_producers,
                              .producer = producer,
                              .pid = endpoint.pid,
                              .uid = endpoint.uid,
                              .group = named ? record_.groups[endpoint.group].name : std::string(),
                              .lossy = endpoint.kind == ring::GroupKind::lossy,
                              .evicted = endpoint.evicted,
                              .evictable = endpoint.evictable,
                              .orphan = endpoint.session == 0,
                              .leaving = named && record_.groups[endpoint.group].state == GroupRecord::State::leaving,
                              .prefetch = endpoint.prefetch,
                              .name = endpoint.name ? record_.producer_names[*endpoint.name] : std::string()});
  }
  return description;
}

void Queue::change_option(const wire::QueueOption& option, const QueueOptions& wanted) {
  option.copy(wanted, record_.options);
  finish_change("", option.name, option.text(wanted));
}

void Queue::change_group_option(unsigned group, const wire::GroupOption& option, const GroupOptions& wanted) {
  option.copy(wanted, record_.groups[group].options);
  finish_change(", group " + record_.groups[group].name, option.name, option.text(wanted));
}

bool store_group_settings(const QueueRecord& record, const ring::QueueMemory& memory, unsigned index) noexcept {
  bool changed = false;
  const auto store = [&changed](detail::Word& word, std::uint64_t value) {
    changed = word.load_relaxed() != value || changed;
    word.store_relaxed(value);
  };
  ring::GroupBlock& group = memory.group(index);
  store(group.redelivery, redelivery(record, index).word());
  store(group.times, group_times(record, index).word());
  store(group.keeps, kept_messages(record, index));
  return changed;
}

void Queue::store_settings() noexcept {
  bool changed = store_stamping(record_, memory_);
  for (unsigned index = 0; index < record_.groups.size(); ++index) {
    if (record_.groups[index].state == GroupRecord::State::free) continue;
    changed = store_group_settings(record_, memory_, index) || changed;
  }
  if (changed) tell_of_settings();
}

void Queue::tell_of_settings() noexcept {
  ring::post_notice(memory_, 0);
  ring::wake_all_sleepers(memory_);
}

void Queue::finish_change(const std::string& whose, std::string_view option, const std::string& value) {
  save();
  store_settings();
  if (option == "dead_letter") tell_of_settings();  // no word says which queue it is
  if (option == "evict_after_ms") stalls_.clear();  // no consumer has stood still under a new time yet
  spdlog::info("queue {}{}: {} is {} from now on", record_.name, whose, option, value);
}

void Queue::remove() noexcept {
  record_.removing = true;
  try {
    save();
  } catch (const std::exception& error) {
    spdlog::error("queue {}: {}", record_.name, error.what());
  }
  ring::post_notice(memory_, ring::k_notice_removed);
  ring::wake_all_sleepers(memory_);
  saved_queues_.drop(saved_at_);
}

}  // namespace beltway::daemon
