// Golden bytes: what lies in shared memory, bit by bit, written down a second time. Processes of two versions meet in this
// memory, so a test that fails here asks for a new k_layout_major or k_layout_minor, not for a new expectation alone.
#include "ring/layout.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "beltway/detail/inline_publish.hpp"
#include "beltway/detail/inline_receive.hpp"
#include "beltway/version.hpp"
#include "ring/queue_memory.hpp"
#include "ring/queue_setup.hpp"

namespace beltway {

using namespace beltway::ring;

namespace {

/// A queue in plain memory, as the daemon makes it.
class Filled {
 public:
  Filled() : ring_(page_aligned(geometry_.ring_bytes())), control_(page_aligned(geometry_.control_bytes())) {
    memory_ = {geometry_, ring_.get(), nullptr, control_.get(), nullptr};
    initialize_queue(memory_, 0x1122334455667788);
  }
  [[nodiscard]] const QueueMemory& memory() const { return memory_; }
  /// All words that are not zero, by offset.
  [[nodiscard]] static std::map<std::size_t, std::uint64_t> words(const std::byte* memory, std::size_t size) {
    std::map<std::size_t, std::uint64_t> found;
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, memory + at, sizeof(word));
      if (word != 0) found[at] = word;
    }
    return found;
  }
  [[nodiscard]] std::map<std::size_t, std::uint64_t> ring() const { return words(ring_.get(), geometry_.ring_bytes()); }
  [[nodiscard]] std::map<std::size_t, std::uint64_t> control() const {
    return words(control_.get(), geometry_.control_bytes());
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<std::byte, Free>;
  static Memory page_aligned(std::size_t size) {
    auto* const memory = static_cast<std::byte*>(std::aligned_alloc(4096, size));
    std::memset(memory, 0, size);
    return Memory(memory);
  }

  Geometry geometry_{
      .slots = 4, .slot_bytes = 64, .lane_bytes = 0, .max_producers = 2, .max_consumers = 3, .max_groups = 1};
  Memory ring_;
  Memory control_;
  QueueMemory memory_;
};

using Words = std::map<std::size_t, std::uint64_t>;

TEST(Layout, the_layout_is_version_5_0) {
  EXPECT_EQ(k_layout_major, 6U);
  EXPECT_EQ(k_layout_minor, 0U);
}

TEST(Layout, words_are_packed_as_documented) {
  EXPECT_EQ((SlotState{0x2aaaaaaaaaaaa5, 0x81, SlotPhase::ready}.word()), 0xaaaaaaaaaaaa9605U);
  EXPECT_EQ((SlotState{1, 0, SlotPhase::claimed}.word()), 0x400U);
  EXPECT_EQ((SlotState{1, 0, SlotPhase::voided}.word()), 0x402U);
  EXPECT_EQ((SlotState{1, 0, SlotPhase::reclaimed}.word()), 0x403U);
  EXPECT_EQ((SlotMeta{0x12345678, k_flag_lane}.word()), 0x0000000112345678U);
  EXPECT_EQ((SlotMeta{1, k_flag_extended}.word()), 0x0000000200000001U);
  EXPECT_EQ((PropertiesHead{0x40, 0x7f, 0x20}.word()), 0x00000020007f0040U);
  EXPECT_EQ(detail::meta_of_block(0), 0U);
  EXPECT_EQ(1000 + detail::meta_of_block(64), (SlotMeta{1064, k_flag_extended}.word()));
  EXPECT_EQ((Tail{0x123456789ab, 0xcde, 0xf0}.word()), 0x123456789abcdef0U);
  EXPECT_EQ((Next{0x123456789ab, 0xcdef0}.word()), 0x123456789abcdef0U);
  EXPECT_EQ((Floor{0x3ff, 1}.word()), 0xffc0000000000001U);
  EXPECT_EQ((Lease{1, 0x81, 0x7f, LeasePhase::leased}.word()), 0xc0bf9U);
  EXPECT_EQ((Lease{0, 0, 0, LeasePhase::done}.word()), 2U);
  EXPECT_EQ((Lease{0, 0, 0, LeasePhase::retry}.word()), 3U);
  EXPECT_EQ((Lease{0, 0, 0, LeasePhase::parked_delayed}.word()), 6U);
  EXPECT_EQ((LeaseTime{0x123456789ab8, 0x81, 0x7f, FailReason::none}.word()), 0x123456789ab8817fU);
  EXPECT_EQ((LeaseTime{8, 0, 0, FailReason::lease_over}.word()), 0xc0000U);
  EXPECT_EQ((EarliestDue{0x123456789abc, 0xdef0}.word()), 0x123456789abcdef0U);
  EXPECT_EQ((Redelivery{1, 0, 0, false, false}.word()), 1ULL << 37);
  EXPECT_EQ((Redelivery{0, 1, 0, false, false}.word()), 1ULL << 10);
  EXPECT_EQ((Redelivery{0, 0, 0xff, true, false}.word()), 0x3feU);
  EXPECT_EQ((Redelivery{0, 0, 0, false, true}.word()), 1U);
  EXPECT_EQ((GroupTimes{0x12345678, 0x9abcdef0}.word()), 0x123456789abcdef0U);
  EXPECT_EQ((Stamping{0x12345678, 2}.word()), 0x1234567800000002U);
  EXPECT_EQ((Stamp{0x123456789abc, 0xdef0}.word()), 0x123456789abcdef0U);
  EXPECT_EQ((ParkedSlots{0x12345678, 0x9abcdef0}.word()), 0x123456789abcdef0U);
  EXPECT_EQ((LaneReference{0x81, 0x123456789abcde}.word()), 0x81123456789abcdeU);
  EXPECT_EQ((Wait{1, WaitPhase::awake}.word()), 4U);
  EXPECT_EQ((Wait{1, WaitPhase::asleep}.word()), 5U);
  EXPECT_EQ((Wait{1, WaitPhase::signalled}.word()), 6U);
  EXPECT_EQ((Wait{1, WaitPhase::waking}.word()), 7U);
  EXPECT_EQ((Notice{0x12345678, k_notice_removed | k_notice_symmetric}.word()), 0x1234567800000003U);
  EXPECT_EQ((GroupStateWord{0x12345678, GroupKind::lossy, GroupPhase::drained}.word()), 0x1234567800000204U);
  EXPECT_EQ((GroupStateWord{1, GroupKind::named, GroupPhase::paused}.word()), 0x0000000100000005U);
  EXPECT_EQ((Identity{0x12345678, 0x9abc, k_endpoint_attached | k_endpoint_evicted}.word()), 0x123456789abc0003U);
}

TEST(Layout, words_come_back_as_they_were_packed) {
  const std::uint64_t word = 0xfedcba9876543210;
  EXPECT_EQ(SlotState::of(word).word(), word);
  EXPECT_EQ(SlotMeta::of(word).word(), word & 0xffffffffffff);  // the rest is spare
  EXPECT_EQ(Tail::of(word).word(), word);
  EXPECT_EQ(Next::of(word).word(), word);
  EXPECT_EQ(Floor::of(word).word(), word);
  EXPECT_EQ(Lease::of(word).word(), word);
  EXPECT_EQ(LeaseTime::of(word).word(), word);
  EXPECT_EQ(EarliestDue::of(word).word(), word);
  EXPECT_EQ(Redelivery::of(word).word(), word);
  EXPECT_EQ(GroupTimes::of(word).word(), word);
  EXPECT_EQ(Stamping::of(word).word(), word & 0xffffffff000000ff);
  EXPECT_EQ(Stamp::of(word).word(), word);
  EXPECT_EQ(ParkedSlots::of(word).word(), word);
  EXPECT_EQ(LaneReference::of(word).word(), word);
  EXPECT_EQ(Wait::of(word).word(), word);
  EXPECT_EQ(Notice::of(word).word(), word);
  EXPECT_EQ(Identity::of(word).word(), word);
  EXPECT_EQ(GroupStateWord::of(word).word(), word & 0xffffffff0000ffff);  // likewise
}

TEST(Layout, a_new_queue_is_these_words) {
  const Filled queue;
  // The words of the head are 0; every slot says VOID of the lap before, at modulo 2^54.
  const Words ring{
      {4096, 0xfffffffffffff002}, {4160, 0xfffffffffffff402}, {4224, 0xfffffffffffff802}, {4288, 0xfffffffffffffc02}};
  EXPECT_EQ(queue.ring(), ring);

  const Words control{
      {0, 0x0a79617774'6c6542},  // "Beltway\n"
      {8, 6},                    // layout 6.0
      {16, 4096 + 4096},         // ring: a page, and four slots of 64 bytes
      {32, 4096 + 8192},         // control; no heap
      {40, 0x1122334455667788},  // id
      {48, 64ULL << 32 | 4},     // slots, their bytes
      {64, 3ULL << 32 | 2},      // producers, consumers
      {72, 1},                   // groups
      {4096, 1ULL << 32},        // notice: epoch 1
  };
  EXPECT_EQ(queue.control(), control);
}

TEST(Layout, every_part_lies_where_it_is_documented) {
  const Filled queue;
  const QueueMemory& memory = queue.memory();
  const auto in_ring = [&](const void* part) { return static_cast<const std::byte*>(part) - memory.ring; };
  const auto in_control = [&](const void* part) { return static_cast<const std::byte*>(part) - memory.control; };
  EXPECT_EQ(in_ring(&memory.tail()), 0);
  EXPECT_EQ(in_ring(&memory.ring_head().claim_limit), 8);
  EXPECT_EQ(in_ring(&memory.ring_head().counted[1]), 24);
  EXPECT_EQ(in_ring(&memory.ring_head().not_messages), 32);
  EXPECT_EQ(in_ring(&memory.slot(0)), 4096);
  EXPECT_EQ(in_ring(&memory.slot(5)), 4096 + 64);
  EXPECT_EQ(in_ring(memory.slot(3).payload()), 4096 + 3 * 64 + 16);
  EXPECT_EQ(in_control(&memory.header()), 0);
  EXPECT_EQ(in_control(&memory.shared_status()), 4096);
  EXPECT_EQ(in_control(&memory.shared_status().producer_sleepers), 4096 + 16);
  EXPECT_EQ(in_control(&memory.shared_status().producers_ever), 4096 + 72);
  EXPECT_EQ(in_control(&memory.shared_status().room_line), 4096 + 256);
  EXPECT_EQ(in_control(&memory.shared_status().next_ticket), 4096 + 264);
  EXPECT_EQ(in_control(&memory.endpoint(0).ticket), 4096 + 320 + 48);
  EXPECT_EQ(in_control(&memory.endpoint(1)), 4096 + 320 + 256);
  EXPECT_EQ(in_control(&memory.endpoint(k_first_consumer)), 4096 + 320 + 2 * 256);
  EXPECT_EQ(in_control(&memory.endpoint(0).sleeps_on), 4096 + 320 + 32);
  EXPECT_EQ(in_control(&memory.endpoint(0).asleep_since_ns), 4096 + 320 + 40);
  EXPECT_EQ(in_control(&memory.endpoint(0).counters[23]), 4096 + 320 + 64 + 184);
  EXPECT_EQ(in_control(&memory.group(0)), 4096 + 320 + 5 * 256);
  EXPECT_EQ(in_control(&memory.group(3).next), 4096 + 320 + 5 * 256 + 3 * 192 + 128);
  EXPECT_EQ(in_control(&memory.lease(0, 6)), 4096 + 320 + 5 * 256 + 4 * 192 + 2 * 8);
  EXPECT_EQ(in_control(&memory.lease_time(0, 6)), 4096 + 320 + 5 * 256 + 4 * 192 + 4 * 8 + 2 * 8);
  EXPECT_EQ(in_control(&memory.group(0).redelivery), 4096 + 320 + 5 * 256 + 24);
  const std::ptrdiff_t records = 4096 + 320 + 5 * 256 + 4 * 192 + 64;  // behind four lease words and lease times
  EXPECT_EQ(in_control(&memory.sequence_record(0)), records);
  EXPECT_EQ(in_control(&memory.stamp(5)), records + 64 * 64 + 8);
  EXPECT_EQ(in_control(&memory.age_histogram(1)), records + 64 * 64 + 64 + 256);
  EXPECT_EQ(in_control(&memory.parked_slots(0)), records + 64 * 64 + 64 + 3 * 256);
}

TEST(Layout, endpoints_share_four_bells_by_their_index) {
  const int bells[k_bells] = {10, 11, 12, 13};
  QueueMemory memory = Filled().memory();  // the numbers alone
  memory.bells = bells;
  EXPECT_EQ(memory.bell(0), 10);
  EXPECT_EQ(memory.bell(1), 11);
  EXPECT_EQ(memory.bell(k_first_consumer), 12) << "behind two producers";
  EXPECT_EQ(memory.bell(k_first_consumer + 2), 10);
}

TEST(Layout, positions_are_compared_across_the_wrap) {
  const Position last = (1ULL << 54) - 1;
  EXPECT_EQ(wrap(last + 1), 0U);
  EXPECT_EQ(distance(0, last), 1);
  EXPECT_EQ(distance(last, 0), -1);
  EXPECT_EQ((distance<44>(0, (1ULL << 44) - 1)), 1);
  EXPECT_EQ(widen<44>(0, (1ULL << 44) - 1), 1ULL << 44);
  EXPECT_EQ(widen<44>((1ULL << 44) - 1, 1ULL << 44), (1ULL << 44) - 1);
  EXPECT_EQ(widen<44>(0, last), 0U);
}

// What users' programs have inline, and work with in the library's memory: whoever changes it makes a new minor version, or a
// program that was compiled with the old one writes to the wrong places.
struct Claim : detail::InlinePublisher {
  static void check() {
    static_assert(sizeof(Claim) == 128 && offsetof(Claim, bytes_) == 8 && offsetof(Claim, inline_size_limit_) == 40);
    static_assert(offsetof(Claim, head_) == 48 && offsetof(Claim, slots_) == 56 && offsetof(Claim, ready_low_) == 96);
  }
};
struct Read : detail::InlineReceiver {
  static void check() {
    static_assert(sizeof(Read) == 152 && offsetof(Read, slot_) == 0 && offsetof(Read, inline_size_limit_) == 32);
    static_assert(offsetof(Read, counters_) == 40 && offsetof(Read, shared_floor_) == 96 &&
                  offsetof(Read, lane_end_) == 120);
  }
};

TEST(Layout, offsets_of_members_that_users_inline_belong_to_a_minor_version) {
  Claim::check();
  Read::check();
  EXPECT_TRUE(k_version.starts_with("0.2.")) << "new places may come with it: then write them down here";
}

}  // namespace
}  // namespace beltway
