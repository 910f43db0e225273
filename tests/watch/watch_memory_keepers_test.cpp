// Processes that keep the memory of a queue and are no endpoints. How they are found on a machine: tool_troubles_test.
#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <vector>

#include "watch/causes.hpp"
#include "watch/memory_keepers.hpp"

namespace beltway::watch {
namespace {

constexpr const char* k_maps =
    "55d0c0000000-55d0c0001000 r--p 00000000 08:01 77                         /usr/bin/worker\n"
    "7f0000000000-7f0000002000 rw-s 00000000 00:01 4711                       /memfd:beltway:q:control (deleted)\n"
    "7f0000002000-7f0000004000 r--s 00000000 00:01 4712                       /memfd:beltway:q:ring (deleted)\n"
    "7f0000004000-7f0000006000 rw-s 00001000 00:01 4711                       /memfd:beltway:q:control (deleted)\n"
    "7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]\n"
    "nonsense\n";

constexpr int k_no_process = 1 << 30;

EndpointInfo endpoint(int pid, bool orphan = false) {
  EndpointInfo info;
  info.pid = pid;
  info.orphan = orphan;
  return info;
}

TEST(WatchMemoryKeepers, shared_mappings_are_read_with_their_file_and_rights) {
  const std::vector<MappedFile> files = parse_shared_mappings(k_maps);
  ASSERT_EQ(files.size(), 2U) << "one that begins within the file is a part of a mapping";
  EXPECT_EQ(files[0].file, "00:01 4711");
  EXPECT_TRUE(files[0].writable);
  EXPECT_EQ(files[1].file, "00:01 4712");
  EXPECT_FALSE(files[1].writable);
  const auto at = parse_shared_mappings(k_maps, reinterpret_cast<const void*>(0x7f0000003fff));
  ASSERT_EQ(at.size(), 1U);
  EXPECT_EQ(at[0].file, "00:01 4712");
  EXPECT_TRUE(parse_shared_mappings(k_maps, reinterpret_cast<const void*>(0x1000)).empty());
  EXPECT_TRUE(parse_shared_mappings("").empty());
}

TEST(WatchMemoryKeepers, process_is_a_keeper_if_it_maps_the_memory_more_often_than_it_has_endpoints) {
  QueueInfo queue;
  queue.endpoints = {endpoint(10), endpoint(10), endpoint(20)};
  EXPECT_EQ(keepers_among({{10, 2}, {20, 1}}, queue), std::vector<int>{});
  EXPECT_EQ(keepers_among({{10, 2}, {20, 2}, {30, 1}}, queue), (std::vector<int>{20, 30}));
  queue.endpoints.push_back(endpoint(0));
  EXPECT_EQ(keepers_among({{30, 1}}, queue), std::vector<int>{}) << "it may be the endpoint of another pid namespace";
}

TEST(WatchMemoryKeepers, orphan_is_an_endpoint_whose_process_is_no_more) {
  EXPECT_FALSE(is_orphan(endpoint(k_no_process)));
  EXPECT_TRUE(is_orphan(endpoint(k_no_process, true))) << "there is no such process";
  EXPECT_FALSE(is_orphan(endpoint(::getpid(), true))) << "it lives, and has not asked since the daemon's start";
  EXPECT_FALSE(is_orphan(endpoint(0, true))) << "of another pid namespace nothing is known";
}

TEST(WatchMemoryKeepers, orphan_whose_keeper_cannot_be_seen_has_no_remedy_and_says_where_to_ask) {
  QueueSnapshot snapshot;
  snapshot.info.name = "q";
  snapshot.consumers.resize(1);
  snapshot.consumers[0].endpoint = endpoint(k_no_process, true);
  std::vector<Cause> causes = find_causes(snapshot, 1);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].kind, "orphan");
  EXPECT_TRUE(causes[0].remedies.empty());
  EXPECT_NE(causes[0].text.find("cannot be seen from here: ask as root"), std::string::npos) << causes[0].text;
  causes = find_causes(snapshot, 1, {.keepers = {::getpid(), k_no_process}});
  ASSERT_EQ(causes[0].remedies.size(), 1U);
  EXPECT_EQ(causes[0].remedies[0].command, "kill " + std::to_string(::getpid()) + " " + std::to_string(k_no_process));
}

}  // namespace
}  // namespace beltway::watch
