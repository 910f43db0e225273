// What the live stream of `beltway web` tells, and the threads behind it.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <string>

#include "support/child.hpp"
#include "tool/web/web_news.hpp"
#include "tool/web/web_worker.hpp"

namespace {

using beltway::test::eventually;
using beltway::tool::WebNews;
using beltway::tool::WebWorker;
using nlohmann::json;

beltway::watch::QueueView queue(const std::string& name, std::uint64_t used = 0) {
  beltway::watch::QueueView view;
  view.info.name = name;
  view.used = used;
  view.history = {{.at_s = 1, .in_per_s = 5, .out_per_s = 4, .lag = 3}};
  return view;
}

json event_of(const WebNews::Text& text) {
  EXPECT_TRUE(text->starts_with("data: ") && text->ends_with("\n\n"));
  EXPECT_EQ(text->find('\n'), text->size() - 2) << "a line feed would end the event";
  return json::parse(text->substr(6));
}

TEST(WebNewsTest, rows_that_have_not_changed_are_not_told_again) {
  WebNews news(R"({"read_only":true})");
  beltway::watch::Fleet fleet;
  fleet.queues = {queue("a"), queue("b")};
  EXPECT_EQ(event_of(news.update(fleet)).at("rows").size(), 2U);
  EXPECT_EQ(event_of(news.update(fleet)).at("rows").size(), 0U);
  fleet.queues = {queue("b"), queue("a", 7)};
  const json event = event_of(news.update(fleet));
  ASSERT_EQ(event.at("rows").size(), 1U);
  EXPECT_EQ(event.at("rows")[0].at("name"), "a");
  EXPECT_EQ(event.at("rows")[0].at("used"), 7);
  EXPECT_EQ(event.at("server").at("read_only"), true);
}

TEST(WebNewsTest, queues_that_are_gone_are_named) {
  WebNews news("{}");
  beltway::watch::Fleet fleet;
  fleet.queues = {queue("a"), queue("b")};
  (void)news.update(fleet);
  fleet.queues = {queue("b")};
  EXPECT_EQ(event_of(news.update(fleet)).at("gone"), json::array({"a"}));
  EXPECT_EQ(event_of(news.update(fleet)).at("gone"), json::array());
}

TEST(WebNewsTest, new_reader_gets_all_queues_with_their_last_minute) {
  WebNews news("{}");
  beltway::watch::Fleet fleet;
  fleet.queues = {queue("a"), queue("b")};
  (void)news.update(fleet);
  (void)news.update(fleet);
  const json whole = event_of(news.whole());
  EXPECT_EQ(whole.at("rows").size(), 2U);
  EXPECT_EQ(whole.at("minutes").at("a"), json::parse("[[5.0,4.0,3.0]]"));
  EXPECT_EQ(whole.at("whole"), true);
}

TEST(WebNewsTest, text_that_is_no_utf8_does_not_end_the_stream) {
  WebNews news("{}");
  beltway::watch::Fleet fleet;
  fleet.queues = {queue("a")};
  fleet.queues[0].verdicts = {{.kind = "k", .subject = "pid 1 \xff\xfe\n is stopped"}};
  const json event = event_of(news.update(fleet));
  EXPECT_EQ(event.at("rows").size(), 1U);
}

TEST(WebWorkerTest, jobs_beyond_the_bound_are_refused) {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::promise<void> began;
  WebWorker worker(2);
  ASSERT_TRUE(worker.offer([&] {
    began.set_value();
    gone.wait();
  }));
  began.get_future().wait();
  EXPECT_TRUE(worker.offer([] {}));
  EXPECT_TRUE(worker.offer([] {}));
  EXPECT_FALSE(worker.offer([] {}));
  go.set_value();
  EXPECT_TRUE(eventually([&] { return worker.offer([] {}); }));
}

TEST(WebWorkerTest, regular_work_gets_its_turn_among_many_jobs) {
  std::atomic<int> samples{0};
  std::atomic<int> jobs{0};
  WebWorker worker(10, [&] { ++samples; }, std::chrono::milliseconds(1));
  EXPECT_TRUE(eventually([&] {
    while (worker.offer([&] { ++jobs; })) {
    }
    return samples > 20 && jobs > 20;
  }));
}

}  // namespace
