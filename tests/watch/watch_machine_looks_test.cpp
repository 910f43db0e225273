// How often a watcher looks at the machine and at the descriptors of processes.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "support/child.hpp"
#include "support/temp_dir.hpp"
#include "watch/machine.hpp"
#include "watch/machine_looks.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

class MachineLooksTest : public testing::Test {
 protected:
  /// Whether a look at that time tells that the process is short of descriptors.
  bool tells(watch::Nanoseconds now) {
    for (const watch::Verdict& verdict : looks_.verdicts(fleet_, now)) {
      if (verdict.kind == "descriptors_low") return true;
    }
    return false;
  }

  watch::MachineLooks looks_;
  watch::Fleet fleet_;
};

TEST_F(MachineLooksTest, verdict_is_kept_until_the_next_look_is_due) {
  Child process = Child::spawn({"sleep", "1000"});
  fleet_.daemon.pid = process.pid();
  // It sleeps: no descriptor comes or goes any more.
  const std::string stat = "/proc/" + std::to_string(process.pid()) + "/stat";
  ASSERT_TRUE(eventually([&] { return read_file(stat).find("(sleep) S") != std::string::npos; }));
  EXPECT_FALSE(tells(100s));
  rlimit limit{};
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = watch::descriptor_use(process.pid())->used;
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
  EXPECT_FALSE(tells(100s)) << "a sample of the same moment looks at nothing";
  EXPECT_FALSE(tells(104s));
  EXPECT_TRUE(tells(10'000s));
  process.kill();
  static_cast<void>(process.wait());
  EXPECT_TRUE(tells(10'000s));
  EXPECT_FALSE(tells(20'000s));
}

}  // namespace
}  // namespace beltway::test
