// See dead_letters.hpp.
#include "dead_letters.hpp"

#include "beltway/detail/atomics.hpp"
#include "os/kernel.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/tuning.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

class JournalOfMoves : public endpoint::DeadLetters {
 public:
  explicit JournalOfMoves(World& world) : world_(world) {}

  endpoint::Move move(const SlotView& view, const DeadLetter& letter, const NamedReader& reader) noexcept override {
    Journal& journal = world_.journal();
    const bool is_ours = reader.is_ours(view.position, view.tries);
    const std::uint64_t id = read_message(view);
    if (!is_ours) return endpoint::Move::not_ours;
    if (id == 0 || id >= k_messages) fail(world_, "a torn message is moved");
    if (letter.position != view.position)
      fail(world_, "message %d is moved with a wrong position", static_cast<int>(id));
    if (journal.moves_are_closed != 0) return endpoint::Move::not_now;
    Entry& entry = journal.messages[id];
    entry.moving = 1;
    detail::compiler_fence();
    ++entry.moved;
    detail::compiler_fence();
    // No consumer has seen a message that has expired.
    entry.position = view.position;
    entry.leased = 1;
    detail::compiler_fence();
    return endpoint::Move::done;
  }
  void refresh() noexcept override {}

 private:
  World& world_;
};

void set_redelivery(Crew& crew, std::uint8_t max_deliveries) {
  const Redelivery moves{
      .delay_ms = 0, .max_delay_ms = 0, .max_deliveries = max_deliveries, .discards = false, .dead_letters = true};
  crew.world().memory().group(k_group).redelivery.store_relaxed(moves.word());
}

void make(Crew& crew, unsigned owner) {
  set_redelivery(crew, 2);
  crew.consumer(owner);
}
void make_closed(Crew& crew, unsigned owner) {
  make(crew, owner);
  crew.world().journal().moves_are_closed = 1;
}
/// A message waits for its move, and is due.
void reject_before(Crew& crew, unsigned owner) {
  make_closed(crew, owner);
  crew.reject(owner);
  crew.world().journal().moves_are_closed = 0;
  for (std::uint64_t us = 0; us <= k_dead_letter_retry_us; us += 1'000) os::give_way();
}
void make_spent(Crew& crew, unsigned owner) {
  set_redelivery(crew, 1);
  crew.lease(owner, true);
  set_redelivery(crew, 0);
  crew.lease(owner, false);
  set_redelivery(crew, 1);
}

/// Leases end by time, and each message that is held for too long is spent.
void make_timed(Crew& crew, unsigned owner) {
  crew.world().memory().group(k_group).times.store_relaxed(GroupTimes{5, 0}.word());
  set_redelivery(crew, 1);
  crew.forget(owner);  // so that it reads the option
  crew.consumer(owner);
}

/// All messages that are there have expired, if they have stamps.
void make_expired(Crew& crew, unsigned owner) {
  crew.world().memory().group(k_group).times.store_relaxed(GroupTimes{0, 5}.word());
  crew.forget(owner);  // so that it reads the option
  make(crew, owner);
  for (int ms = 0; ms < 20; ++ms) os::give_way();
}

void reject(Crew& crew, unsigned owner) {
  crew.reject(owner);
  crew.lease(owner, true);
}
void fail_twice(Crew& crew, unsigned owner) {
  for (int i = 0; i < 2; ++i) crew.lease(owner, false);
}
/// What is due is moved, what is READY is taken.
void receive(Crew& crew, unsigned owner) {
  for (int i = 0; i < 2; ++i) crew.lease(owner, true);
}

/// It finds its own lease over, and moves the message.
void hang(Crew& crew, unsigned owner) {
  crew.lease_and_hang(owner);
  crew.lease(owner, true);
}

constexpr Operation k_operations[] = {
    {"reject", Role::named, make, reject},
    {"fail_for_good", Role::named, make, fail_twice},
    {"reject_later", Role::named, make_closed, reject},
    {"move_later", Role::named, reject_before, receive},
    {"move_spent", Role::named, make_spent, receive},
    {"move_lease_over", Role::named, make_timed, hang},
    {"move_expired", Role::named, make_expired, receive},
};

}  // namespace

std::shared_ptr<endpoint::DeadLetters> make_dead_letters(World& world) {
  return std::make_shared<JournalOfMoves>(world);
}

std::span<const Operation> dead_letter_operations() noexcept { return k_operations; }

std::vector<Beginning> with_dead_letters(std::vector<Beginning> beginnings) {
  std::erase_if(beginnings, [](const Beginning& each) { return !each.shape.with_named || each.prefill == 0; });
  for (Beginning& each : beginnings) each.shape.max_parked = each.laps % 2 == 0 ? each.shape.slots / 2 : 0;
  return beginnings;
}

}  // namespace beltway::crash
