// Endpoints in a forked child: their shared memory is not there. Every call answers with an error, or does nothing.
#include <gtest/gtest.h>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "daemon.hpp"
#include "error_of.hpp"
#include "raw_client.hpp"

namespace beltway::test {
namespace {

constexpr Exit k_fine{.code = 0, .signal = 0};

class ForkedEndpoint : public ::testing::Test {
 protected:
  TestDaemon daemon_;
  Connection link_ = connect(daemon_);
  Queue queue_ = link_.declare("orders", {.slots = 8, .lane_bytes = 4096, .groups = {"workers"}});
};

TEST_F(ForkedEndpoint, the_counters_of_a_producer_are_an_error_in_a_forked_child) {
  Producer out = queue_.producer({.name = "writer"});
  EXPECT_EQ(Child::fork([&] {
              if (error_of([&] { (void)out.counters(); }).reason() != Errc::forked) return 1;
              if (error_of([&] { (void)out.last_sequence(); }).reason() != Errc::forked) return 2;
              return 0;
            }).wait(),
            k_fine);
  EXPECT_EQ(out.counters().messages, 0U);
}

TEST_F(ForkedEndpoint, the_counters_of_a_consumer_are_an_error_in_a_forked_child) {
  for (const char* group : {"", "workers"}) {
    Consumer in = queue_.consumer({.group = group});
    EXPECT_EQ(
        Child::fork([&] { return error_of([&] { (void)in.counters(); }).reason() == Errc::forked ? 0 : 1; }).wait(),
        k_fine);
    EXPECT_EQ(in.counters().messages, 0U);
  }
}

TEST_F(ForkedEndpoint, the_commit_of_a_loan_is_an_error_in_a_forked_child_with_and_without_properties) {
  Producer out = queue_.producer();
  Consumer in = queue_.consumer();
  Loan plain = out.loan(1000);
  Loan timed = out.loan(1000, Properties{.publish_time = Properties::now, .ttl = std::chrono::seconds(60)});
  EXPECT_EQ(Child::fork([&] {
              if (error_of([&] { plain.commit(); }).reason() != Errc::forked) return 1;
              if (error_of([&] { timed.commit(); }).reason() != Errc::forked) return 2;
              if (error_of([&] { (void)timed.try_commit(); }).reason() != Errc::forked) return 3;
              timed.drop();
              return 0;
            }).wait(),
            k_fine);
  timed.commit();
  EXPECT_TRUE(in.try_receive());
}

TEST_F(ForkedEndpoint, a_message_ends_only_in_the_process_that_received_it) {
  Producer out = queue_.producer();
  Consumer in = queue_.consumer({.group = "workers"});
  out.publish("job");
  out.publish("job");
  auto first = in.try_receive();
  auto second = in.try_receive();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(Child::fork([&] {
              if (first->still_held() || first->extend() || first->age()) return 1;
              if (first->ack()) return 2;
              return second->reject() ? 3 : 0;
            }).wait(),
            k_fine);
  EXPECT_TRUE(first->ack());
  EXPECT_TRUE(second->ack());
}

TEST_F(ForkedEndpoint, an_interrupt_in_a_forked_child_does_nothing) {
  Producer out = queue_.producer();
  Consumer in = queue_.consumer();
  Consumer again = queue_.consumer({.reattach = true});
  EXPECT_EQ(Child::fork([&] {
              out.interrupt();
              in.interrupt();
              again.interrupt();
              return 0;
            }).wait(),
            k_fine);
  EXPECT_EQ(in.receive(std::chrono::milliseconds(1)).status(), Status::timeout) << "the parent was interrupted";
}

}  // namespace
}  // namespace beltway::test
