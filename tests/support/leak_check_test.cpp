// The leak check fails a test that leaks, and only that one. Leaky tests are disabled ones here, run in a second process.
#include "leak_check.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.hpp"
#include "temp_dir.hpp"

namespace beltway::test {
namespace {

Outcome run_disabled(const std::string& name, const Child::Options& options = {}) {
  return run({"/proc/self/exe", "--gtest_also_run_disabled_tests", "--gtest_filter=Leaky.DISABLED_" + name}, options);
}

void expect_told(const Outcome& result, const std::string& what) {
  EXPECT_EQ(result.exit, (Exit{.code = 1, .signal = 0})) << result.out << result.err;
  EXPECT_NE(result.out.find("leaks: " + what), std::string::npos) << result.out;
}

TEST(Leaky, DISABLED_descriptor) { ASSERT_GE(::open("/dev/null", O_RDONLY), 0); }
TEST(Leaky, DISABLED_replaced) {
  const int first = ::open("/dev/null", O_RDONLY);
  ASSERT_EQ(::dup2(first, STDIN_FILENO), STDIN_FILENO);
  ::close(first);
}
TEST(Leaky, DISABLED_mapping) {
  const int memory = ::memfd_create("leak", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(memory, 4096), 0);
  ASSERT_NE(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory, 0), MAP_FAILED);
  ::close(memory);
}
TEST(Leaky, DISABLED_child) {
  if (::fork() == 0) {
    ::pause();
    ::_exit(0);
  }
}
TEST(Leaky, DISABLED_zombie) {
  if (::fork() == 0) ::_exit(0);
}
TEST(Leaky, DISABLED_shared_file) {
  const int file = ::shm_open("/leak-on-purpose", O_CREAT | O_RDWR, 0600);
  ASSERT_GE(file, 0);
  ::close(file);
}
TEST(Leaky, DISABLED_nothing_leaks_after_another) {}

TEST(LeakCheck, the_leak_check_tells_a_descriptor) { expect_told(run_disabled("descriptor"), "descriptor "); }
TEST(LeakCheck, the_leak_check_tells_a_descriptor_that_now_means_something_else) {
  const TempDir dir;
  const auto result =
      run({"/proc/self/exe", "--gtest_also_run_disabled_tests", "--gtest_filter=Leaky.DISABLED_replaced"},
          {.standard_input = dir.write("input", "")});
  expect_told(result, "descriptor 0 -> /dev/null");
}
TEST(LeakCheck, the_leak_check_tells_a_mapping_of_shared_memory) {
  expect_told(run_disabled("mapping"), "mapping of /memfd:leak");
}
TEST(LeakCheck, the_leak_check_tells_a_running_child) { expect_told(run_disabled("child"), "child process "); }
TEST(LeakCheck, the_leak_check_tells_a_child_that_was_not_waited_for) {
  expect_told(run_disabled("zombie"), "child process ");
}
TEST(LeakCheck, the_leak_check_tells_a_file_in_dev_shm) {
  // A mark of its own, so that no test that runs at the same time finds the file and is blamed.
  expect_told(run_disabled("shared_file", {.environment = {{"BELTWAY_LEAK_MARK", "leak-on-purpose"}}}), "shared file ");
}

TEST(LeakCheck, the_leak_check_blames_only_the_test_that_leaked) {
  const auto result = run({"/proc/self/exe", "--gtest_also_run_disabled_tests",
                           "--gtest_filter=Leaky.DISABLED_descriptor:Leaky.DISABLED_nothing*"});
  expect_told(result, "descriptor ");
  EXPECT_NE(result.out.find("1 FAILED TEST"), std::string::npos) << result.out;
}

TEST(LeakCheck, the_leak_check_lets_a_test_close_what_it_opened_and_reap_what_it_started) {
  const int opened = ::open("/dev/null", O_RDONLY);
  EXPECT_TRUE(run({"true"}).exit.ok());
  const auto killed_when_dropped = Child::spawn({"sleep", "60"});
  ::close(opened);
}

}  // namespace
}  // namespace beltway::test
