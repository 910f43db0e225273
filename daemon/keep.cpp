// See keep.hpp.
#include "keep.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "record_text.hpp"
#include "validate.hpp"

namespace beltway::daemon {
namespace {

constexpr const char* k_registry_name = "reg";
constexpr const char* k_digits = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr unsigned k_base = 36;
constexpr unsigned k_first_bell = 3;

std::string name_of(unsigned place, unsigned part) {
  return {k_digits[place / k_base], k_digits[place % k_base], k_digits[part / k_base], k_digits[part % k_base]};
}

/// Nothing for names that are none of ours.
std::optional<unsigned> place_in(const std::string& name) {
  const std::string_view digits(k_digits);
  const auto valid = [&](char c) { return digits.find(c) != std::string_view::npos; };
  if (name.size() != k_max_stored_name || !std::all_of(name.begin(), name.end(), valid)) return std::nullopt;
  return static_cast<unsigned>(digits.find(name[0]) * k_base + digits.find(name[1]));
}

constexpr unsigned k_parts = k_first_bell + k_bells;

void check_descriptors(const QueueDescriptors& found, const Geometry& geometry, const std::string& what) {
  check_segment(found.ring.get(), geometry.ring_bytes(), what);
  check_segment(found.control.get(), geometry.control_bytes(), what);
  if (geometry.lane_bytes != 0) check_segment(found.heap.get(), geometry.heap_bytes(), what);
  const bool complete = std::all_of(found.bells.begin(), found.bells.end(), [](const Fd& bell) { return bool(bell); });
  if (!complete) throw Error(Errc::incompatible, what + ": the store has lost its eventfds");
}

}  // namespace

Keep::Keep(Store& store) : store_(store), parts_(k_max_places) {
  if (!store.is_there()) return;
  if (Fd segment = store.take(k_registry_name)) {
    try {
      records_.emplace(std::move(segment));
      return;
    } catch (const Error& error) {
      spdlog::error("{}; starting without its queues", error.what());
      store.forget(k_registry_name);
    }
  }
  records_.emplace();
  store.keep(k_registry_name, records_->descriptor());
}

std::vector<Keep::Kept> Keep::take_queues() {
  std::vector<Kept> queues;
  if (!records_) return queues;
  for (const NamedFd& left : store_.inherited()) {
    if (const auto place = place_in(left.name)) ++parts_[*place];
  }
  for (unsigned place = 0; place < k_max_places; ++place) {
    if (parts_[place] == 0) continue;
    if (auto queue = take_queue(place)) {
      queues.push_back(std::move(*queue));
    } else {
      drop(place);
    }
  }
  // What is of no use any more lies in no queue's place: an earlier daemon was killed while it was making a queue.
  for (const NamedFd& left : std::exchange(store_.inherited(), {})) {
    if (place_in(left.name)) store_.forget(left.name);
  }
  return queues;
}

std::optional<Keep::Kept> Keep::take_queue(unsigned place) {
  const std::optional<std::string> text = records_->read(place);
  if (!text) return std::nullopt;
  try {
    Kept kept{.place = place, .record = decode_record(*text), .descriptors = {}};
    const Geometry geometry = geometry_of(kept.record.options);
    parts_[place] = k_parts;
    kept.descriptors.ring = store_.take(name_of(place, 0));
    if (geometry.lane_bytes != 0) kept.descriptors.heap = store_.take(name_of(place, 1));
    kept.descriptors.control = store_.take(name_of(place, 2));
    for (unsigned i = 0; i < k_bells; ++i) {
      kept.descriptors.bells.push_back(store_.take(name_of(place, k_first_bell + i)));
    }
    check_descriptors(kept.descriptors, geometry, about("restore", kept.record.name));
    return kept;
  } catch (const Error& error) {
    spdlog::error("a queue is lost: {}", error.what());
    return std::nullopt;
  }
}

unsigned Keep::add(const QueueDescriptors& descriptors, const std::string& what) {
  if (!records_) return 0;
  const auto free = std::find(parts_.begin(), parts_.end(), 0U);
  if (free == parts_.end()) {
    throw Error(Errc::limit_reached,
                what + ": the daemon has " + std::to_string(k_max_places) + " queues, its limit; remove some");
  }
  const auto count = static_cast<unsigned>(k_first_bell + descriptors.bells.size());
  store_.require_room(count, what);
  *free = count;
  const auto place = static_cast<unsigned>(free - parts_.begin());
  store_.keep(name_of(place, 0), descriptors.ring.get());
  if (descriptors.heap) store_.keep(name_of(place, 1), descriptors.heap.get());
  store_.keep(name_of(place, 2), descriptors.control.get());
  for (unsigned i = 0; i < descriptors.bells.size(); ++i) {
    store_.keep(name_of(place, k_first_bell + i), descriptors.bells[i].get());
  }
  return place;
}

void Keep::write(unsigned place, const QueueRecord& record) {
  if (records_) records_->write(place, encode(record));
}

void Keep::drop(unsigned place) noexcept {
  if (!records_) return;
  records_->clear(place);
  for (unsigned part = 0; part < parts_[place]; ++part) store_.forget(name_of(place, part));
  parts_[place] = 0;
}

}  // namespace beltway::daemon
