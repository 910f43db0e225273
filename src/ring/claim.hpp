// Claiming the next position of the ring: the producer's half of the protocol.
//
// Several producers: a claim takes a position by moving `tail`, and marks its slot CLAIMED. The producer then writes, and stores
// READY. A producer claims only after the slot of the last claim is marked. So at most one claim is unmarked, and `tail` names
// its owner.
//
// A single producer has one claim at a time, and no other process need know of it: there is no `tail`, and no mark. It writes a
// slot only after the slot before is READY or VOID. A lossy reader checks that slot instead of a mark (is_unchanged() in
// slot_view.hpp). If the producer dies, its slot still shows the lap before, and the next producer writes it again.
//
// Thread safety: a Claimer belongs to one producer. Only one Claimer may exist for a single-producer ring.
#pragma once

#include <cstdint>

#include "beltway/detail/inline_publish.hpp"
#include "ring/floors.hpp"
#include "ring/parking.hpp"
#include "ring/queue_memory.hpp"
#include "ring/room_line.hpp"

namespace beltway::ring {

using detail::Claim;

/// The claim policy of every ring, for detail::try_put().
class Claimer : public detail::InlinePublisher {
 public:
  Claimer(const QueueMemory& memory, unsigned producer);

  /// Takes the next position: this producer may write its slot. Requires that no notice is unread, see has_news(). Makes no
  /// system call.
  [[nodiscard]] Claim claim(Position& position) noexcept {
    const Claim claim = single_ ? claim_single() : claim_shared();
    position = last();
    return claim;
  }
  /// Claim::ok if claim() would most likely succeed now. Claims nothing.
  [[nodiscard]] Claim room() noexcept;

  using InlinePublisher::slot;
  /// A message is counted when it is one. The inline path counts it at the claim: see InlinePublisher.
  static constexpr bool k_counts_at_claim = false;
  [[gnu::always_inline]] void count(std::size_t size) noexcept { add_pair(*published_, 1, size); }
  /// What this producer has published.
  [[nodiscard]] Published published() const noexcept {
    const Published counted{published_[0].load_relaxed(), published_[1].load_relaxed()};
    return single_ ? Published{wrap(next_ - not_messages_), bytes_ + counted.bytes} : counted;
  }
  /// Single producer: stores published() for other processes, which see it until then by the slots (load_published() in
  /// counters.hpp).
  void store_published() noexcept;
  /// Ends the last claim: the message in its slot becomes visible. Two stores, on every processor. Pairs with the acquire load
  /// of the slot's state in every reader.
  void commit(Slot& slot, Position position, std::uint64_t meta) noexcept {
    // plant: flag_behind_ready
    slot.meta.store_relaxed(meta);
    // plant: flag_behind_ready/2
    slot.state.store_release(SlotState{position, 0, {}}.word() | ready_low_);
  }
  /// Ends the last claim without a message.
  void void_claim(std::size_t size) noexcept;

  /// True if the notice word has changed: accept_notice() before the next claim.
  [[nodiscard]] bool has_news() const noexcept { return notice_word_->load_relaxed() != seen_notice_; }
  /// Reads the notice word and forgets the cached limit. Returns the notice.
  Notice accept_notice() noexcept;
  /// Keeps the present notice unread: the next claim finds it again.
  void leave_notice() noexcept { seen_notice_ = ~memory_.shared_status().notice.load_relaxed(); }

  /// Makes each slot VOID that is CLAIMED by this producer. Call it only between claims: then such a slot is a lost claim (two
  /// threads used one producer) or a scribble. True if there was one.
  bool void_lost_claims() noexcept;

  /// Whether claim() scans a full ring for acks that no floor has passed. Without the scan claim() may return full too early.
  /// The scan takes lease words from working consumers, so a producer rarely turns it on. Held messages are parked with the scan
  /// alone: see parking.hpp.
  void scan_unpassed_acks(bool thorough) noexcept { scans_unpassed_acks_ = thorough; }
  /// Whether a claim that finds the ring full waits for k_park_patience_ns before it parks, in a ring where consumers park before
  /// it is full (NamedReader::park_before_full): a search for what may be parked takes lease words from them.
  void leave_parking_to_consumers(bool leaves) noexcept {
    leaves_parking_ = leaves && memory_.geometry.slots >= k_least_slots_to_park_early;
  }
  /// Scans all floors. Returns the lowest.
  Position scan_floors() noexcept;
  /// Parks held messages that hold a floor. `patient`: only once the floor has stood for k_park_patience_ns. True if a floor
  /// moved.
  bool park(bool patient = false) noexcept;

  /// The position that the lowest floor must pass before a producer that found the ring full is woken. Depends on the pace of
  /// the ring and on the producers that claim first. At most a quarter of the ring.
  /// `ahead`: ticket().ahead_in_calls().
  [[nodiscard]] Position wake_past(unsigned ahead) const noexcept;
  /// The ring is full: measures its pace.
  void found_full(std::uint64_t now_ns) noexcept { pace_.found_full(next_, now_ns); }
  /// True if wake_past() asks for more than the next slot.
  [[nodiscard]] bool waits_for_several() const noexcept { return pace_.chunk(quarter()) > 1; }
  void forget_pace() noexcept { pace_.forget(); }
  /// This producer's place among those that wait for room. Only used in a ring of several producers.
  [[nodiscard]] RoomTicket& ticket() noexcept { return ticket_; }

  /// Most positions in use that scan_floors() has seen.
  [[nodiscard]] std::uint64_t high_water() const noexcept { return high_water_; }
  [[nodiscard]] const QueueMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] unsigned producer() const noexcept { return producer_; }

 private:
  Claim claim_single() noexcept;
  Claim claim_shared() noexcept;
  /// Several producers: whether `position`, read from `tail`, may be claimed. `alone`: our claim was the last one.
  [[gnu::always_inline]] Claim may_claim(Position position, Tail tail, bool alone) noexcept;
  bool ensure_room(Position position) noexcept;
  /// Single producer: as ensure_room(), for the next position. Makes parked positions VOID and goes on behind them.
  bool ensure_room_behind_parked() noexcept;
  /// Several producers: claims the parked position next_ and makes it VOID. Requires the mark of the last claim in `word`, and a
  /// scan of the floors under it. False: another producer was faster, or the slot is in use.
  bool void_parked(std::uint64_t word) noexcept;
  /// After a parked position was made VOID: the positions behind it, up to the next parked slot, may be claimed without another
  /// scan of the floors.
  void go_on_behind_void() noexcept;
  /// After a claim that failed behind `voided` positions that it made VOID: wakes the endpoints that they concern.
  Claim after_voids(Claim claim, std::uint32_t voided) noexcept;
  /// Scans the floors and sets limit_. True if `position`, the next one to claim, may be claimed.
  bool refresh_limit(Position position) noexcept;
  /// Single producer: sets limit_ and `stop_` so that the next claim is not inline.
  void stop_inline_path() noexcept { stop_ = limit_ = next_; }
  /// Single producer: sets `stop_` by limit_ and next_.
  void set_stop() noexcept;
  /// Single producer: tells lossy readers how far the claims may go now. Never back: a claim of a dead producer may lie there.
  void raise_claim_limit(Position limit) noexcept;
  Position scan_floors_from(Position tail) noexcept;
  /// Several producers: lowers the limit by the slots that older tickets claim first. False if nothing is left at `position`.
  bool leave_room_to_others(Position position) noexcept;
  [[nodiscard]] Claim why_no_room() const noexcept {
    return next_is_parked_ ? Claim::parked : others_turn_ ? Claim::turn : Claim::full;
  }
  /// How much room a drop makes at least in groups that keep only their newest messages: an eighth of the slots, so that not each
  /// claim has to drop.
  [[nodiscard]] std::uint64_t dropped_for_room() const noexcept { return memory_.geometry.slots / 8 + 1; }
  [[nodiscard]] std::uint64_t quarter() const noexcept { return memory_.geometry.slots / 4; }

  const QueueMemory memory_;
  const bool single_;
  bool scans_unpassed_acks_ = true;
  bool leaves_parking_ = false;
  const std::uint8_t producer_;
  /// Messages and bytes: several producers: those in the endpoint; a single producer: those that were not published inline.
  Word* const published_;
  alignas(2 * sizeof(Word)) Word not_inline_[2]{};
  Position not_messages_ = 0;  // single producer: positions before next_ that are no messages of this producer
  Position claim_limit_ = 0;   // single producer: as in RingHead
  const std::uint64_t
      stop_mask_;  // single producer: positions between two turns at which the counters are stored, less one
  const Word* const parked_slots_;
  std::uint16_t generation_ = 0;                // under which limit_ was read
  std::uint64_t our_tail_ = ~std::uint64_t{0};  // several producers: `tail` after our last claim
  std::uint64_t high_water_ = 0;
  RoomTicket ticket_;
  RoomPace pace_;
  bool others_turn_ = false;  // the last ensure_room() found room that others claim first
  // Parking. next_is_parked_: the last ensure_room() found that the next position has room, and that its slot is parked.
  bool next_is_parked_ = false;
  Position floor_limit_ = 0;         // what limit_ would be if no slot were parked
  Position full_floor_ = 0;          // the lowest floor when the ring was found full
  std::uint64_t full_since_ns_ = 0;  // since when it is the same; 0: the ring was not full
};

/// Marks the slot of the last claim in `tail` for its owner, unless the owner has marked it. False if peers kept changing the
/// slot: try again later.
bool help_tail(const QueueMemory& memory, Tail tail) noexcept;

}  // namespace beltway::ring
