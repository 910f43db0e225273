#include "queue.hpp"

#include <spdlog/spdlog.h>

#include "groups.hpp"
#include "kernel.hpp"
#include "mark.hpp"
#include "queue_setup.hpp"
#include "validate.hpp"

namespace beltway::daemon {

Queue::Queue(QueueRecord record, Keep& keep)
    : record_(std::move(record)), geometry_(geometry_of(record_.options)), keep_(keep) {
  const std::string what = about("declare", record_.name);
  const std::string label = "beltway:" + record_.name;
  own_.ring = make_segment(label + ":ring", geometry_.ring_bytes(), what);
  own_.control = make_segment(label + ":control", geometry_.control_bytes(), what);
  if (geometry_.lane_bytes != 0) own_.heap = make_segment(label + ":heap", geometry_.heap_bytes(), what);
  for (unsigned i = 0; i < k_bells; ++i) own_.bells.push_back(make_bell(what));
  fill_segment(own_.control.get(), {0, geometry_.control_bytes()}, what);
  fill_segment(own_.ring.get(), {0, geometry_.ring_bytes()}, what);
  map_memory(what);
  record_.symmetric = record_.options.fence == Fence::symmetric;
  fill_queue(map_, record_.id, record_.symmetric);
  record_.groups.resize(geometry_.max_groups);
  record_.endpoints.resize(geometry_.endpoints());
  make_groups(std::exchange(record_.options.groups, {}), Start::latest);
  kept_at_ = keep_.add(own_, what);
  save();
}

Queue::Queue(Keep::Kept kept, Keep& keep)
    : record_(std::move(kept.record)),
      geometry_(geometry_of(record_.options)),
      keep_(keep),
      kept_at_(kept.place),
      own_(std::move(kept.descriptors)) {
  map_memory(about("restore", record_.name));
  reconcile();
}

void Queue::map_memory(const std::string& what) {
  for (const Fd& bell : own_.bells) bell_numbers_.push_back(bell.get());
  ring_mapping_ = Mapping(own_.ring.get(), {0, geometry_.ring_bytes()}, Access::read_write, what);
  control_mapping_ = Mapping(own_.control.get(), {0, geometry_.control_bytes()}, Access::read_write, what);
  ring_mapping_.leave_out_of_core_dumps();
  map_ = {.geometry = geometry_,
          .ring = ring_mapping_.data(),
          .heap = nullptr,
          .control = control_mapping_.data(),
          .bells = bell_numbers_.data()};
}

void Queue::reconcile() noexcept {
  if (record_.symmetric) {
    post_notice(map_, k_notice_symmetric);
    kernel::heavy_barrier();
  }
  for (unsigned index = 0; index < record_.groups.size(); ++index) {
    const GroupPhase phase = GroupWord::of(map_.group(index).state.load_acquire()).phase;
    switch (record_.groups[index].state) {
      case GroupRecord::State::free:  // being made or being freed: nobody can be attached to it
        if (phase != GroupPhase::free) free_group(map_, index);
        break;
      case GroupRecord::State::leaving:
        // Half of it may be done, and nobody may be attached who would do the rest.
        if (phase == GroupPhase::active || phase == GroupPhase::leaving) leave(map_, index);
        break;
      case GroupRecord::State::active: break;
    }
  }
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    if (record_.endpoints[place].evicted) take_away(place);
  }
  free_lanes_of_nobody();
  // Whoever was to be woken by a daemon that died first.
  wake_everybody(map_);
}

std::uint64_t Queue::shared_bytes() const noexcept { return shared_bytes_of(geometry_); }

protocol::Description Queue::description(bool with_endpoints) const {
  protocol::Description description;
  QueueInfo& info = description.info;
  info.name = record_.name;
  info.id = record_.id;
  info.owner_uid = record_.owner_uid;
  info.owner_gid = record_.owner_gid;
  info.options = record_.options;
  info.shared_bytes = shared_bytes();
  for (unsigned i = 0; i < record_.groups.size(); ++i) {
    if (record_.groups[i].state != GroupRecord::State::active) continue;
    description.group_indexes.push_back(i);
    info.options.groups.push_back({record_.groups[i].name, record_.groups[i].options});
  }
  if (!with_endpoints) return description;
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    const EndpointRecord& endpoint = record_.endpoints[place];
    if (!endpoint.attached) continue;
    const bool producer = place < geometry_.max_producers;
    const bool named = !producer && endpoint.kind == GroupKind::named;
    info.endpoints.push_back({.index = producer ? place : place - geometry_.max_producers,
                              .producer = producer,
                              .pid = endpoint.pid,
                              .uid = endpoint.uid,
                              .group = named ? record_.groups[endpoint.group].name : std::string(),
                              .lossy = endpoint.kind == GroupKind::lossy,
                              .evicted = endpoint.evicted});
  }
  return description;
}

void Queue::remove() noexcept {
  record_.removing = true;
  try {
    save();
  } catch (const std::exception& error) {
    spdlog::error("queue {}: {}", record_.name, error.what());
  }
  post_notice(map_, k_notice_removed);
  wake_everybody(map_);
  keep_.drop(kept_at_);
}

}  // namespace beltway::daemon
