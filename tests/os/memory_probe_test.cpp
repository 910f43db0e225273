// How much memory may be filled, read from files of the kernel that the test forges.
#include "os/memory_probe.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "beltway/error.hpp"
#include "support/temp_dir.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

namespace fs = std::filesystem;

/// A machine with files of the kernel's that the test writes.
class MemoryProbe : public testing::Test {
 protected:
  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void set_available_kib(std::uint64_t kib) const {
    write(sources_.proc / "meminfo", "MemTotal: 99999999 kB\nMemAvailable: " + std::to_string(kib) + " kB\n");
  }
  void set_cgroup(const std::string& lines) const { write(sources_.proc / "self" / "cgroup", lines); }

  test::TempDir dir_;
  const MemorySources sources_{.proc = dir_.path() / "proc", .cgroups = dir_.path() / "cgroup"};
};

TEST_F(MemoryProbe, the_memory_probe_without_any_file_knows_no_limit) {
  EXPECT_EQ(available_memory_bytes(sources_), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(MemoryProbe, the_memory_probe_reads_the_memory_of_the_machine) {
  set_available_kib(1000);
  EXPECT_EQ(available_memory_bytes(sources_), 1000U * 1024);
}

TEST_F(MemoryProbe, the_memory_probe_finds_the_tightest_cgroup_up_the_tree) {
  set_available_kib(1 << 20);
  set_cgroup("0::/a/b\n");
  write(sources_.cgroups / "a/b/memory.max", "max\n");
  write(sources_.cgroups / "a/b/memory.current", "500\n");
  write(sources_.cgroups / "a/memory.max", "10000\n");
  write(sources_.cgroups / "a/memory.current", "4000\n");
  EXPECT_EQ(available_memory_bytes(sources_), 6000U);
}

TEST_F(MemoryProbe, the_memory_probe_counts_file_pages_that_can_be_dropped_as_available) {
  set_cgroup("0::/a\n");
  write(sources_.cgroups / "a/memory.max", "10000\n");
  write(sources_.cgroups / "a/memory.current", "9000\n");
  write(sources_.cgroups / "a/memory.stat", "anon 1000\ninactive_file 3000\nactive_file 5000\n");
  EXPECT_EQ(available_memory_bytes(sources_), 4000U);
}

TEST_F(MemoryProbe, the_memory_probe_reads_the_first_version_of_cgroups_too) {
  set_cgroup("7:cpu:/x\n4:memory:/job\n0::/\n");
  write(sources_.cgroups / "memory/job/memory.limit_in_bytes", "8000\n");
  write(sources_.cgroups / "memory/job/memory.usage_in_bytes", "7000\n");
  EXPECT_EQ(available_memory_bytes(sources_), 1000U);
}

TEST_F(MemoryProbe, the_memory_probe_reads_the_root_of_the_mount_when_a_container_hides_the_path) {
  set_cgroup("0::/../../hidden\n");
  write(sources_.cgroups / "memory.max", "5000\n");
  write(sources_.cgroups / "memory.current", "1000\n");
  EXPECT_EQ(available_memory_bytes(sources_), 4000U);
}

TEST_F(MemoryProbe, a_cgroup_over_its_limit_has_nothing_left) {
  set_cgroup("0::/a\n");
  write(sources_.cgroups / "a/memory.max", "1000\n");
  write(sources_.cgroups / "a/memory.current", "2000\n");
  EXPECT_EQ(available_memory_bytes(sources_), 0U);
}

TEST_F(MemoryProbe, the_memory_probe_refuses_memory_of_the_reserve_and_names_both_numbers) {
  set_available_kib(8192);
  EXPECT_NO_THROW(require_memory((8U << 20) - k_memory_reserve_bytes, "declare \"x\"", 0, sources_));
  try {
    require_memory((8U << 20) - k_memory_reserve_bytes + 1, "declare \"x\"", 0, sources_);
    FAIL() << "it fits by one byte too little";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), Errc::limit_reached);
    EXPECT_NE(std::string(error.what()).find("declare \"x\": needs 4194305 bytes"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("8388608 are available"), std::string::npos) << error.what();
  }
  EXPECT_THROW(require_memory(std::numeric_limits<std::uint64_t>::max(), "declare", 0, sources_), Error);
}

TEST_F(MemoryProbe, the_memory_probe_counts_a_cgroup_s_memory_high_as_a_limit) {
  set_cgroup("0::/a\n");
  write(sources_.cgroups / "a/memory.max", "10000\n");
  write(sources_.cgroups / "a/memory.high", "3000\n");
  write(sources_.cgroups / "a/memory.current", "1000\n");
  EXPECT_EQ(available_memory_bytes(sources_), 2000U);
  write(sources_.cgroups / "a/memory.max", "max\n");
  EXPECT_EQ(available_memory_bytes(sources_), 2000U);
}

TEST_F(MemoryProbe, the_memory_probe_refuses_memory_that_is_promised_to_others_and_says_so) {
  constexpr std::uint64_t mib = 1U << 20;
  set_available_kib(40 * 1024);
  EXPECT_EQ(memory_fit(16 * mib, 20 * mib, sources_), MemoryFit::fits);
  EXPECT_EQ(memory_fit(16 * mib, 20 * mib + 1, sources_), MemoryFit::promised);
  EXPECT_EQ(memory_fit(37 * mib, 0, sources_), MemoryFit::too_little);
  try {
    require_memory(16 * mib, "attach", 32 * mib, sources_);
    FAIL() << "others were promised the rest";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("of which 33554432 are promised"), std::string::npos) << error.what();
  }
}

TEST_F(MemoryProbe, the_memory_probe_fills_in_steps_that_all_producers_of_a_queue_may_take_at_once) {
  constexpr std::uint64_t mib = 1U << 20;
  set_available_kib(68 * 1024);
  EXPECT_EQ(fill_step_bytes(32 * mib, "attach", sources_), mib);
  EXPECT_EQ(fill_step_bytes(4096, "attach", sources_), 4096U) << "no more than is missing";
  set_available_kib(5 * 1024);
  EXPECT_EQ(fill_step_bytes(mib, "attach", sources_), k_shortest_fill_step_bytes);
  EXPECT_THROW((void)fill_step_bytes(mib + 4096, "attach", sources_), Error) << "the whole rest must be there";
}

TEST(MemoryProbeHere, the_memory_probe_finds_some_memory_on_this_machine) { EXPECT_GT(available_memory_bytes(), 0U); }

}  // namespace
}  // namespace beltway
