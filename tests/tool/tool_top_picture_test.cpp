// The pictures of `beltway top`, without terminal and daemon: golden ones, and all sizes.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "support/fake_fleet.hpp"
#include "support/temp_dir.hpp"
#include "tool/top/pages.hpp"
#include "watch/machine.hpp"

namespace {

using namespace beltway;
using namespace beltway::tool;

class TopPicture : public testing::Test {
 protected:
  TopPicture() {
    setenv("TZ", "UTC", 1);
    data_.fleet = test::fake_fleet();
    data_.at_s = 3661;
  }

  std::string picture(Page page, Charset charset = Charset::ascii, Size size = {}) {
    state_.page = page;
    state_.charset = charset;
    state_.size = size;
    settle(state_, data_);
    return '\n' + picture_of(state_, data_).text();
  }
  bool sees(const std::string& text, Page page, Charset charset = Charset::utf8, Size size = {}) {
    return picture(page, charset, size).find(text) != std::string::npos;
  }

  TopState state_;
  TopData data_;
};

TEST_F(TopPicture, list_of_queues_at_80x24_in_ascii) {
  EXPECT_EQ(picture(Page::queues), R"(
 beltway top  5 queues, 1 in trouble, 1 warning  in 12k/s out 11k/s    01:01:01
  beltwayd 0.2.0 pid 123 at /run/test/beltwayd.sock
  NAME              IN/s OUT/s DEPTH       IN, 60 s      AGE WHY
! orders               0     0 ###### 100% ==## ..--=    ~5m is full: group bil~
* mail              1.2k    17 ###...  59% ==## ..--=    75s fills up: group bi~
  a/quite/long/na~   0.5   0.5 #..... 0.3% ==## ..--=   12ms
  empty                0     0 ......   0%                 -
  secret               -     -           - ==## ..--=      - no right to read












! is full: group billing, consumer 2 (pid 4711 worker, stopped by a signal)
  holds position 88; 1024 of 1024 slots are used, 3 producers wait; for 9s
    kill -CONT 4711   lets the process go on
 Enter open  s sort  r reverse  / filter  u update  ? help  q quit
)");
}

TEST_F(TopPicture, page_of_a_queue_at_80x36_in_ascii) {
  state_.open_queue = "orders";
  data_.open = test::fake_open_queue();
  EXPECT_EQ(picture(Page::queue, Charset::ascii, {36, 80}), R"(
 queue orders                                                          01:01:01
 position 1112   used 1024 of 1024 [##########]   parked 0 of 512   memory 1 MiB
 owner mara 0600
 in 0/s 0 B/s   out 0/s 0 B/s   lag 1024   delay 5m   oldest -
! is full: group billing, consumer 2 (pid 4711 worker, stopped by a signal)
  holds position 88; 1024 of 1024 slots are used, 3 producers wait; for 9s
    kill -CONT 4711   lets the process go on
    beltway evict orders 2   gives its place away

 |L##x-d=.|
  A      *
  from position 88: . free, # waiting, L held, - acknowledged, d delayed, x gap,
  = payload in a lane; floors: A billing 88, B audit 1112, C consumer 4 1103
 in/s   ..--==## ..--==## ..--==## ..--==## ..--==## ..--==## ..--= 8 at most
 out/s  ..--==## ..--==## ..--==## ..--==## ..--==## ..--==## ..--= 4 at most
 lag    ..--==## ..--==## ..--==## ..--==## ..--==## ..--==## ..--= 8 at most

  GROUP          LAG  IN/s OUT/s DELAY  FULL   AGE  HELD AGAIN PARK DEAD CONS
  billing         1k     5     4     -     -     -     4     0    0    0    2
  audit            0     0     0 pause     -     -     0     0    0    0    0

  CONS GROUP          PID COMMAND    USER    MSG/s BUSY WAKES  HELD STATE
  2    billing       4711 worker     mara        4  98%  0.02     3 stopped
  3    billing       4712 worker     mara        4  98%  0.02     1
  4    (private)     4713 ?          mara        4  98%  0.02     9

  PROD NAME           PID COMMAND    USER    MSG/s BUSY WAKES  LANE STATE
  0    p-1           4800 ?          root     1.2k  10%     0   66k waits: ring







 a act  m messages  Tab next group or process  u update  ? help  Esc back
)");
}

TEST_F(TopPicture, page_of_a_queue_with_stamps_shows_how_old_messages_were_when_they_were_received) {
  state_.open_queue = "orders";
  auto open = std::make_shared<OpenQueue>(*test::fake_open_queue());
  data_.open = open;
  EXPECT_FALSE(sees("AGE WHEN GOT", Page::queue, Charset::ascii, {50, 80})) << "it has no stamps";
  open->detail.ages = {{.group = "billing", .counts = std::vector<std::uint64_t>(32)},
                       {.group = {}, .consumer = 4, .counts = std::vector<std::uint64_t>(32)}};
  open->detail.ages[0].counts[10] = 800;
  open->detail.ages[0].counts[11] = 400;
  open->detail.ages[0].counts[14] = 1;
  open->detail.ages[1].counts[8] = 5;
  open->detail.snapshot.groups[0].ages = {.delivered = 1201,
                                          .p50 = std::chrono::microseconds(1024),
                                          .p99 = std::chrono::microseconds(2048),
                                          .max = std::chrono::microseconds(16384)};
  open->detail.snapshot.consumers[2].ages = {.delivered = 5,
                                             .p50 = std::chrono::microseconds(256),
                                             .p99 = std::chrono::microseconds(256),
                                             .max = std::chrono::microseconds(256)};
  const std::string seen = picture(Page::queue, Charset::ascii, {50, 80});
  EXPECT_NE(seen.find(R"(
  AGE WHEN GOT  HALF   99%   ALL  FROM 256us TO 16ms
  billing        1ms   2ms  16ms    #-  .
  consumer 4   256us 256us 256us  #
)"),
            std::string::npos)
      << seen;
}

TEST_F(TopPicture, wide_screen_shows_whole_names_and_more_of_the_verdict) {
  EXPECT_TRUE(sees("a/quite/long/name/of/a/queue ", Page::queues, Charset::utf8, {24, 160}));
  EXPECT_TRUE(sees("consumer 2 (pid 4711 worker", Page::queues, Charset::utf8, {6, 160}));
  EXPECT_TRUE(sees("memory 5 MiB", Page::queues, Charset::utf8, {24, 160}));
}

TEST_F(TopPicture, silent_daemon_is_told_and_the_last_state_stays) {
  auto fleet = std::make_shared<watch::Fleet>(*data_.fleet);
  fleet->daemon_answers = false;
  fleet->daemon_gone_for = std::chrono::seconds(12);
  data_.fleet = fleet;
  EXPECT_TRUE(sees("the daemon does not answer for 12s", Page::queues));
  EXPECT_TRUE(sees("orders", Page::queues));
  state_.open_queue = "orders";
  data_.open = test::fake_open_queue();
  EXPECT_TRUE(sees("THE DAEMON DOES NOT ANSWER", Page::queue));
}

TEST_F(TopPicture, verdict_of_the_machine_stands_in_the_second_line) {
  auto fleet = std::make_shared<watch::Fleet>(*data_.fleet);
  const test::TempDir machine;
  static_cast<void>(machine.write("meminfo", "MemAvailable: 20480 kB\n"));
  watch::MachineSources sources;
  sources.memory = {.proc = machine.path(), .cgroups = machine.path()};
  fleet->verdicts = watch::machine_verdicts(sources);
  ASSERT_EQ(fleet->verdicts.size(), 1U);
  EXPECT_EQ(fleet->verdicts[0].kind, "memory_low");
  data_.fleet = fleet;
  EXPECT_TRUE(sees("\n* this machine: little memory is left", Page::queues));
  sources.memfd_error = EPERM;
  auto worse = std::make_shared<watch::Fleet>(*fleet);
  worse->verdicts = watch::machine_verdicts(sources);
  data_.fleet = worse;
  EXPECT_TRUE(sees("\n! 1 of 2: this machine: memfd_create does not work here", Page::queues));
}

TEST_F(TopPicture, trouble_that_finds_no_room_begins_with_its_kind_and_does_not_name_the_queue_again) {
  auto fleet = std::make_shared<watch::Fleet>(*data_.fleet);
  fleet->queues.at(1).verdicts = {{.kind = "consumer_stopped",
                                   .severity = watch::Severity::warning,
                                   .queue = fleet->queues[1].info.name,
                                   .subject = fleet->queues[1].info.name,
                                   .cause = "consumer 0 (process 4711 worker, stopped) holds 0 messages"}};
  data_.fleet = fleet;
  EXPECT_TRUE(sees(" consumer stopped: ", Page::queues));
}

TEST_F(TopPicture, help_names_throughput_and_delay) {
  for (const Page page : {Page::queues, Page::queue}) {
    std::string text;
    for (const PageLine& line : help_lines(page, 400, Charset::utf8)) {
      for (const Span& span : line.spans) text += span.text;
    }
    EXPECT_NE(text.find("throughput N/T"), std::string::npos) << text;
    EXPECT_NE(text.find("delay N/R"), std::string::npos) << text;
  }
}

TEST_F(TopPicture, queue_that_is_gone_says_so) {
  state_.open_queue = "orders";
  EXPECT_TRUE(sees("looking...", Page::queue));
  data_.open_trouble = "queue orders does not exist any more";
  EXPECT_TRUE(sees("queue orders does not exist any more", Page::queue));
}

TEST_F(TopPicture, troubles_are_told_by_a_mark_and_by_ink) {
  state_.charset = Charset::utf8;
  settle(state_, data_);
  const Grid grid = picture_of(state_, data_);
  EXPECT_EQ(grid.at(3, 0).bytes, "!");
  EXPECT_EQ(grid.at(3, 2).style.ink, Ink::trouble);
  EXPECT_TRUE(grid.at(3, 2).style.reverse) << "the marked line";
  EXPECT_EQ(grid.at(4, 0).bytes, "*");
  EXPECT_EQ(grid.at(4, 2).style.ink, Ink::warning);
  EXPECT_EQ(grid.at(5, 0).bytes, " ");
}

/// Bytes that a terminal would obey.
bool is_harmless(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) return false;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return text.find("\u202e") == std::string::npos;
}

TEST_F(TopPicture, no_text_of_others_reaches_the_terminal_unescaped) {
  const std::string hostile =
      "\x1b[2J\x1b]0;title\x07\r\n\xc2\x9b"
      "31m\u202e"
      "evil\x7f\xff漢字e\u0301\u0301\u0301\u0301\u0301\u0301";
  auto fleet = std::make_shared<watch::Fleet>(*data_.fleet);
  fleet->daemon.socket = fleet->daemon.version = hostile;
  for (watch::QueueView& queue : fleet->queues) {
    queue.info.name = hostile + queue.info.name;
    for (watch::Verdict& verdict : queue.verdicts)
      verdict.cause = verdict.subject = verdict.evidence = verdict.forecast = verdict.remedies.emplace_back().command =
          hostile;
  }
  data_.fleet = fleet;
  auto open = std::make_shared<OpenQueue>(*test::fake_open_queue());
  open->detail.view.verdicts.front().cause = hostile;
  open->detail.snapshot.info.options.description = hostile;
  open->detail.snapshot.groups.front().name = hostile;
  open->detail.strip.floors.front().group = hostile;
  open->detail.snapshot.producers.front().endpoint.name = hostile;
  for (auto& [pid, process] : open->processes) process.name = hostile;
  for (auto& [uid, user] : open->users) user = hostile;
  data_.open = open;
  data_.messages = std::make_shared<const MessageList>(
      MessageList{.queue = "orders", .group = {}, .messages = {test::fake_message(1, hostile)}});
  data_.message =
      std::make_shared<const OpenMessage>(OpenMessage{.message = test::fake_message(1, hostile), .trouble = {}});
  state_.status = state_.selection.filter = hostile;
  for (const Charset charset : {Charset::ascii, Charset::utf8}) {
    for (const Page page : {Page::queues, Page::queue, Page::messages, Page::message}) {
      state_.selection.filter = page == Page::queues ? "" : hostile;
      for (const MessageForm form : {MessageForm::text, MessageForm::hex, MessageForm::json}) {
        state_.form = form;
        EXPECT_TRUE(is_harmless(picture(page, charset, {60, 200}))) << static_cast<int>(page);
      }
    }
  }
}

TEST_F(TopPicture, every_size_and_dialog_has_a_picture_that_fits) {
  state_.open_queue = "orders";
  data_.open = test::fake_open_queue();
  data_.messages = std::make_shared<const MessageList>(
      MessageList{.queue = "orders", .group = {}, .messages = {test::fake_message(1, "x")}});
  data_.message = std::make_shared<const OpenMessage>(
      OpenMessage{.message = test::fake_message(1, std::string(500, 'x')), .trouble = {}});
  state_.choices = choices_of(data_.open->detail, std::nullopt);
  state_.act = state_.choices.front().act;
  state_.typed = std::string(100, 'y') + "漢";
  for (const Dialog dialog : {Dialog::none, Dialog::help, Dialog::sort, Dialog::acts, Dialog::confirm, Dialog::input}) {
    state_.dialog = dialog;
    for (const Page page : {Page::queues, Page::queue, Page::messages, Page::message}) {
      for (const std::size_t rows : {0U, 1U, 2U, 3U, 4U, 5U, 8U, 11U, 12U, 13U, 24U, 200U}) {
        for (const std::size_t columns : {0U, 1U, 2U, 3U, 7U, 20U, 41U, 80U, 81U, 333U}) {
          state_.page = page;
          state_.size = {rows, columns};
          settle(state_, data_);
          const Grid grid = picture_of(state_, data_);
          EXPECT_EQ(grid.size(), state_.size);
          for (std::size_t row = 0; row < rows; ++row) EXPECT_LE(width_of(grid.row_text(row), Charset::utf8), columns);
        }
      }
    }
  }
}

TEST_F(TopPicture, question_of_an_act_stays_readable_on_a_small_screen) {
  state_.open_queue = "orders";
  data_.open = test::fake_open_queue();
  state_.act = choices_of(data_.open->detail, Target{.kind = Target::Kind::group, .name = "billing"}).at(1).act;
  state_.dialog = Dialog::confirm;
  EXPECT_TRUE(sees("Type y to do it", Page::queue, Charset::utf8, {5, 60}));
}

}  // namespace
