// A real daemon heals what a program has left behind: one that used a Producer from two threads, and one that wrote over words
// that only the daemon writes.
#ifndef NDEBUG
#define NDEBUG  // the program of a user who does not build for debugging: nothing stops the misuse early
#endif

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "os/segment.hpp"
#include "ring/queue_setup.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "wire/validate.hpp"

namespace beltway {

using namespace beltway::os;
using namespace beltway::ring;
using namespace beltway::wire;

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Child;
using test::connect;
using test::RawClient;
using test::TestDaemon;

QueueOptions options_of(std::uint32_t producers) {
  return {.slots = 64, .lane_bytes = 4096, .max_producers = producers, .max_consumers = 4, .groups = {"g"}};
}

/// A producer that writes where it likes.
class Scribbling {
 public:
  Scribbling(const TestDaemon& daemon, const Queue& queue) : client_(daemon), geometry_(geometry_of(queue.options())) {
    client_.say_hello();
    client_.say({{"op", "attach"},
                 {"n", 1},
                 {"queue", queue.id()},
                 {"role", "producer"},
                 {"barriers", true},
                 {"bells", false}});
    const json reply = client_.hear();
    if (reply.contains("error")) throw std::runtime_error(reply.dump());
    index = reply["endpoint"];
    control_ = Mapping(client_.descriptors[0].get(), {0, geometry_.control_bytes()}, Access::read_write, "test");
    ring_ = Mapping(client_.descriptors[1].get(), {0, geometry_.ring_bytes()}, Access::read_write, "test");
    client_.descriptors.clear();
  }
  [[nodiscard]] QueueMemory memory() const {
    return {.geometry = geometry_, .ring = ring_.data(), .heap = nullptr, .control = control_.data(), .bells = nullptr};
  }
  unsigned index = 0;

 private:
  RawClient client_;
  Geometry geometry_;
  Mapping ring_;
  Mapping control_;
};

/// Three laps through a new producer, the group and a private consumer.
void expect_usable(const Queue& queue) {
  Producer out = queue.producer();
  Consumer workers = queue.consumer({.group = "g", .follow = true});
  while (Result<Message> message = workers.try_receive()) message->ack();
  Consumer all = queue.consumer({.follow = true});
  for (std::uint32_t i = 0; i < 3 * queue.options().slots; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_EQ(out.publish_until(text, 10s), Status::ok) << i;
    Result<Message> of_group = workers.receive(10s);
    ASSERT_TRUE(of_group) << i << ": " << to_string(of_group.status());
    EXPECT_EQ(of_group->text(), text);
    of_group->ack();
    Result<Message> of_all = all.receive(10s);
    ASSERT_TRUE(of_all) << i << ": " << to_string(of_all.status());
    EXPECT_EQ(of_all->text(), text);
  }
}

/// Two threads publish with one Producer, which they must not, for a moment.
int misuse(const TestDaemon& daemon) {
  Producer out = connect(daemon).open_queue("q").producer();
  const auto end = std::chrono::steady_clock::now() + 200ms;
  const auto work = [&] {
    const std::string message(40, 'x');
    while (std::chrono::steady_clock::now() < end) {
      try {
        static_cast<void>(out.try_publish(message));
      } catch (const Error&) {  // it was named
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  return 0;
}

class Misuse : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Misuse, a_producer_misused_by_two_threads_is_healed_when_its_process_has_gone) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", options_of(GetParam()));
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    Child reader = Child::fork([&]() -> int {
      Consumer in = connect(daemon).open_queue("q").consumer({.group = "g", .follow = true, .ack = Ack::automatic});
      for (;;) static_cast<void>(in.receive());
    });
    Consumer mine = queue.consumer({.lossy = true, .follow = true});
    Child culprit = Child::fork([&] { return misuse(daemon); });
    static_cast<void>(culprit.wait());  // it may have crashed
    reader.kill();
    static_cast<void>(reader.wait());
    expect_usable(queue);
    EXPECT_EQ(queue.purge("g").left, 0U);
    while (mine.try_receive()) {
    }
    EXPECT_NE(mine.try_receive().status(), Status::removed);
  }
}

INSTANTIATE_TEST_SUITE_P(Producers, Misuse, testing::Values(1U, 4U),
                         [](const auto& each) { return "of_" + std::to_string(each.param); });

struct Written {
  const char* name;
  std::function<void(const QueueMemory& memory)> write;
};

class Overwritten : public testing::TestWithParam<Written> {};

TEST_P(Overwritten, overwritten_words_of_the_daemon_are_restored_from_its_record) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", options_of(4));
  Consumer workers = queue.consumer({.group = "g", .follow = true});
  Consumer all = queue.consumer({.follow = true});
  Producer out = queue.producer();
  out.publish("before");
  const Scribbling scribbling(daemon, queue);
  const QueueMemory memory = scribbling.memory();
  const auto words = [&] {
    std::vector<std::uint64_t> now{memory.shared_status().live_producers.load_relaxed(),
                                   memory.shared_status().producers_ever.load_relaxed(),
                                   Notice::of(memory.shared_status().notice.load_relaxed()).flags};
    for (unsigned i = 0; i < memory.geometry.max_producers; ++i)
      now.push_back(memory.endpoint(i).identity.load_relaxed());
    for (unsigned i = 0; i < memory.geometry.max_consumers; ++i) {
      now.push_back(memory.endpoint(k_first_consumer + i).identity.load_relaxed());
    }
    for (unsigned i = 0; i < memory.geometry.groups(); ++i) {
      const GroupStateWord word = GroupStateWord::of(memory.group(i).state.load_relaxed());
      const bool named = i < memory.geometry.max_groups;
      const bool free = word.phase == GroupPhase::free;  // nobody looks at the rest of it
      now.push_back(free ? 0 : GroupStateWord{named ? word.incarnation : 0, word.kind, word.phase}.word());
    }
    return now;
  };
  const std::vector<std::uint64_t> before = words();
  GetParam().write(memory);
  static_cast<void>(queue.purge("g"));
  EXPECT_EQ(words(), before);
  const Header right = header_of(memory.geometry, queue.id());
  EXPECT_EQ(std::memcmp(&memory.header(), &right, sizeof right), 0);
  EXPECT_TRUE(test::eventually([&] { return daemon.log().find("was in disorder") != std::string::npos; }));
  // Those that were attached go on.
  out.publish("after");
  EXPECT_TRUE(workers.receive(10s));
  Result<Message> message = all.receive(10s);
  if (message && message->text() == "before") message = all.receive(10s);
  ASSERT_TRUE(message) << to_string(message.status());
  EXPECT_EQ(message->text(), "after");
}

const std::vector<Written> k_written{
    {"the_notice_says_removed",
     [](const QueueMemory& m) { m.shared_status().notice.store_release(Notice{9, k_notice_removed}.word()); }},
    {"the_notice_says_symmetric",
     [](const QueueMemory& m) { m.shared_status().notice.store_release(Notice{9, k_notice_symmetric}.word()); }},
    {"the_notice_is_nonsense", [](const QueueMemory& m) { m.shared_status().notice.store_release(~0ULL); }},
    {"all_producers_live", [](const QueueMemory& m) { m.shared_status().live_producers.store_release(~0ULL); }},
    {"no_producer_lives", [](const QueueMemory& m) { m.shared_status().live_producers.store_release(0); }},
    {"no_producer_ever_was", [](const QueueMemory& m) { m.shared_status().producers_ever.store_release(0); }},
    {"identities_say_evicted",
     [](const QueueMemory& m) {
       for (unsigned i = 0; i < 2; ++i) {
         m.endpoint(k_first_consumer + i).identity.store_release(Identity{7, 99, k_endpoint_evicted}.word());
       }
     }},
    {"identities_of_producers_are_gone",
     [](const QueueMemory& m) {
       for (unsigned i = 0; i < 4; ++i) m.endpoint(i).identity.store_release(0);
     }},
    {"the_group_is_free", [](const QueueMemory& m) { m.group(0).state.store_release(0); }},
    {"the_group_is_joining_for_ever",
     [](const QueueMemory& m) {
       m.group(0).state.store_release(GroupStateWord{1, GroupKind::named, GroupPhase::joining}.word());
     }},
    {"the_group_is_leaving",
     [](const QueueMemory& m) {
       m.group(0).state.store_release(GroupStateWord{1, GroupKind::named, GroupPhase::leaving}.word());
     }},
    {"the_group_is_paused",
     [](const QueueMemory& m) {
       m.group(0).state.store_release(GroupStateWord{1, GroupKind::named, GroupPhase::paused}.word());
     }},
    {"a_place_without_a_group_is_active_and_holds_the_ring",
     [](const QueueMemory& m) {
       m.group(3).state.store_release(GroupStateWord{5, GroupKind::named, GroupPhase::active}.word());
       m.group(m.geometry.groups() - 1)
           .state.store_release(GroupStateWord{5, GroupKind::private_reliable, GroupPhase::active}.word());
     }},
    {"a_private_group_is_free",
     [](const QueueMemory& m) { m.group(m.geometry.max_groups + 1).state.store_release(0); }},
    {"the_header_is_nonsense", [](const QueueMemory& m) { std::memset(&m.header(), 0xee, sizeof(Header)); }},
};

INSTANTIATE_TEST_SUITE_P(Words, Overwritten, testing::ValuesIn(k_written),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Overwritten, overwritten_words_are_restored_at_the_next_attach) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", options_of(4));
  {
    const Scribbling scribbling(daemon, queue);
    const QueueMemory memory = scribbling.memory();
    memory.shared_status().notice.store_release(Notice{9, k_notice_removed}.word());
    std::memset(&memory.header(), 0, sizeof(Header));
    memory.tail().store_release(~0ULL);
    memory.group(0).floor.store_release(~0ULL);
    for (Position i = 0; i < memory.geometry.slots; i += 3) memory.slot(i).state.store_release((i + 1) << 40 | 1);
    expect_usable(queue);
  }
  expect_usable(queue);
}

}  // namespace
}  // namespace beltway
