// Reading a named group: competing consumers lease positions, and end each lease by an ack or give it back by a nack.
//
//   lease[p mod N]: older lap or RETRY(p) -> LEASED(p, me) -> DONE(p)   ack; then the floor may pass p
//                                                          -> RETRY(p)  nack, or the repair after our death
//
// `next` is only a hint where to look first; the lease word alone says who holds a position. Every setting-back of `next`
// raises its version, so that a slow helper that still holds the old word cannot move it over what was given back: such
// a swap fails. That lets a consumer walk over many positions and move `next` once, at the end; and one that leases one after
// another move it with every eighth.
//
// Thread safety: lease() belongs to the consumer's thread; ack() and nack() may run in any thread of the process.
#pragma once

#include <cstdint>

#include "private_reader.hpp"
#include "slot_view.hpp"

namespace beltway {

class NamedReader {
 public:
  NamedReader(const QueueMap& map, unsigned group, std::uint32_t incarnation, unsigned owner) noexcept
      : map_(map),
        group_(group),
        shared_(map.group(group)),
        leases_(&map.lease(group, 0)),
        incarnation_(incarnation),
        owner_(static_cast<std::uint8_t>(owner)) {}

  /// Leases up to `count` messages into `views`, and says how many in `leased`. `corrupt` is raised by those that made no sense
  /// (they are acknowledged). Look::empty: nothing to lease now, or the group is being removed (see active()).
  Look lease(SlotView* views, std::size_t count, std::size_t& leased, std::uint64_t& corrupt) noexcept;

  /// The common case of lease() for one message: `next` points at it. False: ask lease().
  bool lease_now(SlotView& view, std::uint64_t& corrupt) noexcept;

  /// Ends the lease of a message. False if it was not ours any more.
  bool ack(Position position, std::uint8_t tries) noexcept;
  /// Gives the message back, to be delivered again.
  bool nack(Position position, std::uint8_t tries) noexcept;

  /// Nacks all of them, of which there is at least one, and settles.
  void give_back(const SlotView* views, std::size_t count) noexcept;

  /// After ack(): moves the floor on if somebody may wait for that, or enough has gathered. True if it tried; then
  /// producers that sleep for room may be woken, up to floor().
  bool settle(Position position) noexcept;

  /// False once the group was removed (also if another has taken its place).
  [[nodiscard]] bool active() const noexcept {
    const GroupWord state = GroupWord::of(shared_.state.load_acquire());
    return state.incarnation == incarnation_ && state.phase == GroupPhase::active;
  }
  [[nodiscard]] Position floor() const noexcept { return wrap(shared_.floor.load_acquire()); }
  [[nodiscard]] unsigned group() const noexcept { return group_; }

  /// True if a READY message that nobody holds may be there: whoever takes one while this is true wakes another.
  [[nodiscard]] bool more() const noexcept;

  /// True if no message is left to deliver now or after others' nacks: all that is not DONE is held by ourselves.
  [[nodiscard]] bool all_ours_or_done() const noexcept;

 private:
  enum class Step : std::uint8_t { leased, passed, again, end };
  Step step(Position position, SlotView& view, std::uint64_t& corrupt) noexcept;
  bool end_lease(Position position, std::uint8_t tries, std::uint64_t word) noexcept;

  [[nodiscard]] Word& lease_of(Position position) const noexcept { return leases_[position & map_.mask()]; }
  /// Where to look first: at `next`, behind what we leased and have not told of, or at the floor, whichever is the last.
  [[nodiscard]] Position start(Next next) const noexcept;

  const QueueMap map_;
  const unsigned group_;
  Group& shared_;
  Word* const leases_;  // one a slot
  const std::uint32_t incarnation_;
  const std::uint8_t owner_;
  Position ahead_ = 0;                 // behind our last lease
  std::uint32_t ahead_version_ = ~0U;  // of `next` then; not yet any
};

/// Sets `next` back to `position` if it is there or later, and raises its version in any case: a helper or a walking
/// consumer that saw the lease before cannot move `next` over it.
void set_next_back(const QueueMap& map, unsigned group, Position position) noexcept;

}  // namespace beltway
