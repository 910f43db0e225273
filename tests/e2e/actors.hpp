// The processes of the end-to-end tests: each opens a connection of its own, works by the ledger, and ends by itself.
#pragma once

#include <atomic>
#include <deque>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "ledger.hpp"
#include "stress/traffic.hpp"

namespace beltway::test {

inline constexpr std::size_t k_most_bytes = 3000;
inline constexpr std::uint32_t k_max_deliveries = 20;  // of the group "workers", if it gives messages up

struct Stage {
  std::filesystem::path socket;
  std::string queue = "stream";
  WaitStrategy wait = WaitStrategy::adaptive;
  /// Consumers of groups hold some messages while hundreds go by, so that these are parked, and give some back.
  bool holds_and_gives_back = false;
  /// Where rejected messages of the group "workers" go; empty: no message is rejected.
  std::string dead_letters = {};
  /// Producers have names and give each message a sequence number and properties; some messages have a ttl.
  bool names_and_times = false;
};

/// Each consumer of the group "workers" rejects such a message.
inline bool is_rejected(std::uint64_t number) { return number % 71 == 0; }

inline Queue open_stage(const Stage& stage) {
  return Connection::open({.socket = stage.socket}).open_queue(stage.queue);
}

/// Such a message has a ttl, and may expire before a consumer comes.
inline bool may_expire(std::uint64_t number) { return number % 59 == 0; }

/// A producer that was killed has its name until the daemon has seen its death.
inline Producer attach_named(const Queue& queue, std::uint32_t id, WaitStrategy wait) {
  for (;;) {
    try {
      return queue.producer({.name = "producer-" + std::to_string(id), .wait = wait});
    } catch (const Error& error) {
      if (error.reason() != Errc::already_exists) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

/// As run_producer(), under a name: begins behind the last message that the name has published.
inline int run_named_producer(Ledger& ledger, const Stage& stage, std::uint32_t id, std::uint64_t count) {
  Producer out = attach_named(open_stage(stage), id, stage.wait);
  const std::string key = "key of producer " + std::to_string(id);
  // A message's sequence number is its number and one, behind the numbers of earlier ledgers.
  const std::uint64_t base = ledger.first_sequence(id, out.last_sequence());
  std::uint64_t number = out.last_sequence() - base;
  if (number != 0)
    ledger.committed(id, number - 1);  // the producer before may have died between its commit and its note
  for (; !ledger.stop() && number < count; ++number) {
    ledger.begin_at(id, number);
    const std::vector<std::byte> message = build(id, number, k_most_bytes);
    PublishOptions options{.sequence = base + number + 1};
    if (number % 3 == 0) options.properties.key = key;
    if (may_expire(number)) options.properties.ttl = std::chrono::milliseconds(1);
    if (!out.publish(message, options) || out.publish(message, options).status() != Status::duplicate) {
      std::cerr << "message " << number << " of producer " << id << ": wrong status\n";
      return 2;
    }
    ledger.committed(id, number);
  }
  return 0;
}

/// Publishes numbered messages until the ledger says stop or `count` of this producer's have begun. A few by loan.
inline int run_producer(Ledger& ledger, const Stage& stage, std::uint32_t id, std::uint64_t count) {
  if (stage.names_and_times) return run_named_producer(ledger, stage, id, count);
  Producer out = open_stage(stage).producer({.wait = stage.wait});
  while (!ledger.stop() && ledger.begun(id) < count) {
    const std::uint64_t number = ledger.begin(id);
    if (number >= count) break;
    const std::vector<std::byte> message = build(id, number, k_most_bytes);
    if (number % 7 == 0) {
      Loan loan = out.loan(message.size() + 100);
      std::memcpy(loan.bytes().data(), message.data(), message.size());
      loan.commit(message.size());
    } else {
      out.publish(message);
    }
    ledger.committed(id, number);
  }
  return 0;
}

/// Receives to the end of the stream after the ledger says stop. Returns 0 if all that came was whole, and no wakeup was
/// lost. An empty group: private, and each producer's messages must come in order, each once.
inline int run_consumer(Ledger& ledger, const Stage& stage, std::uint32_t reader, const std::string& group) {
  Consumer in = open_stage(stage).consumer({.group = group, .end_of_stream = EndOfStream::drained, .wait = stage.wait});
  ledger.tally(reader).fetch_add(1);  // attached
  std::vector<std::uint64_t> next(Ledger::k_producers);
  struct Held {
    Message message;
    Stamp stamp;
  };
  std::deque<Held> held;
  const bool gives_up = group == "workers" && !stage.dead_letters.empty();
  const auto ack = [&](Message& message, const Stamp& stamp) {
    if (gives_up) ledger.ends(stamp.producer, stamp.number);
    message.ack();
  };
  constexpr std::size_t k_most_held = 3;
  for (;;) {
    Result<Message> message = held.empty() ? in.receive() : in.receive(std::chrono::milliseconds(100));
    if (message.status() == Status::timeout) {
      // The stream does not end for others while we hold messages.
      for (Held& each : held) ack(each.message, each.stamp);
      held.clear();
      continue;
    }
    if (message.status() == Status::end_of_stream && !ledger.stop()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // all producers were killed at once: others come
      continue;
    }
    if (!message) {
      for (Held& each : held) ack(each.message, each.stamp);
      if (message.status() == Status::end_of_stream && in.counters().rescued == 0) return 0;
      std::cerr << "consumer ended: " << to_string(message.status()) << ", rescued " << in.counters().rescued << '\n';
      return 2;
    }
    Stamp stamp{};
    const std::string fault = check(message->bytes(), stamp);
    if (!group.empty() && !message->still_held())
      continue;  // we were stopped, and it is another consumer's: maybe overwritten
    if (!fault.empty()) {
      std::cerr << "position " << message->position() << ": " << fault << '\n';
      return 3;
    }
    const unsigned before = ledger.saw(reader, stamp.producer, stamp.number);
    // Who was stopped right before may be told of another consumer's receipt: then it is another consumer's again.
    if (before != 0 && message->deliveries() == 1 && (group.empty() || message->still_held())) {
      std::cerr << "message " << stamp.number << " of producer " << stamp.producer << " came again, unmarked\n";
      return 4;
    }
    if (group.empty()) {
      if (stamp.number < next[stamp.producer]) {
        std::cerr << "message " << stamp.number << " of producer " << stamp.producer << " came out of order\n";
        return 5;
      }
      next[stamp.producer] = stamp.number + 1;
    }
    if (gives_up && is_rejected(stamp.number)) {
      message->reject();
    } else if (!group.empty() && stage.holds_and_gives_back && stamp.number % 61 == 0) {
      held.push_back({std::move(*message), stamp});
      if (held.size() > k_most_held) {
        ack(held.front().message, held.front().stamp);
        held.pop_front();
      }
    } else if (!group.empty() && stage.holds_and_gives_back && stamp.number % 67 == 0 && message->deliveries() == 1) {
      stamp.number % 2 == 0 ? message->nack() : message->nack(std::chrono::milliseconds(3));
    } else {
      ack(*message, stamp);
    }
  }
}

/// Reads the newest messages of a group with drop_oldest until `is_over` and nothing is left. Returns 0 if all is whole and in
/// order, apart from what comes again.
inline int run_newest_reader(Ledger& ledger, const Stage& stage, const std::atomic<std::uint64_t>& is_over) {
  Consumer in = open_stage(stage).consumer({.group = "newest", .wait = stage.wait});
  for (;;) {
    const bool last = is_over != 0;
    Result<Message> message = in.receive(std::chrono::milliseconds(20));
    if (!message && last)
      return message.status() == Status::timeout || message.status() == Status::end_of_stream ? 0 : 2;
    if (!message) continue;
    Stamp stamp{};
    if (const std::string fault = check(message->bytes(), stamp); !fault.empty()) {
      std::cerr << "newest, position " << message->position() << ": " << fault << '\n';
      return 3;
    }
    ledger.tally(5).fetch_add(1);  // before the ack: who is killed between both has counted it twice, and lost none
    message->ack();
  }
}

/// Reads the dead letter queue until `is_over` and the queue is empty. Returns 0 if each letter says where it is from.
inline int run_dead_letter_reader(Ledger& ledger, const Stage& stage, const std::atomic<std::uint64_t>& is_over) {
  Consumer in = Connection::open({.socket = stage.socket})
                    .open_queue(stage.dead_letters)
                    .consumer({.group = "operators", .end_of_stream = EndOfStream::drained, .wait = stage.wait});
  for (;;) {
    const bool last = is_over != 0;
    Result<Message> letter = in.receive(std::chrono::milliseconds(50));
    if (!letter && last) return letter.status() == Status::timeout || letter.status() == Status::end_of_stream ? 0 : 2;
    if (letter.status() == Status::end_of_stream) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (!letter) continue;
    Stamp stamp{};
    if (const std::string fault = check(letter->bytes(), stamp); !fault.empty()) {
      std::cerr << "dead letter " << letter->position() << ": " << fault << '\n';
      return 3;
    }
    const PropertiesView properties = letter->properties();
    const DeadLetter* const why = properties.dead_letter();
    const auto may_be = [&](DeadLetterReason reason) {
      switch (reason) {
        case DeadLetterReason::rejected: return is_rejected(stamp.number);
        case DeadLetterReason::expired: return stage.names_and_times && may_expire(stamp.number);
        case DeadLetterReason::lease_over: return why->deliveries >= k_max_deliveries;
        default: return reason == DeadLetterReason::too_many_deliveries;
      }
    };
    if (why == nullptr || why->queue != stage.queue || why->group != "workers" || !may_be(why->reason)) {
      std::cerr << "dead letter " << letter->position() << ", message " << stamp.number << ": ";
      if (why == nullptr) {
        std::cerr << "has no properties of a dead letter\n";
      } else {
        std::cerr << to_string(why->reason) << ", of " << why->queue << ' ' << why->group << ", " << why->deliveries
                  << " deliveries\n";
      }
      return 4;
    }
    ledger.died(stamp.producer, stamp.number);
    letter->ack();
  }
}

}  // namespace beltway::test
