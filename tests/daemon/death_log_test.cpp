// The log of deaths: each is told, and a crash loop costs a few lines and a count.
#include "queues/death_log.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using daemon::Death;
using daemon::DeathLog;

/// What is logged while it lives.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(text_)));
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { spdlog::set_default_logger(before_); }
  [[nodiscard]] std::string text() const { return text_.str(); }
  [[nodiscard]] auto lines() const { return std::ranges::count(text_.str(), '\n'); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

const Death k_death{
    .queue = "orders", .endpoint = "consumer 0", .pid = 7, .command = "worker", .voided = 1, .released = 2};

TEST(DeathLog, the_death_log_names_the_dead_process_and_its_repair) {
  const Log log;
  DeathLog().report(k_death, DeathLog::Clock::time_point(1h));
  EXPECT_NE(
      log.text().find("queue orders: consumer 0, process 7 (worker), is gone without detaching; repaired: 1 claims "
                      "voided, 2 messages given back"),
      std::string::npos)
      << log.text();
}

TEST(DeathLog, the_death_log_counts_deaths_that_come_too_fast_and_logs_the_count_later) {
  const Log log;
  DeathLog deaths;
  const DeathLog::Clock::time_point begin(1h);
  Death other = k_death;
  other.queue = "audit";
  for (int i = 0; i < 1000; ++i) deaths.report(i % 10 == 0 ? other : k_death, begin + i * 1ms);
  EXPECT_EQ(log.lines(), static_cast<std::ptrdiff_t>(DeathLog::k_lines));
  ASSERT_TRUE(deaths.due().has_value());
  EXPECT_EQ(*deaths.due(), begin + DeathLog::k_span);
  deaths.flush(begin + DeathLog::k_span - 1ms);
  EXPECT_EQ(log.lines(), static_cast<std::ptrdiff_t>(DeathLog::k_lines)) << "not yet";
  deaths.flush(*deaths.due());
  EXPECT_NE(log.text().find("995 more endpoints died in 10 s and were repaired (audit 99, orders 896)"),
            std::string::npos)
      << log.text();
  EXPECT_FALSE(deaths.due().has_value());
  deaths.report(k_death, begin + 1h);
  EXPECT_EQ(log.lines(), static_cast<std::ptrdiff_t>(DeathLog::k_lines) + 2) << "a new span has lines again";
}

TEST(DeathLog, the_default_log_of_a_daemon_names_dead_programs_and_no_detach) {
  const test::TestDaemon daemon;
  const Queue queue = test::connect(daemon).declare("orders", test::k_small);
  {
    auto out = queue.producer();
  }
  test::Child victim = test::Child::fork([&] {
    auto out = test::connect(daemon).open_queue("orders").producer();
    ::pause();
    return 0;
  });
  ASSERT_TRUE(test::eventually([&] { return queue.describe().endpoints.size() == 1; }));
  const int pid = victim.pid();
  victim.kill();
  victim.wait();
  std::string name;  // of this program, and of its child
  std::getline(std::ifstream("/proc/self/comm") >> std::ws, name);
  const std::string said = "queue orders: producer 0, process " + std::to_string(pid) + " (" + name + ")";
  EXPECT_TRUE(test::eventually([&] { return daemon.log().find(said) != std::string::npos; })) << daemon.log();
  EXPECT_EQ(daemon.log().find("process " + std::to_string(::getpid()) + " ("), std::string::npos) << daemon.log();
}

}  // namespace
}  // namespace beltway
