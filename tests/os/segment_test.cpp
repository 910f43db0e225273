// Shared memory segments: sealed, filled when told, mapped with the access that their descriptor allows.
#include "os/segment.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstring>
#include <memory>

#include "support/child.hpp"
#include "support/error_of.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using test::Child;
using test::reason_of;

constexpr std::uint64_t k_bytes = 64 * 4096;

Fd make() { return make_segment("beltway-test", k_bytes, "test"); }

TEST(Segment, a_segment_can_neither_shrink_nor_grow_nor_be_sealed_further) {
  const Fd segment = make();
  EXPECT_EQ(::ftruncate(segment.get(), k_bytes - 4096), -1);
  EXPECT_EQ(::ftruncate(segment.get(), k_bytes + 4096), -1);
  EXPECT_EQ(::fcntl(segment.get(), F_ADD_SEALS, F_SEAL_WRITE), -1);
  struct stat status{};
  ASSERT_EQ(::fstat(segment.get(), &status), 0);
  EXPECT_EQ(status.st_size, static_cast<off_t>(k_bytes));
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_NE(::fcntl(segment.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Segment, a_segment_takes_no_memory_before_it_is_filled) {
  const Fd segment = make();
  struct stat status{};
  ASSERT_EQ(::fstat(segment.get(), &status), 0);
  EXPECT_EQ(status.st_blocks, 0);
  fill_segment(segment.get(), {4096, 8192}, "test");
  ASSERT_EQ(::fstat(segment.get(), &status), 0);
  EXPECT_EQ(status.st_blocks * 512, 8192);
}

TEST(Segment, a_segment_tells_which_part_no_process_has_touched_yet) {
  const Fd segment = make();
  const Mapping mapping(segment.get(), {0, k_bytes}, Access::read_write, "test");
  EXPECT_EQ(mapping.missing_bytes({0, k_bytes}), k_bytes);
  fill_segment(segment.get(), {0, k_bytes / 2}, "test");
  mapping.populate({0, k_bytes / 2});
  EXPECT_EQ(mapping.missing_bytes({0, k_bytes}), k_bytes / 2);
  EXPECT_EQ(mapping.missing_bytes({0, k_bytes / 2}), 0U);
}

TEST(Segment, a_segment_refuses_to_fill_more_than_there_is_memory) {
  constexpr std::uint64_t k_too_much = 1ULL << 52;
  const Fd segment = make_segment("beltway-test", k_too_much, "test");
  EXPECT_EQ(reason_of([&] { fill_segment(segment.get(), {0, k_too_much}, "test"); }), Errc::limit_reached);
}

TEST(Segment, filling_a_segment_leaves_written_pages_alone_and_fills_the_holes) {
  const Fd segment = make();
  const Mapping mapping(segment.get(), {0, k_bytes}, Access::read_write, "test");
  mapping.data()[8192] = std::byte{7};
  fill_segment(segment.get(), {0, k_bytes}, "test");
  struct stat status{};
  ASSERT_EQ(::fstat(segment.get(), &status), 0);
  EXPECT_EQ(status.st_blocks * 512, static_cast<blkcnt_t>(k_bytes));
  EXPECT_EQ(mapping.data()[8192], std::byte{7});
}

TEST(Segment, a_fill_that_promises_refuse_takes_no_memory) {
  const Fd segment = make();
  EXPECT_EQ(reason_of([&] { fill_segment(segment.get(), {0, k_bytes}, "test", 1ULL << 60); }), Errc::limit_reached);
  struct stat status{};
  ASSERT_EQ(::fstat(segment.get(), &status), 0);
  EXPECT_EQ(status.st_blocks, 0);
}

TEST(Segment, punched_pages_are_zeros_and_cost_nothing) {
  const Fd segment = make();
  const Mapping mapping(segment.get(), {0, k_bytes}, Access::read_write, "test");
  std::memset(mapping.data(), 7, k_bytes);
  ASSERT_TRUE(punch_segment(segment.get(), {4096, 8192}));
  struct stat status{};
  ASSERT_EQ(::fstat(segment.get(), &status), 0);
  EXPECT_EQ(status.st_blocks * 512, static_cast<blkcnt_t>(k_bytes - 8192));
  EXPECT_EQ(mapping.data()[4095], std::byte{7});
  EXPECT_EQ(mapping.data()[4096], std::byte{0});
}

TEST(Segment, opened_anew_for_reading_cannot_be_mapped_for_writing) {
  const Fd segment = make();
  const Fd reader = open_segment_anew(segment.get(), Access::read_only, "test");
  EXPECT_EQ(reason_of([&] { Mapping(reader.get(), {0, k_bytes}, Access::read_write, "test"); }), Errc::system);
  const Mapping mapping(reader.get(), {0, k_bytes}, Access::read_only, "test");
  EXPECT_EQ(::mprotect(mapping.data(), mapping.size(), PROT_READ | PROT_WRITE), -1);
}

TEST(Segment, a_segment_is_one_memory_through_all_its_mappings) {
  const Fd segment = make();
  const Mapping writer(segment.get(), {0, k_bytes}, Access::read_write, "test");
  const Mapping part(segment.get(), {4096, 4096}, Access::read_only, "test");
  writer.data()[4096] = std::byte{42};
  EXPECT_EQ(part.data()[0], std::byte{42});
  EXPECT_EQ(part.size(), 4096U);
}

TEST(Segment, check_refuses_another_size_and_missing_seals) {
  const Fd segment = make();
  EXPECT_NO_THROW(check_segment(segment.get(), k_bytes, "test"));
  EXPECT_EQ(reason_of([&] { check_segment(segment.get(), k_bytes + 4096, "test"); }), Errc::incompatible);
  const Fd unsealed(::memfd_create("beltway-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(unsealed.get(), k_bytes), 0);
  EXPECT_EQ(reason_of([&] { check_segment(unsealed.get(), k_bytes, "test"); }), Errc::incompatible);
}

TEST(Segment, populate_maps_what_is_written_and_leaves_holes_alone) {
  const Fd segment = make();
  const Mapping writer(segment.get(), {0, k_bytes}, Access::read_write, "test");
  std::memset(writer.data() + 8192, 1, 4096);
  const Mapping reader(segment.get(), {0, k_bytes}, Access::read_only, "test");
  reader.populate_written(segment.get());
  EXPECT_EQ(writer.missing_bytes({0, k_bytes}), k_bytes - 4096);
  writer.populate({0, 4096});
  EXPECT_EQ(writer.missing_bytes({0, k_bytes}), k_bytes - 2 * 4096);
}

TEST(Mapping, a_mapping_is_not_inherited_and_does_not_unmap_what_a_child_put_there) {
  const Fd segment = make();
  auto mapping = std::make_unique<Mapping>(segment.get(), SegmentRange{0, k_bytes}, Access::read_write, "test");
  EXPECT_TRUE(Child::fork([&] {
                std::byte* const place = mapping->data();
                // Free in the child: something else may be mapped there.
                void* const other = ::mmap(place, k_bytes, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
                if (other != place) return 1;
                mapping.reset();
                *place = std::byte{1};  // faults if it was unmapped
                return 0;
              })
                  .wait()
                  .ok());
}

TEST(Mapping, a_mapping_locks_memory_and_names_the_limit_that_forbids_it) {
  const Fd segment = make();
  const Mapping mapping(segment.get(), {0, k_bytes}, Access::read_write, "test");
  EXPECT_NO_THROW(mapping.lock({0, 4096}, "test"));
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user, and root has no limit";
  EXPECT_TRUE(Child::fork([] {
                const rlimit none{0, 0};
                if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0 || ::setuid(65534) != 0) return 1;
                const Fd own = make();
                const Mapping mine(own.get(), {0, k_bytes}, Access::read_write, "test");
                try {
                  mine.lock({0, k_bytes}, "attach \"x\"");
                } catch (const Error& error) {
                  const bool named = std::string(error.what()).find("RLIMIT_MEMLOCK") != std::string::npos;
                  return error.reason() == Errc::limit_reached && named ? 0 : 2;
                }
                return 3;
              })
                  .wait()
                  .ok());
}

}  // namespace
}  // namespace beltway
