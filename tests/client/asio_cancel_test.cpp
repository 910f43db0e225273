// Cancellation and destruction of asynchronous operations, at every stage of their lives: every handler is called once or, if its
// loop is destroyed, destroyed; and no message is lost.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <optional>
#include <string>
#include <vector>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

/// Handlers of one of these run a few steps of a loop; then something happens; then the rest of the loop.
constexpr int k_stages = 8;

void run_steps(asio::io_context& io, int steps) {
  for (int i = 0; i < steps; ++i) {
    if (io.poll_one() == 0) return;
  }
}

struct Cancel : testing::Test {
  LocalQueue queue{{.slots = 8, .lane_bytes = 4096, .groups = {"g"}}};
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});

  /// Counts what is still there, from the outside.
  int left() {
    int count = 0;
    while (Result<Message> message = in.try_receive()) {
      message->ack();
      ++count;
    }
    return count;
  }
};

TEST_F(Cancel, cancelling_one_operation_at_every_stage_loses_no_message) {
  for (const auto type :
       {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
    for (int stage = 0; stage < k_stages; ++stage) {
      for (const bool there : {false, true}) {
        asio::io_context io;
        AsyncConsumer consumer(io, in);
        asio::cancellation_signal signal;
        int called = 0;
        int received = 0;
        if (there) out.publish("x");
        consumer.async_receive(asio::bind_cancellation_slot(signal.slot(), [&](error_code error, Message message) {
          ++called;
          EXPECT_EQ(error == asio::error::operation_aborted, !message);
          if (message.ack()) ++received;
        }));
        run_steps(io, stage);
        signal.emit(type);
        if (!there) out.publish("y");
        io.run();
        EXPECT_EQ(called, 1);
        EXPECT_EQ(received + left(), 1) << "stage " << stage;
      }
    }
  }
}

TEST_F(Cancel, cancelling_one_operation_leaves_the_others_in_order) {
  asio::io_context io;
  AsyncConsumer consumer(io, in);
  std::array<asio::cancellation_signal, 4> signals;
  std::string got;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    consumer.async_receive(
        asio::bind_cancellation_slot(signals[i].slot(), [&got, i](error_code error, Message message) {
          got += std::to_string(i) + (error ? "-" : std::string(message.text())) + ' ';
          message.ack();
        }));
  }
  io.poll();
  signals[0].emit(asio::cancellation_type::terminal);
  signals[2].emit(asio::cancellation_type::terminal);
  signals[2].emit(asio::cancellation_type::terminal);
  io.poll();
  EXPECT_EQ(got, "0- 2- ");
  out.publish("a");
  out.publish("b");
  io.run();
  EXPECT_EQ(got, "0- 2- 1a 3b ");
  for (auto& signal : signals) signal.emit(asio::cancellation_type::all);
}

TEST_F(Cancel, cancelling_the_first_operation_lets_the_next_one_try) {
  asio::io_context io;
  AsyncProducer producer(io, out);
  const Result<Loan> held = out.try_loan(4096);
  asio::cancellation_signal signal;
  std::string got;
  producer.async_loan(4096, asio::bind_cancellation_slot(signal.slot(), [&](error_code error, Loan) {
                        got += error == asio::error::operation_aborted ? "loan aborted " : "?";
                      }));
  producer.async_publish("small", [&](error_code error) { got += error ? "?" : "published"; });
  io.poll();
  EXPECT_EQ(got, "") << "publishes keep their order behind a loan";
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_EQ(got, "loan aborted published");
}

TEST_F(Cancel, cancelling_all_operations_at_every_stage_completes_each_of_them) {
  for (int stage = 0; stage < k_stages; ++stage) {
    asio::io_context io;
    AsyncConsumer consumer(io, in);
    AsyncProducer producer(io, out);
    int called = 0;
    int received = 0;
    int published = 0;
    for (int i = 0; i < 3; ++i) {
      consumer.async_receive([&](error_code, Message message) {
        ++called;
        if (message.ack()) ++received;
      });
      producer.async_publish("x", [&](error_code error) {
        ++called;
        if (!error) ++published;
      });
    }
    run_steps(io, stage);
    consumer.cancel();
    producer.cancel();
    EXPECT_TRUE(io.run() > 0 || called == 6);
    EXPECT_EQ(called, 6);
    EXPECT_EQ(received + left(), published) << "stage " << stage;
  }
}

TEST_F(Cancel, destroying_the_object_at_any_stage_cancels_its_operations) {
  for (int stage = 0; stage < k_stages; ++stage) {
    asio::io_context io;
    std::optional<AsyncConsumer> consumer(std::in_place, io, in);
    int called = 0;
    int received = 0;
    if (stage % 2 == 0) out.publish("x");
    for (int i = 0; i < 2; ++i) {
      consumer->async_receive([&](error_code, Message message) {
        ++called;
        if (message.ack()) ++received;
        consumer.reset();  // by the first handler, while the pump runs
      });
    }
    run_steps(io, stage);
    consumer.reset();
    io.run();
    EXPECT_EQ(called, 2);
    EXPECT_EQ(received + left(), stage % 2 == 0 ? 1 : 0);
  }
}

TEST_F(Cancel, destroying_the_loop_at_any_stage_destroys_the_handlers) {
  for (int stage = 0; stage < k_stages; ++stage) {
    if (stage % 2 == 0) out.publish("x");
    const auto watched = std::make_shared<int>(0);
    {
      asio::io_context io;
      // The coroutines own what they wait on, and are themselves owned by what they wait for.
      const auto wait = [&](std::shared_ptr<int>) -> asio::awaitable<void> {
        AsyncConsumer consumer(io, in);
        for (;;) {
          Message message = co_await consumer.async_receive(asio::use_awaitable);
          message.nack();
          asio::steady_timer timer(io, 1h);
          co_await timer.async_wait(asio::use_awaitable);
        }
      };
      asio::co_spawn(io, wait(watched), asio::detached);
      run_steps(io, stage);
    }
    EXPECT_EQ(watched.use_count(), 1) << "stage " << stage;
    EXPECT_EQ(left(), stage % 2 == 0 ? 1 : 0) << "stage " << stage;
  }
}

TEST_F(Cancel, an_operation_started_after_the_object_s_end_is_aborted) {
  asio::io_context io;
  std::optional<AsyncConsumer> consumer(std::in_place, io, in);
  auto later = consumer->async_receive(asio::deferred);
  consumer.reset();
  bool aborted = false;
  std::move(later)([&](error_code error, Message) { aborted = error == asio::error::operation_aborted; });
  EXPECT_FALSE(aborted) << "not inside the initiating call";
  io.run();
  EXPECT_TRUE(aborted);
}

TEST_F(Cancel, a_deadline_by_composition_cancels_an_operation) {
  using namespace asio::experimental::awaitable_operators;
  asio::io_context io;
  AsyncConsumer consumer(io, in);
  std::string got;
  const auto receive = [&]() -> asio::awaitable<void> {
    asio::steady_timer deadline(io, 1ms);
    auto first = co_await (consumer.async_receive(asio::use_awaitable) || deadline.async_wait(asio::use_awaitable));
    got += first.index() == 1 ? "late " : "?";
    out.publish("there");
    deadline.expires_after(1h);
    auto second = co_await (consumer.async_receive(asio::use_awaitable) || deadline.async_wait(asio::use_awaitable));
    if (second.index() == 0) {
      got += std::get<0>(second).text();
      std::get<0>(second).ack();
    }
  };
  asio::co_spawn(io, receive(), asio::detached);
  io.run();
  EXPECT_EQ(got, "late there");
}

TEST_F(Cancel, a_deadline_by_hand_never_drops_a_message) {
  asio::io_context io;
  AsyncConsumer consumer(io, in);
  int received = 0;
  int late = 0;
  constexpr int k_rounds = 200;
  for (int round = 0; round < k_rounds; ++round) {
    asio::cancellation_signal signal;
    asio::steady_timer deadline(io, std::chrono::microseconds(round));
    deadline.async_wait([&](error_code error) {
      if (!error) signal.emit(asio::cancellation_type::total);
    });
    asio::steady_timer sender(io, std::chrono::microseconds(k_rounds - round));
    sender.async_wait([&](error_code) { out.publish("x"); });
    consumer.async_receive(asio::bind_cancellation_slot(signal.slot(), [&](error_code error, Message message) {
      deadline.cancel();
      if (error == asio::error::operation_aborted) ++late;
      if (message.ack()) ++received;
    }));
    io.run();
    io.restart();
    received += left();
  }
  EXPECT_EQ(received, k_rounds);
  EXPECT_LT(late, k_rounds);
}

TEST_F(Cancel, a_coroutine_on_a_strand_can_be_cancelled) {
  asio::io_context io;
  const auto strand = asio::make_strand(io);
  AsyncConsumer consumer(strand, in);
  asio::cancellation_signal signal;
  bool ended = false;
  const auto serve = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto [error, message] = co_await consumer.async_receive(asio::as_tuple(asio::use_awaitable));
      EXPECT_TRUE(strand.running_in_this_thread());
      if (error == asio::error::operation_aborted) break;
      message.ack();
    }
    ended = true;
  };
  asio::co_spawn(strand, serve(), asio::bind_cancellation_slot(signal.slot(), asio::detached));
  for (int i = 0; i < 3; ++i) {
    out.publish("x");
    io.poll();
  }
  EXPECT_EQ(left(), 0);
  asio::post(strand, [&] { signal.emit(asio::cancellation_type::terminal); });
  io.run();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace beltway::test
