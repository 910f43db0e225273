// The memory of an attach: what becomes real and what does not, and what an attach says that cannot have it.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "beltway/beltway.hpp"
#include "os/segment.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::k_small;
using test::TestDaemon;

constexpr std::uint64_t k_mib = 1U << 20;
const QueueOptions k_large_lanes{.slots = 16, .lane_bytes = 32 * k_mib, .max_producers = 4, .max_consumers = 4};

/// Whether a line of /proc/self/smaps begins a mapping: "address-address ...".
bool begins_mapping(const std::string& line) {
  const auto end = line.find_first_of(" :");
  return end != std::string::npos && line[end] == ' ' && line.find('-') < end;
}

/// Sums a field of those mappings of this process whose name holds `name`, in /proc/self/smaps.
std::uint64_t sum_of_mappings_kib(const std::string& field, const std::string& name) {
  std::ifstream smaps("/proc/self/smaps");
  std::uint64_t sum = 0;
  bool counts = false;
  for (std::string line; std::getline(smaps, line);) {
    if (begins_mapping(line)) counts = line.find(name) != std::string::npos;
    if (counts && line.starts_with(field + ":")) sum += std::stoull(line.substr(field.size() + 1));
  }
  return sum;
}

/// Whether every mapping whose name holds `name` has the flag, and there is one.
bool mappings_have_flag(const std::string& flag, const std::string& name) {
  std::ifstream smaps("/proc/self/smaps");
  bool counts = false;
  bool found = false;
  for (std::string line; std::getline(smaps, line);) {
    if (begins_mapping(line)) counts = line.find(name) != std::string::npos;
    if (!counts || !line.starts_with("VmFlags:")) continue;
    found = true;
    if ((line + " ").find(" " + flag + " ") == std::string::npos) return false;
  }
  return found;
}

/// Where a consumer of a queue with 128 MiB of lanes may lock all that it maps from now on.
int attach_with_future_locked(const TestDaemon& daemon, const std::function<int(const Queue&)>& attach) {
  const Queue queue = connect(daemon).open_queue("frames");
  if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return 98;
  const int result = attach(queue);
  ::munlockall();
  return result;
}

class LockedMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: without it RLIMIT_MEMLOCK is small";
    (void)connect(daemon_).declare("frames", k_large_lanes);
  }
  TestDaemon daemon_;
};

TEST_F(LockedMemory, a_consumer_after_mlockall_fills_no_lane_of_others) {
  EXPECT_EQ(Child::fork([&] {
              return attach_with_future_locked(daemon_, [](const Queue& queue) {
                const auto in = queue.consumer();
                const auto kib = sum_of_mappings_kib("Rss", "memfd:beltway:frames:heap");
                const auto locked = sum_of_mappings_kib("Size", "memfd:beltway:frames:heap");
                return kib == 0 && locked != 0 ? 0 : 1;
              });
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

TEST_F(LockedMemory, a_producer_after_mlockall_fills_only_its_own_lane) {
  EXPECT_EQ(Child::fork([&] {
              return attach_with_future_locked(daemon_, [](const Queue& queue) {
                auto out = queue.producer();
                const auto kib = sum_of_mappings_kib("Rss", "memfd:beltway:frames:heap");
                return kib == k_large_lanes.lane_bytes / 1024 ? 0 : 1;
              });
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

TEST_F(LockedMemory, memory_that_a_consumer_touches_after_mlockall_stays_locked) {
  auto out = connect(daemon_).open_queue("frames").producer();
  EXPECT_EQ(Child::fork([&] {
              return attach_with_future_locked(daemon_, [](const Queue& queue) {
                const auto in = queue.consumer();
                return mappings_have_flag("lo", "memfd:beltway:frames:heap") ? 0 : 1;
              });
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

TEST_F(LockedMemory, a_snapshot_after_mlockall_fills_no_lane) {
  EXPECT_EQ(Child::fork([&] {
              return attach_with_future_locked(daemon_, [](const Queue& queue) {
                rusage before{};
                rusage after{};
                ::getrusage(RUSAGE_SELF, &before);
                (void)queue.snapshot();
                ::getrusage(RUSAGE_SELF, &after);
                return after.ru_maxrss - before.ru_maxrss < 32 * 1024 ? 0 : 1;
              });
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

TEST_F(LockedMemory, attach_beyond_the_limit_of_locked_memory_names_it_and_gives_the_place_back) {
  const Queue queue = connect(daemon_).open_queue("frames");
  EXPECT_EQ(Child::fork([&] {
              const Queue own = connect(daemon_).open_queue("frames");
              const rlimit limit{4 * k_mib, 4 * k_mib};
              if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || ::setuid(65534) != 0) return 2;
              if (::mlockall(MCL_FUTURE) != 0) return 3;
              const Error error = error_of([&] { (void)own.consumer(); });
              if (error.reason() != Errc::limit_reached) return 4;
              return std::string(error.what()).find("RLIMIT_MEMLOCK is 4194304 bytes") != std::string::npos ? 0 : 5;
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST(AttachMemory, attach_without_address_space_names_the_limit_and_gives_the_place_back) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_large_lanes);
  Child child = Child::fork([&] {
    const Queue own = connect(daemon).open_queue("frames");
    const rlimit limit{96 * k_mib, 96 * k_mib};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return 2;
    const Error error = error_of([&] { (void)own.consumer(); });
    if (error.reason() != Errc::limit_reached) return 3;
    if (std::string(error.what()).find("attach \"frames\": mmap of 134217728 bytes") == std::string::npos) return 4;
    if (std::string(error.what()).find("RLIMIT_AS is 100663296 bytes") == std::string::npos) return 5;
    // The connection goes on, and the daemon has been told by the time it answers.
    return own.describe().endpoints.empty() ? 0 : 6;
  });
  EXPECT_EQ(child.wait(), (test::Exit{.code = 0, .signal = 0}));
}

TEST(AttachMemory, lanes_and_ring_are_left_out_of_core_dumps) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_large_lanes);
  const auto in = queue.consumer();
  EXPECT_TRUE(mappings_have_flag("dd", "memfd:beltway:frames:heap"));
  EXPECT_TRUE(mappings_have_flag("dd", "memfd:beltway:frames:ring"));
  EXPECT_FALSE(mappings_have_flag("dd", "memfd:beltway:frames:control"));
}

TEST(AttachMemory, attach_without_room_for_descriptors_does_the_arithmetic_and_names_the_queue) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_small);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto open = test::open_descriptors(::getpid());
  const rlimit low{open + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const Error error = error_of([&] { (void)queue.producer(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  const std::string text = error.what();
  EXPECT_TRUE(text.starts_with("attach \"frames\": no room for its 3 file descriptors")) << text;
  EXPECT_NE(text.find("may open " + std::to_string(open + 1) + " files and has "), std::string::npos) << text;
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

/// From here on memfd_create() fails with `error_number` if its flags have `bit`, or if they lack it.
bool filter_memfd_create(unsigned bit, bool with_it, int error_number) {
  const auto jump_with = static_cast<std::uint8_t>(with_it ? 0 : 1);
  const auto jump_without = static_cast<std::uint8_t>(with_it ? 1 : 0);
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bit, jump_with, jump_without),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error_number)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/// From here on a system call fails with EINVAL if its third argument is `value`.
bool filter_third_argument(unsigned number, unsigned value) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

TEST(AttachMemory, attach_where_memory_cannot_be_kept_from_children_is_refused_and_gives_the_place_back) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_small);
  EXPECT_EQ(Child::fork([&] {
              const Queue own = connect(daemon).open_queue("frames");
              if (!filter_third_argument(SYS_madvise, MADV_DONTFORK)) return 2;
              const std::string text = error_of([&] { (void)own.producer(); }).what();
              if (text.find("attach \"frames\": madvise(MADV_DONTFORK) of") != 0) return 3;
              return own.describe().endpoints.empty() ? 0 : 4;
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

constexpr unsigned k_noexec_seal = 8;  // MFD_NOEXEC_SEAL

int make_and_map() {
  const Fd segment = make_segment("beltway-test", 4096, "test");
  const Mapping mapping(segment.get(), {0, 4096}, Access::read_write, "test");
  mapping.data()[0] = std::byte{1};
  return 0;
}

TEST(Segment, a_segment_is_made_without_the_noexec_flag_where_the_kernel_does_not_know_it) {
  EXPECT_EQ(Child::fork([] { return filter_memfd_create(k_noexec_seal, true, EINVAL) ? make_and_map() : 98; }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

TEST(Segment, a_segment_is_made_where_memory_that_may_hold_programs_is_refused) {
  // As with vm.memfd_noexec = 2.
  EXPECT_EQ(Child::fork([] { return filter_memfd_create(k_noexec_seal, false, EACCES) ? make_and_map() : 98; }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
}

}  // namespace
}  // namespace beltway
