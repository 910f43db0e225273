// The journal of events: numbers that never go back, the last events only, whole records after any death, and no trust in what
// is found.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "beltway/error.hpp"
#include "os/segment.hpp"
#include "support/child.hpp"
#include "support/error_of.hpp"
#include "survival/event_journal.hpp"
#include "wire/events_json.hpp"

namespace beltway::daemon {
namespace {

using test::Child;

os::Fd copy_of(int descriptor) { return os::Fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)); }

StoredEvent event(std::string kind, std::uint32_t owner = 1001) {
  StoredEvent stored{.event = {}, .owner_uid = owner, .owner_gid = 2001, .mode = 0600};
  stored.event.kind = std::move(kind);
  stored.event.queue = "orders";
  stored.event.queue_id = 7;
  return stored;
}

bool all(const StoredEvent&) { return true; }

std::vector<std::string> kinds(const EventPage& page) {
  std::vector<std::string> found;
  for (const Event& each : page.events) found.push_back(each.kind);
  return found;
}

/// A journal in memory that the test can open again, as the next daemon does.
struct Memory {
  EventSegment segment;
  [[nodiscard]] EventSegment again() const { return EventSegment(copy_of(segment.descriptor())); }
  /// The bytes of the record of that event.
  void write(std::uint64_t sequence, std::size_t offset, const void* bytes, std::size_t size) const {
    const auto at = k_event_heading_bytes + sequence % k_max_events * k_max_event_bytes + offset;
    ASSERT_EQ(::pwrite(segment.descriptor(), bytes, size, static_cast<off_t>(at)), static_cast<ssize_t>(size));
  }
};

TEST(EventJournal, events_are_numbered_from_1_and_come_in_pages) {
  DescriptorStore store;
  EventJournal journal(store);
  EXPECT_EQ(journal.page(0, 10, all).last, 0U);
  for (const char* const kind : {"declared", "attached", "left"}) journal.add(event(kind));
  const EventPage first = journal.page(0, 2, all);
  EXPECT_EQ(kinds(first), (std::vector<std::string>{"declared", "attached"}));
  EXPECT_EQ(first.events[0].sequence, 1U);
  EXPECT_NE(first.events[0].time_ns, 0U);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.next, 3U);
  const EventPage second = journal.page(first.next, 2, all);
  EXPECT_EQ(kinds(second), std::vector<std::string>{"left"});
  EXPECT_FALSE(second.more);
  EXPECT_EQ(second.next, 4U);
  EXPECT_EQ(second.journal, first.journal);
  EXPECT_TRUE(journal.page(second.next, 2, all).events.empty());
}

TEST(EventJournal, a_page_leaves_out_what_the_caller_may_not_see_and_goes_on_behind_it) {
  DescriptorStore store;
  EventJournal journal(store);
  for (std::uint32_t i = 0; i < 6; ++i) journal.add(event("attached", 1000 + i % 2));
  const auto of_1001 = [](const StoredEvent& stored) { return stored.owner_uid == 1001; };
  const EventPage page = journal.page(0, 2, of_1001);
  ASSERT_EQ(page.events.size(), 2U);
  EXPECT_EQ(page.events[1].sequence, 4U);
  EXPECT_EQ(journal.page(page.next, 9, of_1001).events.front().sequence, 6U);
  EXPECT_EQ(journal.page(0, 9, [](const StoredEvent&) { return false; }).next, 7U);
}

TEST(EventJournal, a_page_of_the_longest_events_fits_an_answer) {
  DescriptorStore store;
  EventJournal journal(store);
  StoredEvent longest = event("dead_lettered");
  longest.event.queue = std::string(k_max_name_length, 'q');
  longest.event.group = std::string(k_max_name_length, 'g');
  longest.event.role = "consumer";
  longest.event.pid = 4194304;
  longest.event.uid = 4294967295;
  longest.event.command = std::string(15, '"');
  longest.event.voided = longest.event.released = longest.event.messages = ~std::uint64_t{0};
  longest.event.queue_id = (1ULL << 53) - 1;
  longest.event.text = std::string(4000, '\\');
  for (unsigned i = 0; i < 600; ++i) journal.add(longest);
  std::uint64_t next = 0;
  std::size_t seen = 0;
  do {
    const EventPage page = journal.page(next, 10'000, all);
    nlohmann::json answer = wire::encode(page);
    answer["n"] = ~std::uint64_t{0};
    EXPECT_LE(answer.dump().size(), k_max_protocol_bytes);
    ASSERT_GT(page.next, next) << "no page is empty while there is more";
    seen += page.events.size();
    next = page.next;
  } while (next <= 600);
  EXPECT_EQ(seen, 600U);
}

TEST(EventJournal, a_request_looks_at_a_part_of_the_journal_only) {
  DescriptorStore store;
  EventJournal journal(store);
  for (std::uint32_t i = 0; i < k_max_events_per_request + 10; ++i) journal.add(event("attached"));
  std::uint32_t looks = 0;
  const EventPage page = journal.page(0, 10, [&looks](const StoredEvent&) {
    ++looks;
    return false;
  });
  EXPECT_EQ(looks, k_max_events_per_request);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.next, k_max_events_per_request + 1);
}

TEST(EventJournal, a_journal_keeps_its_last_events_and_the_next_daemon_goes_on_with_them) {
  const Memory memory;
  {
    EventJournal journal(memory.again());
    for (std::uint32_t i = 0; i < k_max_events + 5; ++i) journal.add(event("attached"));
    EXPECT_EQ(journal.page(0, 1, all).first, 6U);
  }
  EventJournal next(memory.again());
  const EventPage page = next.page(0, 1, all);
  EXPECT_EQ(page.first, 6U);
  EXPECT_EQ(page.last, k_max_events + 5);
  EXPECT_EQ(page.events.front().queue, "orders");
  EXPECT_EQ(page.journal, memory.segment.journal());
  next.add(event("taken_over"));
  EXPECT_EQ(next.page(k_max_events + 6, 1, all).events.front().kind, "taken_over");
}

TEST(EventJournal, an_event_that_its_daemon_did_not_finish_is_left_out) {
  const Memory memory;
  {
    EventJournal journal(memory.again());
    for (const char* const kind : {"declared", "attached", "left"}) journal.add(event(kind));
  }
  const std::uint64_t unfinished = 0;
  memory.write(3, 0, &unfinished, sizeof unfinished);
  EventJournal next(memory.again());
  EXPECT_EQ(kinds(next.page(0, 9, all)), (std::vector<std::string>{"declared", "attached"}));
  next.add(event("died"));
  EXPECT_EQ(next.page(3, 9, all).events.front().kind, "died") << "no reader has seen the number 3";
}

TEST(EventJournal, garbage_in_a_record_is_left_out_and_its_number_is_not_used_again) {
  const std::vector<std::string> texts{"",
                                       "no JSON",
                                       "[]",
                                       "{}",
                                       R"({"sequence":3})",
                                       std::string(900, '{'),
                                       R"({"sequence":2,"time_ns":1,"monotonic_ns":1,"kind":"x","rights":[1,2,3]})",
                                       R"({"sequence":3,"time_ns":1,"monotonic_ns":1,"kind":"x","rights":[1,2]})",
                                       R"({"sequence":3,"time_ns":1,"monotonic_ns":1,"kind":"x","rights":[1,2,-3]})",
                                       R"({"sequence":3,"time_ns":-1,"monotonic_ns":1,"kind":5,"public":true})"};
  for (const std::string& text : texts) {
    const Memory memory;
    {
      EventJournal journal(memory.again());
      for (const char* const kind : {"declared", "attached", "left"}) journal.add(event(kind));
    }
    const std::uint64_t size = text.size();
    memory.write(3, 8, &size, sizeof size);
    memory.write(3, 16, text.data(), text.size());
    EventJournal next(memory.again());
    EXPECT_EQ(next.page(0, 9, all).events.size(), 2U) << text;
    next.add(event("died"));
    EXPECT_EQ(next.page(3, 9, all).events.front().sequence, 4U) << text;
  }
}

TEST(EventJournal, sequence_numbers_and_sizes_that_no_daemon_writes_are_left_out) {
  const Memory memory;
  for (const std::uint64_t sequence : {~std::uint64_t{0}, (std::uint64_t{1} << 53) + 5, std::uint64_t{6}}) {
    memory.write(5, 0, &sequence, sizeof sequence);  // the place of another number
    EXPECT_TRUE(memory.again().read_all().empty()) << sequence;
  }
  const std::uint64_t five = 5;
  const std::uint64_t huge = ~std::uint64_t{0};
  memory.write(5, 0, &five, sizeof five);
  memory.write(5, 8, &huge, sizeof huge);
  EXPECT_TRUE(memory.again().read_all().empty());
}

TEST(EventJournal, memory_that_is_no_journal_is_refused) {
  const os::Fd small = os::make_segment("test:small", 4096, "test");
  EXPECT_EQ(test::error_of([&] { EventSegment segment(copy_of(small.get())); }).reason(), Errc::incompatible);
  const os::Fd empty = os::make_segment("test:empty", k_event_memory_bytes, "test");
  EXPECT_EQ(test::error_of([&] { EventSegment segment(copy_of(empty.get())); }).reason(), Errc::incompatible);
  const Memory memory;
  const std::uint64_t layout = 99;
  ASSERT_EQ(::pwrite(memory.segment.descriptor(), &layout, sizeof layout, 8), 8);
  EXPECT_EQ(test::error_of([&] { static_cast<void>(memory.again()); }).reason(), Errc::incompatible);
}

TEST(EventJournal, a_daemon_that_is_killed_at_any_moment_leaves_whole_events) {
  const Memory memory;
  std::uint64_t last = 0;
  for (unsigned round = 0; round < 8; ++round) {
    Child writer = Child::fork([&memory] {
      EventJournal journal(memory.again());
      for (;;) journal.add(event("attached"));
      return 0;
    });
    const std::uint64_t wanted = last + 100 + round * 37;
    ASSERT_TRUE(test::eventually([&] {
      const auto records = memory.again().read_all();
      return !records.empty() && records.back().sequence > wanted;
    }));
    writer.kill(SIGKILL);
    writer.wait();
    const auto records = memory.again().read_all();
    EventJournal next(memory.again());
    const EventPage page = next.page(records.back().sequence, 1, all);
    ASSERT_EQ(page.events.size(), 1U);
    EXPECT_GE(page.last, last);
    std::size_t whole = 0;
    for (std::uint64_t from = 0; from <= page.last;) {
      const EventPage part = next.page(from, 10'000, all);
      whole += part.events.size();
      from = part.next;
    }
    EXPECT_EQ(whole, records.size()) << "each record that is there makes sense";
    last = page.last;
  }
}

}  // namespace
}  // namespace beltway::daemon
