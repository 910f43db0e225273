// A memory cgroup that is too small: producers and daemon are refused by name, and nobody is killed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/lane_bytes.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

namespace beltway {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

using test::bytes_of_lanes;
using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::TestDaemon;

constexpr std::uint64_t k_mebibyte = 1U << 20;

/// A memory cgroup of the test's own, of whichever version the machine has.
class MemoryCgroup : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = "beltway-test-" + std::to_string(::getpid());
    std::string limit;
    if (fs::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")) {
      group_ = fs::path("/sys/fs/cgroup/memory") / name;
      limit = "memory.limit_in_bytes";
    } else if (test::read_file("/sys/fs/cgroup/cgroup.subtree_control").find("memory") != std::string::npos) {
      group_ = fs::path("/sys/fs/cgroup") / name;
      limit = "memory.max";
    } else {
      GTEST_SKIP() << "this machine has no memory cgroups";
    }
    std::error_code error;
    if (!fs::create_directory(group_, error)) GTEST_SKIP() << "this user may not make a cgroup: " << error.message();
    made_ = true;
    std::ofstream(group_ / limit) << 64 * k_mebibyte;
  }
  void TearDown() override {
    if (!made_) return;
    EXPECT_TRUE(eventually([&] { return ::rmdir(group_.c_str()) == 0; })) << group_;
  }
  void enter() const { std::ofstream(group_ / "cgroup.procs") << ::getpid(); }

  fs::path group_;
  bool made_ = false;
};

TEST_F(MemoryCgroup, producers_that_attach_at_once_are_refused_and_not_killed) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare(
      "frames", {.slots = 16, .lane_bytes = 16 * k_mebibyte, .max_producers = 8, .max_consumers = 2});
  for (int round = 0; round < 3; ++round) {
    std::vector<Child> racers;
    for (int i = 0; i < 6; ++i) {
      racers.push_back(Child::fork([&] {
        enter();
        const Queue own = connect(daemon).open_queue("frames");
        std::optional<Producer> out;
        const Error error = error_of([&] { out.emplace(own.producer()); });
        std::this_thread::sleep_for(2s);  // all others have tried by then
        if (out) return 0;
        const bool named = std::string(error.what()).find("needs 16777216 bytes of memory") != std::string::npos;
        return error.reason() == Errc::limit_reached && named ? 1 : 2;
      }));
    }
    int attached = 0;
    for (Child& racer : racers) {
      const test::Exit exit = racer.wait();
      EXPECT_TRUE(exit.code == 0 || exit.code == 1) << testing::PrintToString(exit);
      attached += exit.code == 0;
    }
    // 64 MiB less what the processes need themselves.
    EXPECT_GE(attached, 2);
    EXPECT_LE(attached, 3);
    EXPECT_TRUE(eventually([&] { return bytes_of_lanes(daemon, "frames") == 0; })) << bytes_of_lanes(daemon, "frames");
  }
}

TEST_F(MemoryCgroup, a_declare_beyond_the_cgroup_is_refused_and_the_daemon_lives) {
  Child daemon = Child::fork([&] {
    enter();
    TestDaemon inner;
    const Connection link = connect(inner);
    const Error error = error_of([&] {
      (void)link.declare("huge", {.slots = 1U << 16, .slot_bytes = 2048, .lane_bytes = 0, .max_producers = 1});
    });
    if (error.reason() != Errc::limit_reached) return 1;
    return link.list().empty() ? 0 : 2;
  });
  EXPECT_EQ(daemon.wait(), (test::Exit{.code = 0, .signal = 0}));
}

}  // namespace
}  // namespace beltway
