// interrupt(), called by a signal handler after each instruction of a wait: it always ends that wait, before it sleeps again.
#include <gtest/gtest.h>

#include <functional>

#include "crew.hpp"
#include "stepper.hpp"

namespace beltway::crash {
namespace {

constexpr std::uint64_t k_instructions = 1'100;  // beyond the first sleep

/// `wait` must return that it was interrupted, `interrupt` is what the handler calls.
void interrupt_everywhere(World& world, const std::function<bool()>& wait, const std::function<void()>& interrupt) {
  const Use use(world);
  static_cast<void>(sleeps());
  for (std::uint64_t at = 0; at < k_instructions; ++at) {
    bool interrupted = false;
    std::uint64_t slept_before = 0;
    step([&] { interrupted = wait(); },
         [&](std::uint64_t instruction) {
           if (instruction != at) return Then::step;
           interrupt();
           slept_before = sleeps();
           return Then::run_on;
         });
    ASSERT_TRUE(interrupted) << "at instruction " << at;
    ASSERT_LE(sleeps(), slept_before) << "it slept on, at instruction " << at;
  }
}

TEST(SignalHandler, a_handler_that_interrupts_a_private_consumer_ends_its_wait_at_any_instruction) {
  World world(Shape{});
  found(world);
  Crew crew(world);
  Consumer& in = crew.consumer(k_private);
  interrupt_everywhere(world, [&] { return in.receive().status() == Status::interrupted; }, [&] { in.interrupt(); });
}

TEST(SignalHandler, a_handler_that_interrupts_a_consumer_at_its_prefetch_limit_ends_its_wait_anywhere) {
  World world(Shape{});
  found(world);
  Crew crew(world);
  Consumer& in = crew.consumer(k_named_a, false, 1);
  crew.publish(k_producer_a, first_id(k_producer_a) + 1, k_inline_size);
  const Result<Message> held = in.receive();
  ASSERT_TRUE(held);
  interrupt_everywhere(world, [&] { return in.receive().status() == Status::interrupted; }, [&] { in.interrupt(); });
}

TEST(SignalHandler, a_handler_that_interrupts_a_producer_ends_its_wait_for_room_at_any_instruction) {
  World world(Shape{});
  found(world);
  Crew crew(world);
  Producer& out = crew.producer(k_producer_a);
  while (out.try_publish("x") == Status::ok) continue;
  interrupt_everywhere(
      world, [&] { return out.publish_until("y", {}) == Status::interrupted; }, [&] { out.interrupt(); });
}

}  // namespace
}  // namespace beltway::crash
