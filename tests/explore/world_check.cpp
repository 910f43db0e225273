// What must be true of a World when its actors are through. See world.hpp.
#include <algorithm>

#include "ring/floors.hpp"
#include "ring/readers/named_reader.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr unsigned k_first_spare_id = 40;  // ids below are for actors

}  // namespace

void World::drain(unsigned consumer) {
  while (receive(consumer)) {
  }
  const unsigned group = memory.geometry.max_groups + consumer;
  if (wrap(memory.group(group).floor.load_acquire()) != load_tail(memory)) {
    fail("a private consumer cannot go on: what it waits for is overwritten or never finished");
  }
}

void World::check_private(unsigned consumer, bool gapless) {
  drain(consumer);
  const Log& log = got[consumer];
  std::array<unsigned, 64> times{};
  for (unsigned i = 0; i < log.count; ++i) {
    ++times[log.entries[i].id];
    if (i != 0 && distance(log.entries[i].position, log.entries[i - 1].position) <= 0) {
      fail("a private consumer got messages out of order");
    }
  }
  for (unsigned id = 0; id < times.size(); ++id) {
    if (times[id] > 1) fail("a private consumer got a message twice");
    if (gapless && published[id] && times[id] == 0) fail("a private consumer missed a message");
  }
}

void World::check_joined(unsigned consumer) {
  drain(consumer);
  const Log& log = got[consumer];
  std::array<bool, 64> here{};
  for (unsigned i = 0; i < log.count; ++i) {
    here[log.entries[i].id] = true;
    if (i != 0 && log.entries[i].position != wrap(log.entries[i - 1].position + 1)) {
      fail("a group that joined missed a message in the middle");
    }
  }
  for (unsigned id = 0; id < here.size(); ++id) {
    if (published[id] && after_join_[id] && !here[id]) fail("a group missed a message published after it had joined");
  }
}

void World::check_joined_group(unsigned group, unsigned by, bool gapless) {
  for (unsigned turns = 0; receive(by); ++turns) {
    if (turns > 60) fail("messages of a group come again and again");
  }
  const Log& log = got[by];
  for (unsigned i = 1; i < log.count && gapless; ++i) {
    if (log.entries[i].position != wrap(log.entries[i - 1].position + 1)) {
      fail("a group that joined missed a message in the middle");
    }
  }
  for (unsigned id = 0; id < acked.size(); ++id) {
    if (acked[id] > 1) fail("a message was acknowledged twice");
    if (published[id] && after_join_[id] && acked[id] == 0) {
      fail("a group missed a message published after it had joined");
    }
  }
  help_floor(memory, group);
  if (wrap(memory.group(group).floor.load_acquire()) != load_tail(memory)) fail("a group's floor stays behind");
}

void World::check_named(unsigned group, unsigned by, unsigned unsure) {
  if (!consumers[by]) add_consumer(by, group);
  for (unsigned turns = 0; receive(by); ++turns) {
    if (turns > 60) fail("messages of a group come again and again");
  }
  for (unsigned id = 0; id < acked.size(); ++id) {
    if (acked[id] > 1) fail("a message was acknowledged twice");
    if (!published[id] || acked[id] != 0) continue;
    if (unsure == 0) fail("a message of a group is lost: nobody gets it any more");
    --unsure;
  }
  help_floor(memory, group);
  if (wrap(memory.group(group).floor.load_acquire()) != load_tail(memory)) fail("a group's floor stays behind");
}

void World::check_sleeper(unsigned actor, unsigned owner) {
  if (!is_asleep(actor)) return;
  if (owner >= k_first_consumer) {
    const Status status = consumers[owner - k_first_consumer]->try_receive().status();
    if (status == Status::ok) fail("a message waits while a consumer sleeps");
    if (status != Status::empty) fail("a consumer sleeps and is not told why there is nothing more");
  } else if (publish(owner, k_first_spare_id)) {
    fail("a producer sleeps though there is room");
  }
}

void World::check_usable(unsigned producer, unsigned consumer) {
  if (!producers[producer]) add_producer(producer);
  for (unsigned i = 0; i < 2 * memory.geometry.slots; ++i) {
    const unsigned before = got[consumer].count;
    if (!publish(producer, k_first_spare_id + i)) fail("the queue is not usable any more: publish finds no room");
    for (unsigned c = 0; c < k_most; ++c) {
      while (consumers[c] && receive(c)) {
      }
    }
    if (got[consumer].count != before + 1) fail("the queue is not usable any more: a message does not arrive");
  }
}

}  // namespace beltway::explore
