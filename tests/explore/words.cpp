#include "words.hpp"

#include <cstdio>

#include "explorer.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

QueueMemory shown;

/// A position as a small number: tests start just below the wrap, so the first ones are negative.
template <unsigned bits = k_position_bits>
int number(std::uint64_t position) {
  return static_cast<int>(distance<bits>(position, 0));
}

struct Text {
  char* out;
  std::size_t size;
  template <class... Arguments>
  void say(const char* format, Arguments... arguments) const {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    std::snprintf(out, size, format, arguments...);
#pragma GCC diagnostic pop
  }
};

bool describe_slot(const void* word, std::uint64_t value, const Text& text) {
  static constexpr const char* k_phases[] = {"CLAIMED", "READY", "VOID", "GONE"};
  for (unsigned i = 0; i < shown.geometry.slots; ++i) {
    const Slot& slot = shown.slot(i);
    const SlotState state = SlotState::of(value);
    if (word == &slot.state) {
      text.say("slot %u = %s(%d, producer %d)", i, k_phases[value & 3], number(state.position), state.owner);
    } else if (word == &slot.meta) {
      text.say("size in slot %u = %d%s", i, static_cast<int>(SlotMeta::of(value).size),
               SlotMeta::of(value).flags == 0 ? "" : ", in the lane");
    } else if (word >= slot.payload() && word < slot.payload() + 16) {
      text.say("payload in slot %u = %llx", i, static_cast<unsigned long long>(value));
    } else {
      continue;
    }
    return true;
  }
  return false;
}

bool describe_group(const void* word, std::uint64_t value, const Text& text) {
  static constexpr const char* k_phases[] = {"FREE", "JOINING", "ACTIVE", "LEAVING", "DRAINED"};
  static constexpr const char* k_leases[] = {"?",       "LEASED", "DONE",           "RETRY",
                                             "DELAYED", "PARKED", "PARKED_DELAYED", "?"};
  for (unsigned g = 0; g < shown.geometry.groups(); ++g) {
    const GroupBlock& group = shown.group(g);
    if (word == &group.state) {
      text.say("group %u = %s", g, (value & 0xff) < 5 ? k_phases[value & 0xff] : "?");
    } else if (word == &group.floor) {
      text.say("floor of group %u = %d", g, number(value));
    } else if (word == &group.next) {
      const Next next = Next::of(value);
      text.say("next of group %u = %d, version %u", g, number<Next::bits>(next.position), next.version);
    } else if (word == &group.earliest_due) {
      const EarliestDue due = EarliestDue::of(value);
      text.say("earliest due of group %u = %llu us, version %u", g, static_cast<unsigned long long>(due.due_us),
               due.version);
    } else {
      continue;
    }
    return true;
  }
  for (unsigned g = 0; g < shown.geometry.max_groups; ++g) {
    for (unsigned i = 0; i < shown.geometry.slots; ++i) {
      if (word != &shown.lease(g, i)) continue;
      const Lease lease = Lease::of(value);
      text.say("lease %u of group %u = %s(%d, owner %d, tries %d)", i, g, k_leases[value & 7],
               number<Lease::bits>(lease.position), lease.owner, lease.tries);
      return true;
    }
    for (unsigned i = 0; i < shown.geometry.slots; ++i) {
      if (word != &shown.lease_time(g, i)) continue;
      const LeaseTime time = LeaseTime::of(value);
      text.say("lease time %u of group %u = due %llu us, owner %d, tries %d", i, g,
               static_cast<unsigned long long>(time.due_us), time.owner, time.tries);
      return true;
    }
  }
  return false;
}

bool describe_endpoint(const void* word, std::uint64_t value, const Text& text) {
  static constexpr const char* k_phases[] = {"AWAKE", "ASLEEP", "SIGNALLED", "WAKING"};
  for (unsigned i = 0; i < shown.geometry.endpoints(); ++i) {
    const unsigned owner = i < shown.geometry.max_producers ? i : k_first_consumer + i - shown.geometry.max_producers;
    const Endpoint& endpoint = shown.endpoint(owner);
    if (word == &endpoint.wait) {
      text.say("wait word of %u = %s, sequence %d", owner, k_phases[value & 3], static_cast<int>(value >> 2));
    } else if (word == &endpoint.wake_past) {
      text.say("%u wants to be woken past %d", owner, number(value));
    } else if (word == &endpoint.wake_busy) {
      text.say("%u wants to be woken by any end of a claim = %d", owner, static_cast<int>(value));
    } else if (word == &endpoint.sleeps_on) {
      text.say("%u sleeps on %s", owner, value == k_sleeps_on_bell ? "its bell" : "its word");
    } else if (word == &endpoint.ticket) {
      text.say("%u has ticket %d in the line for room", owner, static_cast<int>(value));
    } else if (word == &endpoint.identity) {
      text.say("identity of %u", owner);
    } else {
      continue;
    }
    return true;
  }
  return false;
}

void describe(const void* word, std::uint64_t value, char* out, std::size_t size) {
  const Text text{out, size};
  const SharedStatus& shared_status = shown.shared_status();
  const auto plain = static_cast<unsigned long long>(value);
  if (word == &shown.tail()) {
    const Tail tail = Tail::of(value);
    return text.say("tail = %d, generation %d, last claim by %d", number<Tail::bits>(tail.position), tail.generation,
                    tail.owner);
  }
  if (word == &shown.ring_head().claim_limit) return text.say("claim limit = %d", number<k_position_bits>(value));
  if (word == &shared_status.notice) return text.say("notice = %llx", plain);
  if (word == &shared_status.consumer_sleepers) return text.say("sleeping consumers = %llx", plain);
  if (word == &shared_status.producer_sleepers) return text.say("sleeping producers = %llx", plain);
  if (word == &shared_status.live_producers) return text.say("live producers = %llx", plain);
  if (word == &shared_status.producers_ever) return text.say("producers ever = %llu", plain);
  if (describe_slot(word, value, text) || describe_group(word, value, text) || describe_endpoint(word, value, text)) {
    return;
  }
  const auto* const place = static_cast<const std::byte*>(word);
  if (place >= shown.heap && place < shown.heap + shown.geometry.heap_bytes()) {
    return text.say("lane byte %d = %llx", static_cast<int>(place - shown.heap), plain);
  }
  text.say("a word = %llx", plain);
}

}  // namespace

void show_words_of(const QueueMemory& memory) {
  shown = memory;
  set_describe(&describe);
}

}  // namespace beltway::explore
