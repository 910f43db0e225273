// See world.hpp.
#include "world.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ring/queue_setup.hpp"

namespace beltway::crash {

using namespace beltway::detail;
using namespace beltway::ring;

namespace {

World* current_world = nullptr;

constexpr int k_descriptors = 1024;

/// Shared by all worlds: nobody rings them.
struct Bells {
  Bells() {
    for (std::size_t i = 0; i < k_bells; ++i) {
      eventfds[i] = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
      if (eventfds[i] < 0 || eventfds[i] >= k_descriptors) std::abort();
      index[static_cast<std::size_t>(eventfds[i])] = static_cast<std::uint8_t>(i);
    }
  }
  std::array<int, k_bells> eventfds{};
  std::array<std::uint8_t, k_descriptors> index{};
};
Bells& bells() {
  static auto* const made = new Bells;  // worlds and their endpoints outlive every destructor
  return *made;
}
// Before the first test begins: what it opens itself must be closed at its end.
[[maybe_unused]] const Bells& bells_at_start = bells();

constexpr std::uint64_t word_of(std::uint64_t id, std::uint64_t index) noexcept {
  return id * 0x9e3779b97f4a7c15ULL + index * 0x2545f4914f6cdd1dULL;
}

}  // namespace

namespace {
/// Of the worlds that are made now.
bool& expects_stamps() noexcept {
  static bool stamps = false;
  return stamps;
}
}  // namespace

World::World(const Shape& shape) : shape_(shape) {
  const Geometry geometry{.slots = shape.slots,
                          .slot_bytes = 64,
                          .lane_bytes = shape.lane_bytes,
                          .max_producers = shape.producers,
                          .max_consumers = k_consumers,
                          .max_groups = k_groups,
                          .max_parked = shape.max_parked};
  const std::size_t heap = geometry.heap_bytes();
  const std::size_t size = geometry.ring_bytes() + heap + geometry.control_bytes() + sizeof(Journal) + 64;
  storage_ = std::make_unique<std::byte[]>(size + 64);
  auto* base =
      reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(storage_.get()) + 63) & ~std::uintptr_t{63});
  memory_ = {geometry, base, base + geometry.ring_bytes(), base + geometry.ring_bytes() + heap,
             bells().eventfds.data()};
  journal_ = reinterpret_cast<Journal*>(memory_.control + geometry.control_bytes());
  const std::size_t words_end = geometry.sequence_records_offset() + shape.producers * sizeof(SequenceRecord);
  parts_[0] = {memory_.ring, k_cache_line_bytes};
  parts_[1] = {memory_.ring + k_slots_offset, std::size_t{geometry.slots} * geometry.slot_bytes};
  parts_[2] = {memory_.heap, heap};
  parts_[3] = {memory_.control + geometry.status_offset(), words_end - geometry.status_offset()};
  parts_[4] = {reinterpret_cast<std::byte*>(journal_), sizeof(Journal)};
  const std::size_t stamps = geometry.stamps_offset();
  const std::size_t stamps_end = geometry.age_histograms_offset() + k_consumers * sizeof(AgeHistogram);
  parts_[5] = {memory_.control + stamps, shape.stamps ? stamps_end - stamps : 0};
  expects_stamps() = shape.stamps;
  clear();
}

void World::clear() {
  for (const Part& part : parts_) std::memset(part.data, 0, part.size);
  initialize_queue(memory_, 1, shape_.symmetric, shape_.first);
  if (!shape_.stamps) return;
  const Stamping fine{0, static_cast<std::uint8_t>(Stamps::fine)};
  memory_.shared_status().stamping.store_relaxed(fine.word());
}

void World::copy_from(const World& other) noexcept {
  for (std::size_t i = 0; i < std::size(parts_); ++i) std::memcpy(parts_[i].data, other.parts_[i].data, parts_[i].size);
}

std::uint64_t World::hash() const noexcept {
  // Four lanes, so that the multiplications overlap. Every part is a multiple of 8 bytes.
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  for (const Part& part : parts_) {
    for (std::size_t at = 0; at + 8 <= part.size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, part.data + at, 8);
      std::uint64_t& lane = lanes[at / 8 % 4];
      lane = (lane ^ word) * 0x9e3779b97f4a7c15ULL;
      lane ^= lane >> 29;
    }
  }
  return (lanes[0] * 3 ^ lanes[1]) * 0xff51afd7ed558ccdULL ^ (lanes[2] * 5 + lanes[3]);
}

Use::Use(World& world) noexcept : before_(current_world) { current_world = &world; }
Use::~Use() { current_world = before_; }
World* Use::current() noexcept { return current_world; }

unsigned bell_index(int eventfd) noexcept { return bells().index[static_cast<std::size_t>(eventfd)]; }

void fill_message(std::byte* place, std::uint64_t id, std::uint32_t size) noexcept {
  std::memcpy(place, &id, sizeof id);
  for (std::uint32_t at = 8; at + 8 <= size; at += 8) {
    const std::uint64_t word = word_of(id, at);
    std::memcpy(place + at, &word, sizeof word);
  }
}

std::string_view key_of(std::uint64_t id) noexcept {
  static const auto* const keys = [] {
    auto* made = new std::array<std::array<char, 6>, k_messages>;
    for (std::size_t i = 0; i < k_messages; ++i) {
      (*made)[i] = {'k', 'e', 'y', '-', static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
    }
    return made;
  }();
  const auto& key = (*keys)[id % k_messages];
  return {key.data(), key.size()};
}
// Before anything is stepped.
[[maybe_unused]] const std::string_view first_key = key_of(0);

namespace {

std::uint64_t read_payload(const std::byte* data, std::size_t size) noexcept {
  std::uint64_t id = 0;
  if (size != k_inline_size && size != k_lane_size && !is_extended(size)) return 0;
  std::memcpy(&id, data, sizeof id);
  for (std::size_t at = 8; at + 8 <= size; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + at, sizeof word);
    if (word != word_of(id, at)) return 0;
  }
  return id;
}

std::uint64_t checked(std::uint64_t id, std::size_t size, const PropertiesView& properties) noexcept {
  const std::string_view key = is_extended(size) ? key_of(id) : std::string_view();
  return properties.key() == key && !properties.is_damaged() ? id : 0;
}

}  // namespace

std::uint64_t read_message(const Message& message) noexcept {
  if (message.age().has_value() != expects_stamps()) return 0;
  return checked(read_payload(message.bytes().data(), message.size()), message.size(), message.properties());
}
std::uint64_t read_message(const SlotView& view) noexcept {
  const PropertiesView properties({view.data - view.properties_bytes, view.properties_bytes});
  return checked(read_payload(view.data, view.size), view.size, properties);
}

Context& context() noexcept {
  static Context now;
  return now;
}

namespace {

void show(const World& world) {
  const QueueMemory& memory = world.memory();
  const Tail tail = Tail::of(memory.tail().load_relaxed());
  std::printf("  tail %llu generation %u owner %u\n", static_cast<unsigned long long>(tail.position), tail.generation,
              tail.owner);
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const SlotState slot = SlotState::of(memory.slot(i).state.load_relaxed());
    std::printf("  slot %u: position %llu owner %u phase %d, message %llu\n", i,
                static_cast<unsigned long long>(slot.position), slot.owner, static_cast<int>(slot.phase),
                static_cast<unsigned long long>(*reinterpret_cast<std::uint64_t*>(memory.slot(i).payload())));
  }
  for (unsigned group = 0; group < memory.geometry.groups(); ++group) {
    const GroupStateWord state = GroupStateWord::of(memory.group(group).state.load_relaxed());
    if (state.phase == GroupPhase::free) continue;
    const Next next = Next::of(memory.group(group).next.load_relaxed());
    std::printf("  group %u: phase %d floor %llu next %llu version %u\n", group, static_cast<int>(state.phase),
                static_cast<unsigned long long>(wrap(memory.group(group).floor.load_relaxed())),
                static_cast<unsigned long long>(next.position), next.version);
    for (std::uint32_t i = 0; group < k_groups && i < memory.geometry.slots; ++i) {
      const Lease lease = Lease::of(memory.lease(group, i).load_relaxed());
      std::printf("    lease %u: position %llu owner %u tries %u phase %d\n", i,
                  static_cast<unsigned long long>(lease.position), lease.owner, lease.tries,
                  static_cast<int>(lease.phase));
    }
  }
}

}  // namespace

void fail(const World& world, const char* format, ...) {
  const Context& now = context();
  const Shape& shape = world.shape();
  std::printf("FAIL [%s: %s/%s at %llu/%llu, %u slots, %u producers, first %llx, groups%s%s, laps %u, prefill %u] ",
              now.scenario, now.first, now.second, static_cast<unsigned long long>(now.at),
              static_cast<unsigned long long>(now.then_at), shape.slots, shape.producers,
              static_cast<unsigned long long>(shape.first), shape.with_private ? " private" : "",
              shape.with_named ? " named" : "", now.laps, now.prefill);
  std::va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
  show(world);
  std::fflush(stdout);
  ::_exit(1);
}

}  // namespace beltway::crash
