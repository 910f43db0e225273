#include "queue.hpp"

#include <sys/eventfd.h>

#include "groups.hpp"
#include "queue_setup.hpp"
#include "validate.hpp"

namespace beltway::daemon {

Queue::Queue(QueueRecord record) : record_(std::move(record)), geometry_(geometry_of(record_.options)) {
  const std::string what = about("declare", record_.name);
  const std::string label = "beltway:" + record_.name;
  ring_ = make_segment(label + ":ring", geometry_.ring_bytes(), what);
  control_ = make_segment(label + ":control", geometry_.control_bytes(), what);
  if (geometry_.lane_bytes != 0) heap_ = make_segment(label + ":heap", geometry_.heap_bytes(), what);
  for (unsigned i = 0; i < geometry_.endpoints(); ++i) {
    bells_.push_back(checked_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), what + ": make an eventfd"));
    bell_numbers_.push_back(bells_.back().get());
  }
  fill_segment(control_.get(), {0, geometry_.control_bytes()}, what);
  fill_segment(ring_.get(), {0, geometry_.ring_bytes()}, what);
  ring_mapping_ = Mapping(ring_.get(), {0, geometry_.ring_bytes()}, Access::read_write, what);
  control_mapping_ = Mapping(control_.get(), {0, geometry_.control_bytes()}, Access::read_write, what);
  map_ = {.geometry = geometry_,
          .ring = ring_mapping_.data(),
          .heap = nullptr,
          .control = control_mapping_.data(),
          .bells = bell_numbers_.data()};
  record_.symmetric = record_.options.fence == Fence::symmetric;
  fill_queue(map_, record_.id, record_.symmetric);
  record_.groups.resize(geometry_.max_groups);
  record_.endpoints.resize(geometry_.endpoints());
  const std::vector<std::string> groups = std::exchange(record_.options.groups, {});
  add_groups(groups, Start::latest, "declare");
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
    info.options.groups.push_back(record_.groups[i].name);
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
                              .lossy = endpoint.kind == GroupKind::lossy});
  }
  return description;
}

void Queue::post_removed() noexcept {
  post_notice(map_, k_notice_removed);
  wake_everybody(map_);
}

}  // namespace beltway::daemon
