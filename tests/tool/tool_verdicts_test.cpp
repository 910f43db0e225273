// When a finding becomes a verdict: what lasts is told, what a healthy queue shows for a moment is not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "watch/queue_verdicts.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using watch::QueueVerdicts;
using watch::QueueView;
using watch::Severity;

constexpr std::uint64_t k_second_ns = 1'000'000'000;

/// A queue of 1024 slots with a group "g" and one consumer, told sample by sample.
class Watched {
 public:
  Watched() {
    view.info.name = "q";
    view.readable = true;
    view.groups = {{.name = "g", .consumers = 1}};
    snapshot.info = view.info;
    snapshot.groups = {{.name = "g", .consumers = {0}}};
    ConsumerState consumer;
    consumer.endpoint = {.index = 0, .pid = ::getpid(), .group = "g"};
    snapshot.consumers = {consumer};
  }

  /// Samples each 200 ms for `time`; `change` says what happens before each.
  template <class Change>
  void run(std::chrono::nanoseconds time, const Change& change) {
    for (const std::uint64_t end = now_ns + static_cast<std::uint64_t>(time.count()); now_ns < end;) {
      now_ns += k_second_ns / 5;
      change();
      verdicts.add(view, with_full_looks ? &look : nullptr, now_ns);
    }
  }
  void run(std::chrono::nanoseconds time) {
    run(time, [] {});
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> names;
    for (const watch::Verdict& verdict : verdicts.told()) names.push_back(verdict.kind);
    return names;
  }

  QueueView view;
  watch::FullLook look = {};
  QueueSnapshot& snapshot = look.snapshot;
  bool with_full_looks = true;
  QueueVerdicts verdicts;
  std::uint64_t now_ns = 100 * k_second_ns;
};

using Kinds = std::vector<std::string>;

TEST(QueueVerdicts, queue_at_rest_has_none_and_nothing_is_undecided) {
  Watched queue;
  queue.run(10s);
  EXPECT_EQ(queue.kinds(), Kinds{});
  EXPECT_FALSE(queue.verdicts.undecided());
}

TEST(QueueVerdicts, claim_is_told_only_once_it_has_stood_still) {
  Watched queue;
  ProducerState producer;
  producer.endpoint = {.index = 1, .producer = true, .pid = ::getpid(), .group = {}};
  producer.claimed = 1;
  producer.oldest_claim = 7;
  queue.snapshot.producers = {producer};
  queue.run(1s);
  EXPECT_EQ(queue.kinds(), Kinds{});
  EXPECT_TRUE(queue.verdicts.undecided());
  queue.run(1s);
  EXPECT_EQ(queue.kinds(), Kinds{"claim_not_finished"});
  EXPECT_GE(queue.verdicts.told()[0].since, 1500ms);
  queue.run(5s, [&] { ++queue.snapshot.producers[0].oldest_claim; });
  EXPECT_EQ(queue.kinds(), Kinds{}) << "it works";
  queue.snapshot.producers.clear();
  queue.run(1s);
  EXPECT_FALSE(queue.verdicts.undecided());
}

TEST(QueueVerdicts, full_ring_that_moves_is_a_warning_and_only_after_a_while) {
  Watched queue;
  queue.snapshot.used = queue.view.used = 1024;
  queue.snapshot.position = 5000;
  queue.snapshot.groups[0].depth = 1024;
  queue.snapshot.groups[0].floor = 5000 - 1024;
  const auto move = [&] {
    ++queue.snapshot.position;
    ++queue.snapshot.groups[0].floor;
  };
  queue.run(5s, move);
  EXPECT_EQ(queue.kinds(), Kinds{});
  queue.run(6s, move);
  EXPECT_EQ(queue.kinds(), Kinds{"ring_full_by_group"});
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::warning);
  EXPECT_NE(queue.verdicts.told()[0].forecast, "");
  queue.run(3s);
  EXPECT_EQ(queue.kinds(), Kinds{"ring_full_by_group"}) << "now it stands still, and is told once";
}

TEST(QueueVerdicts, lag_that_grows_is_told_with_the_time_until_the_ring_is_full) {
  Watched queue;
  queue.with_full_looks = false;
  const auto grow = [&] { queue.view.used = queue.view.groups[0].lag += 10; };  // 50 a second
  queue.run(1s, grow);
  EXPECT_EQ(queue.kinds(), Kinds{});
  queue.run(4s, grow);
  ASSERT_EQ(queue.kinds(), Kinds{"lag_grows"});
  EXPECT_EQ(queue.verdicts.told()[0].subject, "q fills up");
  EXPECT_EQ(queue.verdicts.told()[0].forecast, "full in 15.5 s");
  queue.run(3s);
  EXPECT_EQ(queue.kinds(), Kinds{}) << "it rests";
}

TEST(QueueVerdicts, bursts_that_are_worked_off_are_no_growing_lag) {
  Watched queue;
  queue.with_full_looks = false;
  std::uint64_t step = 0;
  queue.run(60s, [&] {
    std::uint64_t& lag = queue.view.groups[0].lag;
    lag = ++step % 10 < 3 ? lag + 150 : lag - std::min<std::uint64_t>(lag, 70);
    queue.view.used = lag;
    EXPECT_EQ(queue.kinds(), Kinds{});
  });
}

TEST(QueueVerdicts, growth_that_needs_hours_to_fill_the_ring_is_not_told) {
  Watched queue;
  queue.view.info.options.slots = queue.snapshot.info.options.slots = 1U << 20;
  queue.with_full_looks = false;
  queue.run(60s, [&] { queue.view.used = queue.view.groups[0].lag += 20; });
  EXPECT_EQ(queue.kinds(), Kinds{});
}

TEST(QueueVerdicts, message_that_fails_for_ever_is_poison_unless_the_group_gives_it_up) {
  Watched queue;
  queue.look.most_tried = {client::MostTried{42, 6}};
  queue.snapshot.groups[0].retry = 1;
  queue.run(3s);
  ASSERT_EQ(queue.kinds(), Kinds{"poison_message"});
  EXPECT_EQ(queue.verdicts.told()[0].position, 42U);
  const auto offers = [&](const std::string& command) {
    return std::ranges::count(queue.verdicts.told()[0].remedies, command, &watch::Remedy::command) == 1;
  };
  EXPECT_TRUE(offers("beltway ack q 42 --group g"));
  EXPECT_TRUE(offers("beltway peek q --group g --from 42 --count 1"));
  queue.look.most_tried[0]->is_held = true;
  queue.run(1s);
  EXPECT_FALSE(offers("beltway ack q 42 --group g")) << "a message that a consumer holds cannot be acknowledged";
  EXPECT_TRUE(offers("beltway peek q --group g --from 42 --count 1"));
  queue.snapshot.groups[0].max_deliveries = 10;
  queue.run(1s);
  EXPECT_EQ(queue.kinds(), Kinds{});
}

TEST(QueueVerdicts, many_messages_that_fail_are_told_as_retries_with_the_consumer_that_gives_back_most) {
  Watched queue;
  queue.look.most_tried = {client::MostTried{42, 9}};
  queue.snapshot.groups[0].delayed = 40;
  queue.run(4s, [&] {
    queue.view.counts.messages_out += 10;
    queue.view.counts.redelivered += 8;
    queue.snapshot.consumers[0].counters.nacks += 8;
  });
  ASSERT_EQ(queue.kinds(), Kinds{"retries_grow"});
  EXPECT_EQ(queue.verdicts.told()[0].consumer, 0U);
  EXPECT_EQ(queue.verdicts.told()[0].group, "g");
  EXPECT_EQ(queue.verdicts.told()[0].remedies.at(0).command, "beltway group pause q g");
}

TEST(QueueVerdicts, few_retries_among_many_deliveries_are_no_trouble) {
  Watched queue;
  queue.run(10s, [&] {
    queue.view.counts.messages_out += 1000;
    queue.view.counts.redelivered += 20;
  });
  EXPECT_EQ(queue.kinds(), Kinds{});
}

TEST(QueueVerdicts, corrupt_messages_are_a_trouble_while_they_come_and_a_note_afterwards) {
  Watched queue;
  queue.snapshot.consumers[0].counters.corrupt = 3;
  queue.run(2s);
  ASSERT_EQ(queue.kinds(), Kinds{"corrupt_messages"});
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::note);
  queue.snapshot.consumers[0].counters.corrupt = 4;
  queue.run(2s);
  ASSERT_EQ(queue.kinds(), Kinds{"corrupt_messages"}) << "told once";
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::trouble);
  queue.run(70s);
  ASSERT_EQ(queue.kinds(), Kinds{"corrupt_messages"});
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::note);
}

TEST(QueueVerdicts, job_that_is_held_for_seconds_is_work_and_one_of_a_minute_is_told) {
  Watched queue;
  queue.snapshot.groups[0].oldest_parked = 3;
  queue.snapshot.groups[0].parked = 1;
  queue.snapshot.groups[0].parked_holder = 0;
  queue.snapshot.consumers[0].counters.last_progress_ns = queue.now_ns;
  queue.run(20s);
  EXPECT_EQ(queue.kinds(), Kinds{});
  EXPECT_FALSE(queue.verdicts.undecided()) << "no command waits for a minute";
  queue.run(45s);
  ASSERT_EQ(queue.kinds(), Kinds{"parked"});
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::note);
}

TEST(QueueVerdicts, parked_messages_that_wait_for_their_next_delivery_are_told_only_if_one_waits_for_a_minute) {
  Watched queue;
  queue.snapshot.groups[0].oldest_parked = 3;
  queue.snapshot.groups[0].parked = 1;
  std::uint64_t step = 0;
  queue.run(90s, [&] {  // each is delivered after half a minute, and another one is the oldest then
    if (++step % 150 == 0) ++*queue.snapshot.groups[0].oldest_parked;
  });
  EXPECT_EQ(queue.kinds(), Kinds{});
  queue.run(65s);
  ASSERT_EQ(queue.kinds(), Kinds{"parked"});
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::note);
}

TEST(QueueVerdicts, dead_letters_that_come_one_after_the_other_are_told) {
  Watched queue;
  queue.run(4s, [&] {
    queue.view.counts.dead_lettered += 1;
    queue.snapshot.consumers[0].counters.dead_lettered += 1;
  });
  EXPECT_EQ(queue.kinds(), Kinds{"dead_letters_grow"});
  queue.run(5s);
  EXPECT_EQ(queue.kinds(), Kinds{});
}

TEST(QueueVerdicts, message_that_cannot_be_moved_to_the_dead_letter_queue_is_told_with_what_makes_room) {
  Watched queue;
  queue.snapshot.groups[0].to_move = 2;
  queue.snapshot.groups[0].dead_letter = "failed";
  queue.run(4s);
  ASSERT_EQ(queue.kinds(), Kinds{"dead_letters_stuck"});
  EXPECT_EQ(queue.verdicts.told()[0].severity, Severity::trouble);
  EXPECT_EQ(queue.verdicts.told()[0].remedies.at(0).command, "beltway requeue failed");
}

TEST(QueueVerdicts, consumer_that_sleeps_although_messages_wait_is_told) {
  Watched queue;
  queue.snapshot.groups[0].available = 3;
  queue.snapshot.consumers[0].sleep = SleepState::asleep;
  queue.run(2s);
  EXPECT_EQ(queue.kinds(), Kinds{});
  queue.run(2s);
  EXPECT_EQ(queue.kinds(), Kinds{"asleep_with_work"});
}

TEST(QueueVerdicts, consumer_that_was_woken_and_does_not_come_is_told_after_a_minute) {
  Watched queue;
  queue.snapshot.groups[0].available = 3;
  queue.snapshot.consumers[0].sleep = SleepState::signalled;
  queue.run(50s);
  EXPECT_EQ(queue.kinds(), Kinds{});
  queue.run(15s);
  EXPECT_EQ(queue.kinds(), Kinds{"woken_and_absent"});
}

TEST(QueueVerdicts, consumer_that_stays_at_its_prefetch_limit_is_told_after_a_minute) {
  Watched queue;
  queue.snapshot.groups[0].available = 3;
  queue.snapshot.consumers[0].endpoint.prefetch = 2;
  queue.snapshot.consumers[0].held = 2;
  queue.run(50s);
  EXPECT_EQ(queue.kinds(), Kinds{});
  queue.run(15s);
  ASSERT_EQ(queue.kinds(), Kinds{"prefetch_limit"});
  queue.run(1s, [&] { ++queue.snapshot.consumers[0].counters.acks; });
  EXPECT_EQ(queue.kinds(), Kinds{}) << "it works";
}

TEST(QueueVerdicts, how_long_a_trouble_has_lasted_is_exact_only_if_its_begin_was_seen) {
  Watched queue;
  queue.snapshot.broken = 2;
  queue.run(3s);
  ASSERT_EQ(queue.kinds(), Kinds{"broken_words"});
  EXPECT_TRUE(queue.verdicts.told()[0].since_is_least) << "the first look has shown it";
  EXPECT_NE(text_of(queue.verdicts.told()[0]).find("; for at least 2.8 s"), std::string::npos)
      << text_of(queue.verdicts.told()[0]);
  queue.snapshot.broken = 0;
  queue.run(1s);
  queue.snapshot.broken = 2;
  queue.run(3s);
  ASSERT_EQ(queue.kinds(), Kinds{"broken_words"});
  EXPECT_FALSE(queue.verdicts.told()[0].since_is_least);
  EXPECT_NE(text_of(queue.verdicts.told()[0]).find("; for 2.8 s"), std::string::npos)
      << text_of(queue.verdicts.told()[0]);
}

TEST(QueueVerdicts, look_of_a_moment_does_not_say_that_a_trouble_has_lasted_for_that_moment) {
  watch::Verdict verdict{.kind = "orphan", .subject = "q", .since = 30ms, .since_is_least = true};
  EXPECT_EQ(text_of(verdict), "q");
  verdict.since_is_least = false;
  EXPECT_EQ(text_of(verdict), "q; for 30 ms");
  verdict.evidence = "producer 0 has waited for 30 ms, 2 more with it";
  EXPECT_EQ(text_of(verdict), "q; producer 0 has waited for 30 ms, 2 more with it") << "it is said once";
}

TEST(QueueVerdicts, remedy_that_takes_messages_says_that_the_application_loses_them_and_what_is_better) {
  Watched queue;
  queue.snapshot.groups[0].consumers.clear();
  queue.snapshot.groups[0].depth = 600;
  queue.run(4s);
  ASSERT_EQ(queue.kinds(), Kinds{"group_without_consumer"});
  const watch::Verdict& verdict = queue.verdicts.told()[0];
  EXPECT_NE(verdict.cause.find("start a consumer of the application"), std::string::npos) << verdict.cause;
  EXPECT_EQ(verdict.remedies.at(0).command, "beltway sub q --group g");
  EXPECT_NE(verdict.remedies.at(0).effect.find("gone for it"), std::string::npos) << verdict.remedies.at(0).effect;
}

TEST(QueueVerdicts, finding_that_no_second_look_has_shown_again_is_not_told) {
  Watched queue;
  queue.snapshot.broken = 2;
  queue.run(200ms);
  queue.with_full_looks = false;
  queue.run(2500ms);
  EXPECT_EQ(queue.kinds(), Kinds{}) << "one look has shown it";
  EXPECT_TRUE(queue.verdicts.undecided());
  queue.with_full_looks = true;
  queue.run(200ms);
  ASSERT_EQ(queue.kinds(), Kinds{"broken_words"});
  EXPECT_GE(queue.verdicts.told()[0].since, 2500ms);
}

TEST(QueueVerdicts, finding_of_a_full_look_is_kept_between_full_looks_and_dropped_after_a_gap) {
  Watched queue;
  queue.snapshot.broken = 2;
  queue.run(3s);
  EXPECT_EQ(queue.kinds(), Kinds{"broken_words"});
  queue.with_full_looks = false;
  queue.run(2s);
  EXPECT_EQ(queue.kinds(), Kinds{"broken_words"});
  queue.run(3s);
  EXPECT_EQ(queue.kinds(), Kinds{});
}

}  // namespace
}  // namespace beltway::test
