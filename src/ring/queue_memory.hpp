// Where the parts of one queue lie in this process: base pointers, the geometry they were checked against, and the
// bells. Owns nothing. A consumer's ring and heap are mapped read-only: writing there faults, so only producers and
// the repair call what changes a slot.
#pragma once

#include <cstddef>

#include "ring/layout.hpp"

namespace beltway::ring {

/// What a producer has published.
struct Published {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct QueueMemory {
  Geometry geometry;
  std::byte* ring = nullptr;
  std::byte* heap = nullptr;  ///< null if lane_bytes is 0
  std::byte* control = nullptr;
  const int* bells = nullptr;  ///< eventfds, k_bells of them; null: this process rings no bell

  [[nodiscard]] std::uint64_t mask() const noexcept { return geometry.slots - 1; }
  [[nodiscard]] RingHead& ring_head() const noexcept { return *reinterpret_cast<RingHead*>(ring); }
  [[nodiscard]] Word& tail() const noexcept { return ring_head().tail; }
  [[nodiscard]] Slot& slot(Position position) const noexcept {
    return *reinterpret_cast<Slot*>(ring + k_slots_offset + (position & mask()) * geometry.slot_bytes);
  }
  [[nodiscard]] std::byte* lane(unsigned producer) const noexcept { return heap + producer * geometry.lane_bytes; }
  [[nodiscard]] Header& header() const noexcept { return *reinterpret_cast<Header*>(control); }
  [[nodiscard]] SharedStatus& shared_status() const noexcept {
    return *reinterpret_cast<SharedStatus*>(control + geometry.status_offset());
  }
  /// `owner`: 0 to 63 for producers, k_first_consumer + c for consumers; must be below the geometry's maxima.
  [[nodiscard]] Endpoint& endpoint(unsigned owner) const noexcept {
    return reinterpret_cast<Endpoint*>(control + geometry.endpoints_offset())[endpoint_index(owner)];
  }
  /// The bell that `owner` listens to in event mode, with its neighbours.
  [[nodiscard]] int bell(unsigned owner) const noexcept { return bells[endpoint_index(owner) % k_bells]; }
  [[nodiscard]] GroupBlock& group(unsigned index) const noexcept {
    return reinterpret_cast<GroupBlock*>(control + geometry.groups_offset())[index];
  }
  /// Named groups only: `group` below max_groups.
  [[nodiscard]] Word& lease(unsigned group, Position position) const noexcept {
    return reinterpret_cast<Word*>(control +
                                   geometry.leases_offset())[group * std::size_t{geometry.slots} + (position & mask())];
  }
  /// Likewise: the lease time (LeaseTime) of a position.
  [[nodiscard]] Word& lease_time(unsigned group, Position position) const noexcept {
    return reinterpret_cast<Word*>(
        control + geometry.lease_times_offset())[group * std::size_t{geometry.slots} + (position & mask())];
  }
  /// `index`: below k_max_producer_names.
  [[nodiscard]] SequenceRecord& sequence_record(unsigned index) const noexcept {
    return reinterpret_cast<SequenceRecord*>(control + geometry.sequence_records_offset())[index];
  }
  /// The stamp (Stamp) of a position.
  [[nodiscard]] Word& stamp(Position position) const noexcept {
    return reinterpret_cast<Word*>(control + geometry.stamps_offset())[position & mask()];
  }
  /// `consumer`: an index below max_consumers.
  [[nodiscard]] AgeHistogram& age_histogram(unsigned consumer) const noexcept {
    return reinterpret_cast<AgeHistogram*>(control + geometry.age_histograms_offset())[consumer];
  }
  /// `index`: below geometry.parked_slots_words(). Of the slots from index * ParkedSlots::k_slots on.
  [[nodiscard]] Word& parked_slots(std::uint64_t index) const noexcept {
    return reinterpret_cast<Word*>(control + geometry.parked_slots_offset())[index];
  }
  [[nodiscard]] unsigned endpoint_index(unsigned owner) const noexcept {
    return owner < k_first_consumer ? owner : geometry.max_producers + owner - k_first_consumer;
  }
  [[nodiscard]] bool is_endpoint(unsigned owner) const noexcept {
    return owner < k_first_consumer ? owner < geometry.max_producers
                                    : owner - k_first_consumer < geometry.max_consumers;
  }
};

}  // namespace beltway::ring
