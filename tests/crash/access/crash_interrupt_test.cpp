// An actor stands still at any of its steps, for as long as others like, and then goes on: late helpers, stale words, wakers
// and claimers, and groups that come and go under its eyes.
#include <gtest/gtest.h>

#include <algorithm>

#include "interruptions.hpp"

namespace beltway::crash {
namespace {

class Interrupt : public testing::TestWithParam<Interruption> {};

template <class Beginnings>
Counts with_every_operation(const Beginnings& some) {
  Counts all;
  for (const Operation& each : operations()) {
    const Counts counts = interrupt(each, Interrupt::GetParam(), some, full_coverage() ? 1 : 2);
    all.runs += counts.runs;
    all.pairs += counts.pairs;
  }
  return all;
}

TEST_P(Interrupt, a_thread_that_interrupts_late_harms_no_other) {
  report(GetParam().name, with_every_operation(beginnings(20)));
}

TEST_P(Interrupt, an_interrupt_loses_nothing_in_a_single_producer_ring) {
  report(GetParam().name, with_every_operation(single_producer_beginnings(20)));
}

std::string name_of(const testing::TestParamInfo<Interruption>& of) {
  std::string name = of.param.name;
  std::ranges::replace_if(name, [](char c) { return c == ' ' || c == ','; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Crash, Interrupt, testing::ValuesIn(interruptions().begin(), interruptions().end()), name_of);

}  // namespace
}  // namespace beltway::crash
