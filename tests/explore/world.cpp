// Endpoints and what actors do; the checks are in world_check.cpp. See world.hpp.
#include "world.hpp"

#include <array>
#include <cstring>
#include <span>

#include "../support/living.hpp"
#include "endpoint/dead_letters.hpp"
#include "memory.hpp"
#include "recovery/eviction.hpp"
#include "recovery/lane_recovery.hpp"
#include "recovery/repair.hpp"
#include "ring/queue_setup.hpp"
#include "words.hpp"

namespace beltway::explore {

using namespace beltway::detail;
using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

/// Of waits that are not patient, in the explorer's time.
constexpr std::chrono::nanoseconds k_deadline{1000};

constexpr std::size_t k_small_words = 2;
constexpr std::size_t k_large_words = 3;

std::uint64_t word_of(unsigned id, std::size_t i) { return id * 0x0101010101010101ULL ^ i << 56; }

/// The message's number; fails if its words do not belong together.
unsigned read_id(std::span<const std::byte> bytes) {
  std::uint64_t words[k_large_words] = {};
  if (bytes.size() != sizeof words && bytes.size() != k_small_words * 8) fail("a message has a wrong size");
  copy_racing(reinterpret_cast<std::byte*>(words), bytes.data(), bytes.size());
  const auto id = static_cast<unsigned>(words[0] & 0xff);
  for (std::size_t i = 0; i < bytes.size() / 8; ++i) {
    if (words[i] != word_of(id, i)) fail("a message is torn");
  }
  return id;
}

/// The first character of the key.
char read_key(const PropertiesView& properties) {
  std::byte key{};
  if (!properties.key().empty())
    copy_racing(&key, reinterpret_cast<const std::byte*>(properties.key().data()), sizeof key);
  return static_cast<char>(key);
}

}  // namespace

World::World(const WorldOptions& options) : evictable_(options.evictable) {
  memory.geometry = {.slots = options.slots,
                     .slot_bytes = 32,
                     .lane_bytes = options.lane_bytes,
                     .max_producers = options.producers,
                     .max_consumers = options.consumers,
                     .max_groups = options.groups,
                     .max_parked = options.max_parked};
  memory.ring = shared_memory();
  memory.control = memory.ring + memory.geometry.ring_bytes();
  memory.heap = memory.control + memory.geometry.control_bytes();
  memory.bells = bells_.data();
  for (unsigned i = 0; i < bells_.size() && !options.one_bell; ++i) bells_[i] = static_cast<int>(i);
  std::memset(memory.ring, 0,
              memory.geometry.ring_bytes() + memory.geometry.control_bytes() + memory.geometry.heap_bytes());
  initialize_queue(memory, 1, false, options.first);
  set_quiet(shared_memory(), k_shared_bytes, false);
  set_quiet(memory.shared_status().totals, sizeof memory.shared_status().totals, true);
  for (unsigned i = 0; i < memory.geometry.endpoints(); ++i) {
    const unsigned owner = i < options.producers ? i : k_first_consumer + i - options.producers;
    set_quiet(memory.endpoint(owner).counters, sizeof memory.endpoint(owner).counters, true);
  }
  show_words_of(memory);
  for (unsigned group = 0; group < options.groups; ++group) join(memory, group, GroupKind::named, Start::latest);
}

namespace {

/// The dead letter queue of a world, which only counts what comes.
class CountOfMoves : public DeadLetters {
 public:
  explicit CountOfMoves(World& world) : world_(world) {}
  Move move(const SlotView& view, const DeadLetter& /*letter*/, const NamedReader& reader) noexcept override {
    if (!reader.is_ours(view.position, view.tries)) return Move::not_ours;
    if (world_.moves_are_closed) return Move::not_now;
    ++world_.moved[view.position % world_.moved.size()];
    return Move::done;
  }
  void refresh() noexcept override {}

 private:
  World& world_;
};

}  // namespace

Attachment World::attachment(unsigned owner) {
  Attachment attachment;
  attachment.memory = memory;
  attachment.owner = owner;
  attachment.queue_name.assign(1, 'q');
  return attachment;
}

void World::add_producer(unsigned index) {
  memory.endpoint(index).identity.store_release(Identity{1, 0, k_endpoint_attached}.word());
  memory.shared_status().producers_ever.store_relaxed(memory.shared_status().producers_ever.load_relaxed() + 1);
  memory.shared_status().live_producers.fetch_or(1ULL << index);
  // Sleeping at once: spinning first would only add looks that see the same.
  producers[index] = std::make_unique<Producer>(make_producer(attachment(index), {.wait = WaitStrategy::sleep}));
}

void World::add_consumer(unsigned index, unsigned group, const ConsumerOptions& options) {
  Attachment at = attachment(k_first_consumer + index);
  const GroupStateWord word = GroupStateWord::of(memory.group(group).state.load_acquire());
  at.group = group;
  at.kind = word.kind;
  at.group_incarnation = word.incarnation;
  at.evictable = evictable_;
  at.dead_letters = std::make_shared<CountOfMoves>(*this);
  at.start = wrap(memory.group(group).floor.load_acquire());
  const Identity identity{1, static_cast<std::uint16_t>(group), k_endpoint_attached};
  memory.endpoint(at.owner).identity.store_release(identity.word());
  ConsumerOptions with = options;
  with.wait = WaitStrategy::sleep;
  // Of a group the scenarios' consumers end with its producers. A private one ends so by default.
  if (at.kind == GroupKind::named) with.end_of_stream = EndOfStream::drained;
  consumers[index] = std::make_unique<Consumer>(make_consumer(std::move(at), with));
}

void World::add_private(unsigned index, Start start, GroupKind kind) {
  const unsigned group = memory.geometry.max_groups + index;
  join(memory, group, kind, start);
  add_consumer(index, group);
}

void World::bury(unsigned owner) {
  recovery::repair(memory, owner, test::living_without(memory, owner));
  if (owner < k_first_consumer) memory.shared_status().live_producers.fetch_and(~(1ULL << owner));
  memory.endpoint(owner).identity.store_release(0);
  // The daemon does so for consumers, too; here only where the end of the stream needs it, so that repair() must do its part.
  if (owner < k_first_consumer) wake_all_sleepers(memory);
}

void World::give_back_lane(unsigned producer) {
  static constexpr std::array<std::byte, k_cache_line_bytes> k_zeros{};
  note("gives back the lane of producer %llu", producer);
  for (const recovery::LanePart& part : recovery::find_unneeded_parts(memory, producer, k_cache_line_bytes).parts) {
    for (std::uint64_t at = 0; at < part.size; at += k_cache_line_bytes) {
      copy_racing(memory.heap + part.offset + at, k_zeros.data(), k_cache_line_bytes);
    }
  }
}

void World::throw_out(unsigned consumer, unsigned group) {
  recovery::revoke(memory, k_first_consumer + consumer, 1, group);
}

bool World::publish(unsigned producer, unsigned id, bool large) {
  std::uint64_t words[k_large_words];
  for (std::size_t i = 0; i < k_large_words; ++i) words[i] = word_of(id, i);
  note("publishes message %llu", id);
  begin(id);
  const Bytes message(words, (large ? k_large_words : k_small_words) * 8);
  // Both ways into the lane.
  const Status status =
      large && id % 2 != 0 ? lend_and_commit(producer, message) : producers[producer]->try_publish(message);
  if (status == Status::ok) published[id] = true;
  note(status == Status::ok ? "has published %llu" : "finds no room for %llu", id);
  return status == Status::ok;
}

bool World::publish_with_properties(unsigned producer, unsigned id) {
  std::uint64_t words[k_small_words];
  for (std::size_t i = 0; i < k_small_words; ++i) words[i] = word_of(id, i);
  note("publishes message %llu with properties", id);
  begin(id);
  with_properties_[id] = true;
  published[id] = producers[producer]->try_publish(Bytes(words, sizeof words), {.key = "k"}) == Status::ok;
  note(published[id] ? "has published %llu" : "finds no room for %llu", id);
  return published[id];
}

Status World::lend_and_commit(unsigned producer, const Bytes& message) {
  Result<Loan> lent = producers[producer]->try_loan(message.size());
  if (!lent) return lent.status();
  copy_racing(lent->bytes().data(), message.data(), message.size());
  return lent->try_commit();
}

bool World::publish_waiting(unsigned producer, unsigned id, bool large, bool patient) {
  std::uint64_t words[k_large_words];
  for (std::size_t i = 0; i < k_large_words; ++i) words[i] = word_of(id, i);
  note(patient ? "publishes message %llu, or waits" : "publishes message %llu, or waits until a deadline", id);
  begin(id);
  const Bytes message(words, (large ? k_large_words : k_small_words) * 8);
  const Until until = patient ? Until() : Until(Until::Clock::time_point(k_deadline));
  const Status status = producers[producer]->publish_until(message, until);
  published[id] = status == Status::ok;
  note(published[id] ? "has published %llu" : "has given up %llu", id);
  return published[id];
}

void World::take(unsigned consumer, Message& message, Then then) {
  Log& log = got[consumer];
  const unsigned id = read_id(message.bytes());
  note("got message %llu", id);
  if (!tried[id]) fail("a message came that nobody published");
  if (message.has_properties() != with_properties_[id]) fail("properties came without their message, or were lost");
  if (message.has_properties() && read_key(message.properties()) != 'k') fail("a key is torn");
  if (ended_[consumer]) fail("a message came after the end of the stream");
  log.entries[log.count++] = {id, message.position()};
  if (then == Then::hold) {
    held_ids_[consumer][held_count_[consumer]] = id;
    held_[consumer][held_count_[consumer]++] = std::move(message);
  } else {
    end(id, message, then);
  }
}

void World::end(unsigned id, Message& message, Then then) {
  note(then == Then::ack ? "acknowledges %llu" : "gives back %llu", id);
  const bool ours = then == Then::ack      ? message.ack()
                    : then == Then::nack   ? message.nack()
                    : then == Then::reject ? message.reject()
                                           : message.nack(std::chrono::hours(1));
  if (ours && then == Then::ack) ++acked[id];
}

bool World::receive(unsigned consumer, Then then) {
  note("tries to receive a message");
  Result<Message> received = consumers[consumer]->try_receive();
  if (received) {
    take(consumer, *received, then);
  } else {
    note("found none");
  }
  return static_cast<bool>(received);
}

Status World::receive_waiting(unsigned consumer, Then then, bool patient) {
  note(patient ? "waits for a message" : "waits for a message until a deadline");
  const Until until = patient ? Until() : Until(Until::Clock::time_point(k_deadline));
  Result<Message> received = consumers[consumer]->receive(until);
  if (received) {
    take(consumer, *received, then);
  } else {
    ended_[consumer] = received.status() == Status::end_of_stream;
    note(received.status() == Status::timeout ? "timed out" : "got a status instead: %llu",
         static_cast<unsigned long long>(received.status()));
  }
  return received.status();
}

Status World::receive_in_a_loop(unsigned consumer, Then then) {
  note("waits for a message in an event loop");
  const int set = consumers[consumer]->poll_fd();
  for (;;) {
    Result<Message> received = consumers[consumer]->try_receive();
    if (received) {
      take(consumer, *received, then);
      return Status::ok;
    }
    if (received.status() != Status::empty && received.status() != Status::prefetch_limit) {
      ended_[consumer] = received.status() == Status::end_of_stream;
      return received.status();
    }
    wait_readable(set);
  }
}

void World::publish_in_a_loop(unsigned producer, unsigned id) {
  const int set = producers[producer]->poll_fd();
  while (!publish(producer, id)) wait_readable(set);
}

unsigned World::receive_batch(unsigned consumer, unsigned count) {
  note("tries to receive up to %llu messages at once", count);
  std::array<Message, 4> messages;
  const Result<std::size_t> batch = consumers[consumer]->try_receive_batch(std::span(messages).first(count));
  for (unsigned i = 0; i < batch.value_or(0); ++i) take(consumer, messages[i], Then::hold);
  return static_cast<unsigned>(batch.value_or(0));
}

void World::read_held_again(unsigned consumer) {
  for (unsigned i = 0; i < held_count_[consumer]; ++i) {
    if (read_id(held_[consumer][i].bytes()) != held_ids_[consumer][i]) fail("a message changed while it was held");
  }
}

void World::end_held(unsigned consumer, Then then) {
  if (then == Then::ack && held_count_[consumer] > 1 && !evictable_) {
    const std::span<Message> messages = std::span(held_[consumer]).first(held_count_[consumer]);
    note("acknowledges a batch of %llu", messages.size());
    if (ack_batch(messages) != messages.size()) fail("a batch was acknowledged, and not all of it was ours");
    for (unsigned i = 0; i < held_count_[consumer]; ++i) ++acked[held_ids_[consumer][i]];
    held_count_[consumer] = 0;
  }
  for (unsigned i = 0; i < held_count_[consumer]; ++i) {
    end(held_ids_[consumer][i], held_[consumer][i], then);
  }
  held_count_[consumer] = 0;
}

bool World::extend_held(unsigned consumer) {
  const bool extended = held_[consumer][0].extend();
  note(extended ? "has extended %llu" : "may not extend %llu", held_ids_[consumer][0]);
  return extended;
}

Scenario scenario(std::string name, const WorldOptions& options, const Bounds& bounds,
                  std::function<void(World&)> setup, std::function<void(World&)> check) {
  static World* world = nullptr;  // of the running execution
  return {std::move(name), bounds,
          [options, setup = std::move(setup)] {
            world = new World(options);
            setup(*world);
          },
          [check = std::move(check)] { check(*world); }};
}

}  // namespace beltway::explore
