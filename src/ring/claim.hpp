// Claiming the next position of the ring: the producer's half of the protocol.
//
// A claim takes a position by moving `tail`, and marks its slot CLAIMED; the producer then writes, and stores READY. `tail`
// names the owner of the last claim, and nobody claims before the slot of the claim before is marked, so that at every
// instruction at most one claim is unmarked and its owner is known.
//
// A single producer marks nothing: it has one claim at a time, which `tail` names, and starts to write only when the slot
// before says READY or VOID; that is what a lossy reader looks for instead of the mark (is_unchanged() in slot_view.hpp).
//
// Thread safety: a Claimer belongs to one producer. Only one Claimer may exist for a single-producer ring.
#pragma once

#include <cstdint>

#include "beltway/detail/inline_publish.hpp"
#include "ring/floors.hpp"
#include "ring/queue_memory.hpp"
#include "ring/room_line.hpp"

namespace beltway {

using detail::Claim;

/// The claim policy of every ring, for detail::try_put().
class Claimer : public detail::InlinePublisher {
 public:
  Claimer(const QueueMemory& map, unsigned producer);

  /// Takes the next position: its slot is this producer's to write. Requires that no notice is unread: see has_news(). Makes no
  /// system call.
  [[nodiscard]] Claim claim(Position& position) noexcept {
    const Claim claim = single_ ? claim_single() : claim_shared();
    position = last();
    return claim;
  }
  /// Claim::ok if claim() would most likely succeed now; takes nothing.
  [[nodiscard]] Claim room() noexcept;

  using InlinePublisher::slot;
  /// Two words: published_messages(), then published_bytes().
  [[nodiscard]] Word& published() const noexcept { return *published_; }
  [[nodiscard]] Word& published_messages() const noexcept { return published_[0]; }
  [[nodiscard]] Word& published_bytes() const noexcept { return published_[1]; }
  /// Ends the last claim: its slot's message is visible. Two stores, on every processor. Pairs with the acquire load of the
  /// slot's state in every reader.
  void commit(Word& slot, Position position, std::uint64_t meta) noexcept {
    (&slot)[1].store_relaxed(meta);
    // plant: ready_before_tail/3
    slot.store_release(position << k_state_shift | ready_low_);
  }
  /// Ends the last claim, of `size` bytes, without a message, and takes back its count.
  void void_claim(std::size_t size) noexcept;

  /// True if the notice word has changed: accept_notice() before the next claim.
  [[nodiscard]] bool has_news() const noexcept { return notice_word_->load_relaxed() != seen_notice_; }
  /// Takes note of the board's news; the cached limit is forgotten. Returns it.
  Notice accept_notice() noexcept;
  /// The present notice stays unread: the next claim meets it again.
  void leave_notice() noexcept { seen_notice_ = ~map_.shared_status().notice.load_relaxed(); }

  /// Ends, as VOID, every CLAIMED slot that says it is ours while we have no claim: we have lost track of it (two threads have
  /// used one producer), or somebody wrote it. Only between claims. True if there was one.
  bool void_lost_claims() noexcept;

  /// Whether a ring that seems full is looked through for acknowledgements that no floor has passed yet (else claim() may say
  /// full too early). That takes the lease words from consumers who are at work: a producer does it seldom.
  void scan_unpassed_acks(bool thorough) noexcept { scans_unpassed_acks_ = thorough; }

  /// Looks at all floors. Returns the lowest.
  Position scan_floors() noexcept;

  /// The position that the lowest floor must pass before a producer that found the ring full is woken. By the pace of the ring
  /// and by how many producers claim before, but a quarter of the ring at most.
  /// `ahead`: ticket().ahead_in_calls().
  [[nodiscard]] Position wake_past(unsigned ahead) const noexcept;
  /// The ring is full: measures its pace.
  void found_full(std::uint64_t now_ns) noexcept { pace_.found_full(next_, now_ns); }
  /// True if wake_past() asks for more than the next slot.
  [[nodiscard]] bool waits_for_several() const noexcept { return pace_.chunk(quarter()) > 1; }
  void forget_pace() noexcept { pace_.forget(); }
  /// This producer's place among those that wait for room. Only used in a ring of several producers.
  [[nodiscard]] RoomTicket& ticket() noexcept { return ticket_; }

  /// Most positions in use that look() has seen.
  [[nodiscard]] std::uint64_t high_water() const noexcept { return high_water_; }
  [[nodiscard]] const QueueMemory& map() const noexcept { return map_; }
  [[nodiscard]] unsigned producer() const noexcept { return producer_; }

 private:
  Claim claim_single() noexcept;
  Claim claim_shared() noexcept;
  /// Several producers: whether `position`, as found under `tail`, may be claimed. `alone`: our claim was the last one.
  [[gnu::always_inline]] Claim may_claim(Position position, Tail tail, bool alone) noexcept;
  bool ensure_room(Position position) noexcept;
  /// Looks at the floors for what is free behind `position`, the next one to claim; false if it is not.
  bool refresh_limit(Position position) noexcept;
  Position scan_floors_from(Position tail) noexcept;
  /// Several producers: takes from the limit what others claim first. False if nothing is left at `position`.
  bool leave_room_to_others(Position position) noexcept;
  [[nodiscard]] Claim why_no_room() const noexcept { return others_turn_ ? Claim::turn : Claim::full; }
  [[nodiscard]] std::uint64_t quarter() const noexcept { return map_.geometry.slots / 4; }

  static_assert(k_tail_shift == 64 - Tail::bits && k_state_shift == 64 - k_position_bits &&
                k_slot_overhead_bytes == sizeof(Slot) && offsetof(Slot, meta) == sizeof(Word) &&
                k_published * sizeof(Word) == offsetof(RingHead, published));

  const QueueMemory map_;
  const bool single_;
  bool scans_unpassed_acks_ = true;
  const std::uint8_t producer_;
  Word* const published_;
  std::uint16_t generation_ = 0;                // under which limit_ was read
  std::uint64_t our_tail_ = ~std::uint64_t{0};  // several producers: `tail` after our last claim
  std::uint64_t high_water_ = 0;
  RoomTicket ticket_;
  RoomPace pace_;
  bool others_turn_ = false;  // the last ensure_room() found room that others claim first
};

/// Marks the slot of the last claim in `tail` for its owner, if that has not done so itself. False if peers kept
/// changing the slot: then look again later.
bool help_tail(const QueueMemory& map, Tail tail) noexcept;

}  // namespace beltway
