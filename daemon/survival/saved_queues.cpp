// See saved_queues.hpp.
#include "survival/saved_queues.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "os/segment.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

constexpr const char* k_registry_name = "REG2";
constexpr std::string_view k_digits = "0123456789abcdefghijklmnopqrstuvwxyz";
/// The first digit of a place: none that version 0.1 took for a digit.
constexpr std::string_view k_first_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&+,-./";
constexpr unsigned k_base = 36;
static_assert(k_digits.size() == k_base && k_first_digits.size() == k_base);
constexpr unsigned k_first_bell = 3;

std::string name_of(unsigned place, unsigned part) {
  return {k_first_digits[place / k_base], k_digits[place % k_base], k_digits[part / k_base], k_digits[part % k_base]};
}

bool has_form(std::string_view name, std::string_view first_digits) {
  const auto is_digit = [](char c) { return k_digits.find(c) != std::string_view::npos; };
  return name.size() == k_max_stored_name && first_digits.find(name.front()) != std::string_view::npos &&
         std::all_of(name.begin() + 1, name.end(), is_digit);
}

/// Nothing for names that are none of ours.
std::optional<unsigned> place_in(std::string_view name) {
  if (!has_form(name, k_first_digits)) return std::nullopt;
  return static_cast<unsigned>(k_first_digits.find(name[0]) * k_base + k_digits.find(name[1]));
}

bool is_part_of_version_0_1(std::string_view name) { return has_form(name, k_digits); }

constexpr unsigned k_parts = k_first_bell + ring::k_bells;

std::string why_layout(const RecordStamp& stamp) {
  return "its memory has layout " + stamp.layout.text() + ", and this program works on layout " +
         wire::k_own_layout.text();
}

/// Empty if this program can read it.
std::string why_not(const std::string& text) {
  const RecordStamp stamp = decode_stamp(text);
  if (!stamp.readable_by(wire::k_own_layout)) return why_layout(stamp);
  try {
    static_cast<void>(decode_record(text));
    return {};
  } catch (const Error& error) {
    return std::string("another version has written its record: ") + error.what();
  }
}

/// What the registry says, by place.
struct Records {
  std::vector<unsigned> readable;
  std::vector<std::pair<unsigned, HeldQueue>> others;
};

Records read_all(const SavedRecords& registry) {
  Records records;
  for (const unsigned place : registry.places()) {
    const std::optional<std::string> text = registry.read(place);
    if (!text) continue;
    if (std::string why = why_not(*text); !why.empty()) {
      records.others.emplace_back(place, HeldQueue{decode_stamp(*text), std::move(why)});
    } else {
      records.readable.push_back(place);
    }
  }
  return records;
}

/// The queues of a registry of another format.
std::vector<HeldQueue> read_other(int registry, const std::string& name) {
  std::vector<HeldQueue> queues;
  try {
    const SavedRecords segment(os::Fd(::fcntl(registry, F_DUPFD_CLOEXEC, 0)));
    for (const unsigned place : segment.places()) {
      if (const std::optional<std::string> text = segment.read(place)) {
        const RecordStamp stamp = decode_stamp(*text);
        queues.push_back({stamp, why_layout(stamp)});
      }
    }
  } catch (const Error& error) {
    queues.push_back({{}, "the registry " + name + " is another version's: " + error.what()});
  }
  return queues;
}

void check_descriptors(const QueueDescriptors& found, const ring::Geometry& geometry, const std::string& context) {
  os::check_segment(found.ring.get(), geometry.ring_bytes(), context);
  os::check_segment(found.control.get(), geometry.control_bytes(), context);
  if (geometry.lane_bytes != 0) os::check_segment(found.heap.get(), geometry.heap_bytes(), context);
  const bool complete =
      std::all_of(found.bells.begin(), found.bells.end(), [](const os::Fd& bell) { return bool(bell); });
  if (!complete) throw Error(Errc::incompatible, context + ": the store has lost its eventfds");
}

}  // namespace

bool is_registry(std::string_view name) noexcept { return name.starts_with("REG") || name == "reg"; }

bool is_queue_part(std::string_view name) noexcept { return has_form(name, k_first_digits); }

Survey survey(const DescriptorStore& store) {
  Survey found;
  for (const NamedFd& left : store.inherited()) {
    if (!is_registry(left.name)) continue;
    if (left.name == k_registry_name) {
      try {
        SavedRecords registry(os::Fd(::fcntl(left.descriptor.get(), F_DUPFD_CLOEXEC, 0)));
        found.starts = registry.count_start();
        Records records = read_all(registry);
        found.own += records.readable.size();
        for (auto& [place, queue] : records.others) found.others.push_back(std::move(queue));
        continue;
      } catch (const Error&) {
        // It is read as another's below, and the reason is told there.
      }
    }
    std::vector<HeldQueue> others = read_other(left.descriptor.get(), left.name);
    std::move(others.begin(), others.end(), std::back_inserter(found.others));
  }
  return found;
}

SavedQueues::SavedQueues(DescriptorStore& store) : store_(store), events_(store), parts_(k_max_places) {
  if (store.is_there()) take_registry();
}

void SavedQueues::take_registry() {
  if (os::Fd segment = store_.take(k_registry_name)) {
    try {
      records_.emplace(os::Fd(::fcntl(segment.get(), F_DUPFD_CLOEXEC, 0)));
    } catch (const Error& error) {
      spdlog::error("{}; it is left alone, and queues that are made now end with this daemon", error.what());
      held_.push_back({{}, std::string("its registry cannot be read: ") + error.what()});
    }
    held_descriptors_.push_back(std::move(segment));
    return;
  }
  records_.emplace();
  store_.keep(k_registry_name, records_->descriptor());
}

std::vector<SavedQueues::SavedQueue> SavedQueues::take_queues() {
  std::vector<SavedQueue> queues;
  if (!records_) return queues;
  hold_other_registries();
  for (const NamedFd& left : store_.inherited()) {
    if (const auto place = place_in(left.name)) ++parts_[*place];
  }
  Records found = read_all(*records_);
  for (auto& [place, queue] : found.others) hold_place(place, std::move(queue));
  for (const unsigned place : found.readable) {
    if (auto queue = take_queue(place)) {
      queues.push_back(std::move(*queue));
    } else {
      drop(place);
    }
  }
  drop_the_rest();
  return queues;
}

void SavedQueues::drop_the_rest() {
  // A registry that cannot be read may have queues anywhere.
  const bool unsure = std::ranges::any_of(held_, [](const HeldQueue& queue) { return queue.stamp.name.empty(); });
  std::vector<std::string> names;
  for (const NamedFd& left : store_.inherited()) names.push_back(left.name);
  for (const std::string& name : names) {
    const auto place = place_in(name);
    if (!place && !is_part_of_version_0_1(name)) continue;
    os::Fd descriptor = store_.take(name);
    if (unsure) {
      held_descriptors_.push_back(std::move(descriptor));
      continue;
    }
    store_.forget(name);
    if (place && !records_->read(*place)) parts_[*place] = 0;
  }
  store_.inherited().clear();
}

void SavedQueues::hold_other_registries() {
  std::vector<std::string> names;
  for (const NamedFd& left : store_.inherited()) {
    if (is_registry(left.name)) names.push_back(left.name);
  }
  for (const std::string& name : names) {
    os::Fd registry = store_.take(name);
    std::vector<HeldQueue> queues = read_other(registry.get(), name);
    if (queues.empty()) {
      store_.forget(name);
      continue;
    }
    held_descriptors_.push_back(std::move(registry));
    std::move(queues.begin(), queues.end(), std::back_inserter(held_));
    if (name != "reg") continue;
    std::vector<std::string> parts;
    for (const NamedFd& left : store_.inherited()) {
      if (is_part_of_version_0_1(left.name)) parts.push_back(left.name);
    }
    for (const std::string& part : parts) held_descriptors_.push_back(store_.take(part));
  }
}

void SavedQueues::hold_place(unsigned place, HeldQueue queue) {
  std::vector<std::string> parts;
  for (const NamedFd& left : store_.inherited()) {
    if (place_in(left.name) == place) parts.push_back(left.name);
  }
  for (const std::string& part : parts) held_descriptors_.push_back(store_.take(part));
  parts_[place] = std::max(parts_[place], 1U);  // taken, also if the store has lost all of it
  held_.push_back(std::move(queue));
}

void SavedQueues::hold(SavedQueue saved, std::string why) {
  RecordStamp stamp{.name = saved.record.name,
                    .id = saved.record.id,
                    .owner_uid = saved.record.owner_uid,
                    .owner_gid = saved.record.owner_gid,
                    .mode = saved.record.options.mode,
                    .layout = wire::k_own_layout,
                    .reader = wire::k_own_layout};
  held_.push_back({std::move(stamp), std::move(why)});
  for (os::Fd* descriptor : {&saved.descriptors.ring, &saved.descriptors.heap, &saved.descriptors.control}) {
    held_descriptors_.push_back(std::move(*descriptor));
  }
  for (os::Fd& bell : saved.descriptors.bells) held_descriptors_.push_back(std::move(bell));
}

void SavedQueues::clear_starts() noexcept {
  if (records_) records_->clear_starts();
}

std::optional<SavedQueues::SavedQueue> SavedQueues::take_queue(unsigned place) {
  try {
    const std::string text = records_->read(place).value_or("");
    SavedQueue saved{.place = place, .record = decode_record(text), .descriptors = {}};
    const ring::Geometry geometry = wire::geometry_of(saved.record.options);
    parts_[place] = k_parts;
    saved.descriptors.ring = store_.take(name_of(place, 0));
    if (geometry.lane_bytes != 0) saved.descriptors.heap = store_.take(name_of(place, 1));
    saved.descriptors.control = store_.take(name_of(place, 2));
    for (unsigned i = 0; i < ring::k_bells; ++i) {
      saved.descriptors.bells.push_back(store_.take(name_of(place, k_first_bell + i)));
    }
    check_descriptors(saved.descriptors, geometry, wire::error_subject("restore", saved.record.name));
    return saved;
  } catch (const Error& error) {
    spdlog::error("a queue is lost: {}", error.what());
    return std::nullopt;
  }
}

unsigned SavedQueues::add(const QueueDescriptors& descriptors, const std::string& context) {
  if (!records_) return 0;
  const auto free = std::find(parts_.begin(), parts_.end(), 0U);
  if (free == parts_.end()) {
    throw Error(Errc::limit_reached,
                context + ": the daemon has " + std::to_string(k_max_places) + " queues, its limit; remove some");
  }
  const auto count = static_cast<unsigned>(k_first_bell + descriptors.bells.size());
  store_.require_room(count, context);
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

void SavedQueues::write(unsigned place, const QueueRecord& record) {
  if (records_) records_->write(place, encode(record));
}

void SavedQueues::drop(unsigned place) noexcept {
  if (!records_) return;
  records_->clear(place);
  for (unsigned part = 0; part < parts_[place]; ++part) store_.forget(name_of(place, part));
  parts_[place] = 0;
}

}  // namespace beltway::daemon
