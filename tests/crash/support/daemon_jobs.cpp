// See daemon_jobs.hpp.
#include "daemon_jobs.hpp"

#include "disorder.hpp"
#include "ring/groups.hpp"
#include "ring/live_groups.hpp"
#include "ring/one_message.hpp"
#include "seen.hpp"
#include "stepper.hpp"

namespace beltway::crash {

using namespace beltway::ring;

namespace {

bool always(const Beginning& /*beginning*/) { return true; }
bool with_named(const Beginning& beginning) { return beginning.shape.with_named; }

/// A private consumer that attaches: when the daemon comes back its process is gone, or asks again; either way what was
/// begun for it is undone.
template <GroupKind kind, Start start>
void attach_private(World& world) {
  join(world.memory(), private_group(k_joiner), kind, start);
  attach(world, k_joiner, private_group(k_joiner));
}
void undo_attach(World& world) { bury(world, k_joiner); }

/// A named group is made in the daemon's records first, then in shared memory.
template <Start start>
void make_group(World& world) {
  join(world.memory(), k_other_group, GroupKind::named, start);
}
template <Start start>
void make_group_again(World& world) {
  make_group<start>(world);
  // It holds all that came since; nobody reads it here, so it goes.
  if (!leave(world.memory(), k_other_group)) fail(world, "a group without leases does not drain");
  free_group(world.memory(), k_other_group);
}

void remove_group(World& world) {
  if (leave(world.memory(), k_group)) free_group(world.memory(), k_group);
}
void remove_group_again(World& world) {
  // Freed already: the records say so last, and nothing was lost by doing it once more.
  if (GroupStateWord::of(world.memory().group(k_group).state.load_acquire()).phase == GroupPhase::free) return;
  if (!leave(world.memory(), k_group)) fail(world, "a group without leases does not drain");
  free_group(world.memory(), k_group);
}

void purge_group(World& world) {
  world.journal().forgiven = 1;
  purge(world.memory(), k_group);
}

/// The record says paused before the memory does; the next daemon pauses the group, and resumes it when it is asked.
void pause_group(World& world) { pause(world.memory(), k_group); }
void pause_group_again(World& world) {
  pause(world.memory(), k_group);
  resume(world.memory(), k_group);
}
void resume_group(World& world) { resume(world.memory(), k_group); }
void paused(Crew& crew) { pause(crew.world().memory(), k_group); }

/// The record says where the group is to begin, and the next daemon does all steps again.
Position reset_begins = 0;
void reset_group(World& world) {
  world.journal().was_reset = 1;
  reset(world.memory(), k_group, reset_begins);
}
/// Before it is reset, the group acknowledges a message.
void ack_one(Crew& crew) {
  reset_begins = wrap(crew.world().memory().group(k_group).floor.load_acquire());
  static_cast<void>(crew.lease(k_named_a, true));
}

Position oldest_message(const World& world) { return wrap(world.memory().group(k_group).floor.load_acquire()); }

/// An operator's requests about one message. No record says what was begun: the next daemon heals, and the message is delivered.
void hold_one_message(World& world) {
  static_cast<void>(hold_message(world.memory(), k_group, oldest_message(world), 0));
}
void acknowledge_one_message(World& world) {
  world.journal().forgiven = 1;
  static_cast<void>(ack_message(world.memory(), k_group, oldest_message(world)));
}

void detach_private(World& world) { bury(world, k_private); }
void detach_producer(World& world) { bury(world, k_producer_a); }
void detach_named(World& world) { bury(world, k_named_a); }
bool with_private(const Beginning& beginning) { return beginning.shape.with_private; }

template <unsigned owner>
void hold_one(Crew& crew) {
  crew.hold(owner);
}
template <unsigned owner>
void throw_out(World& world) {
  evict(world, owner);
}

/// The disorder is written before; healing is killed at every step, and done again.
template <void (*write)(World&)>
void in_disorder(Crew& crew) {
  write(crew.world());
}

constexpr DaemonJob k_jobs[] = {
    {"attach_latest", always, attach_private<GroupKind::private_reliable, Start::latest>, undo_attach},
    {"attach_oldest", always, attach_private<GroupKind::private_reliable, Start::oldest>, undo_attach},
    {"attach_lossy", always, attach_private<GroupKind::lossy, Start::oldest>, undo_attach},
    {"make_group_latest", always, make_group<Start::latest>, make_group_again<Start::latest>},
    {"make_group_oldest", always, make_group<Start::oldest>, make_group_again<Start::oldest>},
    {"remove_group", with_named, remove_group, remove_group_again},
    {"purge_group", with_named, purge_group, purge_group},
    {"pause_group", with_named, pause_group, pause_group_again},
    {"resume_group", with_named, resume_group, resume_group, paused},
    {"reset_group", with_named, reset_group, reset_group, ack_one},
    {"hold_message", with_named, hold_one_message, heal},
    {"ack_message", with_named, acknowledge_one_message, heal},
    {"detach_private", with_private, detach_private, detach_private},
    {"detach_producer", always, detach_producer, detach_producer},
    {"detach_named", with_named, detach_named, detach_named},
    {"evict_private", with_private, throw_out<k_private>, throw_out<k_private>, hold_one<k_private>},
    {"evict_named", with_named, throw_out<k_named_a>, throw_out<k_named_a>, hold_one<k_named_a>},
    {"heal_nothing", always, heal, heal},
    {"heal_tail_ahead", always, heal, heal, in_disorder<write_tail_ahead>},
    {"heal_tail_far_away", always, heal, heal, in_disorder<write_tail_far_away>},
    {"heal_free_slot", always, heal, heal, in_disorder<write_free_slot>},
    {"heal_floor_beyond", with_named, heal, heal, in_disorder<write_floor_beyond>},
    {"heal_floor_far_behind", with_named, heal, heal, in_disorder<write_floor_far_behind>},
    {"heal_next_beyond", with_named, heal, heal, in_disorder<write_next_beyond>},
    {"heal_lease_of_nobody", with_named, heal, heal, in_disorder<write_lease_of_nobody>},
    {"heal_lease_of_a_later_lap", with_named, heal, heal, in_disorder<write_lease_of_a_later_lap>},
    {"heal_sleepers_of_nobody", always, heal, heal, in_disorder<write_sleepers_of_nobody>},
};

}  // namespace

std::span<const DaemonJob> daemon_jobs() noexcept { return k_jobs; }

Counts kill_daemon(const DaemonJob& job, const std::vector<Beginning>& beginnings) {
  Counts counts;
  context() = {.scenario = "the daemon is killed", .first = job.name};
  for (const Beginning& beginning : beginnings) {
    if (!job.applies(beginning)) continue;
    World live(beginning.shape);
    World image(beginning.shape);
    const Use use(live);
    Crew crew(live);
    begin(live, crew, beginning, {});
    if (job.prepare != nullptr) job.prepare(crew);
    Seen seen;
    const auto check = [&](std::uint64_t at) {
      if (!seen.is_new(live.hash())) return Then::step;
      context().at = at;
      image.copy_from(live);
      const Use use_image(image);
      job.again(image);
      check_rest(image, {}, Depth::usable);
      ++counts.images;
      return Then::step;
    };
    step([&] { job.run(live); }, check);
    check(~0ULL);
    ++counts.runs;
  }
  return counts;
}

}  // namespace beltway::crash
