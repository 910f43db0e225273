// See room_line.hpp.
#include "ring/room_line.hpp"

#include <algorithm>
#include <bit>

namespace beltway::ring {

namespace {
/// Of a ticket: its holder waits in a call.
constexpr std::uint64_t k_in_call = 1;
}  // namespace

RoomTicket::RoomTicket(const QueueMemory& memory, unsigned producer) noexcept : memory_(memory), producer_(producer) {}

void RoomTicket::take(bool in_call) noexcept {
  if (ticket_ != 0) return;
  ticket_ = (memory_.shared_status().next_ticket.fetch_add(1) + 1) << 1 | (in_call ? k_in_call : 0);
  if (ticket_ == 0) ticket_ = k_in_call;  // 0 says "none", whatever a peer wrote
  memory_.endpoint(producer_).ticket.store_relaxed(ticket_);
  show();
}

void RoomTicket::give_back() noexcept {
  if (ticket_ == 0) return;
  ticket_ = 0;
  hide();
  memory_.endpoint(producer_).ticket.store_relaxed(0);
}

void RoomTicket::hide() noexcept { memory_.shared_status().room_line.fetch_and(~bit()); }
void RoomTicket::show() noexcept { memory_.shared_status().room_line.fetch_or(bit()); }

RoomTicket::Ahead RoomTicket::read_ahead() noexcept {
  std::uint64_t waiting = memory_.shared_status().room_line.load_relaxed() & ~bit();
  if (memory_.geometry.max_producers < k_max_producers) waiting &= (1ULL << memory_.geometry.max_producers) - 1;
  Ahead found;
  for (; waiting != 0; waiting &= waiting - 1) {
    const auto other = static_cast<unsigned>(std::countr_zero(waiting));
    const std::uint64_t ticket = memory_.endpoint(other).ticket.load_relaxed();
    if (ticket == 0 || ticket == passed_over_[other]) continue;
    if (ticket_ != 0 && static_cast<std::int64_t>(ticket - ticket_) > 0) continue;
    if (found.ahead == 0 || static_cast<std::int64_t>(ticket - first_ticket_) < 0) {
      first_ = other;
      first_ticket_ = ticket;
    }
    ++found.ahead;
    if ((ticket & k_in_call) != 0) ++found.in_calls;
  }
  return found;
}

bool RoomTicket::pass_over_if_overdue(std::uint64_t now_ns) noexcept {
  if (watched_ticket_ != first_ticket_) {
    watched_ticket_ = first_ticket_;
    watched_since_ns_ = now_ns;
    return false;
  }
  // plant: a_ticket_is_never_passed_over
  if (now_ns - watched_since_ns_ < k_turn_ns) return false;
  passed_over_[first_] = first_ticket_;
  return true;
}

void RoomPace::found_full(Position position, std::uint64_t now_ns) noexcept {
  if (since_ns_ != 0) {
    // A burst is no pace: what came free in a shorter time counts with what comes afterwards.
    if (now_ns - since_ns_ < k_room_interval_ns) return;
    // In a floating point number: positions times nanoseconds have no 64 bits.
    const double moved = static_cast<double>(wrap(position - position_));
    const double chunk = moved * static_cast<double>(k_room_interval_ns) / static_cast<double>(now_ns - since_ns_);
    chunk_ = chunk < 1 ? 1 : static_cast<std::uint64_t>(std::min(chunk, static_cast<double>(k_max_slots)));
  }
  position_ = position;
  since_ns_ = now_ns;
}

std::uint64_t RoomPace::chunk(std::uint64_t most) const noexcept {
  return std::clamp<std::uint64_t>(chunk_, 1, std::max<std::uint64_t>(most, 1));
}

}  // namespace beltway::ring
