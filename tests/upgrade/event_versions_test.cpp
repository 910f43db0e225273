// What a daemon makes of the memory of events that a daemon of another version has left: it serves the queues in any case, tells
// why events are missing, and begins a journal of its own. The programs are those of this build; the memory is forged.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

#include "beltway/beltway.hpp"
#include "os/segment.hpp"
#include "support/daemon.hpp"
#include "support/fake_systemd.hpp"
#include "support/raw_client.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr off_t k_layout_offset = 8;

/// A service with one queue, whose daemon has died.
class EventVersions : public testing::Test {
 protected:
  void SetUp() override {
    systemd_.start();
    link_ = Connection::open({.socket = dir_.socket(), .start_daemon = false, .timeout = 20s});
    static_cast<void>(link_->declare("orders", k_small));
    before_ = link_->events();
    systemd_.service().kill();
    systemd_.service().wait();
  }
  void write(off_t at, const std::string& bytes) {
    const Fd memory = systemd_.copy_of("EVTS");
    ASSERT_EQ(::pwrite(memory.get(), bytes.data(), bytes.size(), at), static_cast<ssize_t>(bytes.size()));
  }
  void write_layout(std::uint64_t layout) {
    write(k_layout_offset, std::string(reinterpret_cast<const char*>(&layout), sizeof layout));
  }
  [[nodiscard]] EventPage start_and_ask() {
    systemd_.start();
    EXPECT_EQ(link_->list().size(), 1U) << "the queues are served";
    return link_->events();
  }
  /// The daemon has begun a journal, says why, and the next daemon goes on with it.
  void expect_begun_anew(const std::string& why) {
    const EventPage page = start_and_ask();
    EXPECT_NE(page.journal, before_.journal) << "followers see that numbers count anew";
    ASSERT_EQ(page.events.size(), 1U);
    EXPECT_EQ(page.events[0].sequence, 1U);
    EXPECT_EQ(page.events[0].kind, "taken_over");
    EXPECT_NE(systemd_.log().find("the events of earlier daemons cannot be read"), std::string::npos) << systemd_.log();
    EXPECT_NE(systemd_.log().find(why), std::string::npos) << systemd_.log();
    EXPECT_EQ(systemd_.stored()["EVTS"], 1);
    systemd_.service().kill();
    systemd_.service().wait();
    EXPECT_EQ(start_and_ask().journal, page.journal);
  }

  TempDir dir_;
  FakeSystemd systemd_{{program("beltwayd"), "--socket", dir_.socket()}};
  std::optional<Connection> link_;
  EventPage before_;
};

TEST_F(EventVersions, events_of_the_same_layout_go_on) {
  const EventPage page = start_and_ask();
  EXPECT_EQ(page.journal, before_.journal);
  ASSERT_GT(page.events.size(), before_.events.size());
  EXPECT_EQ(page.events[0].kind, "started");
  EXPECT_EQ(page.events[before_.events.size()].kind, "taken_over");
}

TEST_F(EventVersions, daemon_that_meets_events_of_a_newer_layout_begins_anew_and_says_both_layouts) {
  write_layout(2);
  expect_begun_anew("left layout 2, this one reads 1");
}

TEST_F(EventVersions, daemon_that_meets_events_of_an_older_layout_begins_anew_and_says_both_layouts) {
  write_layout(0);
  expect_begun_anew("left layout 0, this one reads 1");
}

TEST_F(EventVersions, daemon_that_meets_garbage_in_place_of_events_begins_anew) {
  write(0, std::string(8192, '\x5a'));
  expect_begun_anew("this one reads 1");
}

TEST_F(EventVersions, daemon_that_meets_events_that_are_cut_begins_anew) {
  systemd_.replace("EVTS", make_segment("test:cut", k_event_heading_bytes, "test"));
  expect_begun_anew("keep the events");
}

TEST_F(EventVersions, daemon_that_meets_no_memory_in_place_of_events_begins_anew) {
  systemd_.replace("EVTS", Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)));
  expect_begun_anew("keep the events");
}

TEST_F(EventVersions, daemon_whose_store_has_lost_the_events_begins_anew) {
  systemd_.lose("EVTS");
  const EventPage page = start_and_ask();
  EXPECT_NE(page.journal, before_.journal);
  EXPECT_EQ(page.events.at(0).kind, "taken_over");
}

TEST_F(EventVersions, records_that_a_newer_daemon_wrote_with_more_members_are_read_without_them) {
  const std::string record =
      R"({"sequence":900,"time_ns":1,"monotonic_ns":1,"kind":"foretold","member_of_later":[1],"public":true})";
  const std::uint64_t head[] = {900, record.size()};
  const auto at = static_cast<off_t>(k_event_heading_bytes + 900 * k_max_event_bytes);
  write(at, std::string(reinterpret_cast<const char*>(head), sizeof head) + record);
  const EventPage page = start_and_ask();
  EXPECT_EQ(page.journal, before_.journal);
  const auto found = std::ranges::find(page.events, std::uint64_t{900}, &Event::sequence);
  ASSERT_NE(found, page.events.end());
  EXPECT_EQ(found->kind, "foretold");
  EXPECT_EQ(page.last, 901U) << "its number is not used again";
}

}  // namespace
}  // namespace beltway::test
