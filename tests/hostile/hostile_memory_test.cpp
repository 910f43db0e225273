// Honest endpoints beside a neighbour that scribbles over all that it may write, between any two of their calls. What they
// get may be nonsense; they stay alive, inside of their memory (which sanitizers see here: ring, heap and control are
// allocations of their own) and inside of their deadlines (which the watchdog sees).
#include <gtest/gtest.h>

#include <string>

#include "hostile/honest.hpp"

namespace beltway {
namespace {

using test::Honest;
using test::LocalQueue;
using test::Neighbour;
using test::Scribbler;

struct Case {
  Neighbour neighbour;
  std::uint32_t producers;
  const char* name;
};

/// True if anything was published before the queue was past use.
bool survive(const Case& each, std::uint64_t seed) {
  LocalQueue queue(test::hostile_options(each.producers), seed % 3 == 0 ? (1ULL << 44) - 5 : 0);
  Scribbler scribbler(queue.memory(), each.neighbour, test::random_numbers(seed));
  bool published = false;
  {
    Honest honest(queue);
    for (int i = 0; i < 60; ++i) {
      honest.call(scribbler);
      if (i > 4) scribbler.scribble();
    }
    published = honest.published() != 0;
  }  // each is repaired, over whatever is there now
  Honest next(queue);
  for (int i = 0; i < 10; ++i) next.call(scribbler);
  return published;
}

class Hostile : public testing::TestWithParam<Case> {};

TEST_P(Hostile, a_process_that_overwrites_shared_memory_costs_others_neither_life_nor_deadline) {
  int published = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    if (survive(GetParam(), seed)) ++published;
  }
  EXPECT_GT(published, 0);
}

INSTANTIATE_TEST_SUITE_P(Neighbours, Hostile,
                         testing::Values(Case{Neighbour::consumer, 2, "a_consumer"},
                                         Case{Neighbour::consumer, 1, "a_consumer_of_a_single_producer"},
                                         Case{Neighbour::producer, 2, "a_producer"}),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway
