// Where dead letters go: a queue that is large enough for all that send theirs there.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "beltway/limits.hpp"
#include "watch/dead_letter_place.hpp"

namespace beltway::watch {
namespace {

QueueInfo queue(const std::string& name, std::uint64_t lane_bytes, const std::string& dead_letter = "") {
  QueueInfo info;
  info.name = name;
  info.options.lane_bytes = lane_bytes;
  info.options.dead_letter = dead_letter;
  info.options.groups = {{"g"}};
  return info;
}

std::vector<QueueView> views(const std::vector<QueueInfo>& queues) {
  std::vector<QueueView> views;
  for (const QueueInfo& each : queues) views.emplace_back().info = each;
  return views;
}

const std::uint64_t k_default = QueueOptions{}.lane_bytes;
constexpr std::uint64_t k_granule = k_lane_granule_bytes;

std::string declare(const std::string& name, std::uint64_t lane) {
  return "beltway declare " + name + " --lane-bytes " + std::to_string(lane) + " --group operators";
}

TEST(WatchDeadLetterPlace, lane_is_large_enough_for_the_largest_of_all_sources) {
  const QueueInfo small = queue("small", k_default, "failed");
  QueueInfo by_group = queue("large", 4 * k_default);
  by_group.options.groups[0].options.dead_letter = "failed";
  const std::vector<QueueView> all = views({small, by_group, queue("other", 16 * k_default, "elsewhere")});
  EXPECT_EQ(dead_letter_queue(small, "failed", {}).declare, declare("failed", k_default + k_granule));
  EXPECT_EQ(dead_letter_queue(small, "failed", {.queues = &all}).declare, declare("failed", 4 * k_default + k_granule));
  EXPECT_EQ(dead_letter_queue(by_group, "failed", {.queues = &all}).declare,
            declare("failed", 4 * k_default + k_granule));
}

TEST(WatchDeadLetterPlace, lane_is_large_enough_for_messages_in_large_slots) {
  QueueInfo source = queue("q", 0);
  EXPECT_EQ(dead_letter_queue(source, "failed", {}).declare, declare("failed", k_default)) << "a queue as any other";
  source.options.slot_bytes = k_max_slot_bytes;
  source.options.lane_bytes = k_max_slot_bytes / 2;
  const std::uint64_t largest = k_max_slot_bytes - k_slot_overhead_bytes + k_max_dead_letter_bytes;
  QueueInfo target = queue("failed", largest / k_granule * k_granule);
  std::vector<QueueView> all = views({target});
  EXPECT_FALSE(dead_letter_queue(source, "failed", {.queues = &all}).can_be_had()) << "one byte too small";
  all[0].info.options.lane_bytes += k_granule;
  EXPECT_TRUE(dead_letter_queue(source, "failed", {.queues = &all}).exists);
}

TEST(WatchDeadLetterPlace, no_command_is_told_if_no_queue_can_be_large_enough) {
  EXPECT_FALSE(dead_letter_queue(queue("q", k_max_lane_bytes), "failed", {}).can_be_had());
}

TEST(WatchDeadLetterPlace, failed_messages_go_to_a_queue_that_exists_if_it_takes_them) {
  const QueueInfo source = queue("q", k_default);
  QueueInfo existing = queue("q.failed", 2 * k_default);
  const auto place = [&source, &existing] {
    const std::vector<QueueView> all = views({source, existing});
    return place_for_failed(source, "", {.queues = &all});
  };
  EXPECT_TRUE(place().exists);
  EXPECT_EQ(place().declare, "");
  existing.options.lane_bytes = k_default;
  EXPECT_EQ(place().declare, declare("q.failed-2", k_default + k_granule)) << "too small";
  existing.options.lane_bytes = 2 * k_default;
  existing.options.groups.clear();
  EXPECT_EQ(place().name, "q.failed-2") << "it would keep nothing";
  existing.options.groups = {{"g"}};
  existing.options.type.name = "Order";
  EXPECT_EQ(place().name, "q.failed-2") << "it takes its own type only";
  EXPECT_LE(place_for_failed(queue(std::string(k_max_name_length, 'q'), k_default), "", {}).name.size(),
            k_max_name_length);
}

TEST(WatchDeadLetterPlace, queue_that_the_group_names_is_made_only_if_it_is_missing) {
  QueueInfo source = queue("q", k_default, "failed");
  EXPECT_TRUE(place_for_failed(source, "failed", {}).exists);
  source.missing_dead_letter_queues = {"failed"};
  EXPECT_EQ(place_for_failed(source, "failed", {}).declare, declare("failed", k_default + k_granule));
}

}  // namespace
}  // namespace beltway::watch
