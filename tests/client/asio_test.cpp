// AsyncConsumer and AsyncProducer: every completion token, where and when handlers run, order, back-pressure, errors.
#include "beltway/asio.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

struct Asio : testing::Test {
  LocalQueue queue{{.slots = 16, .lane_bytes = 8192, .groups = {"g"}}};
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer});
  asio::io_context io;
  AsyncConsumer consumer{io, in};
  AsyncProducer producer{io, out};
};

TEST_F(Asio, a_callback_gets_a_ready_message_but_never_inside_the_initiating_call) {
  out.publish("hello");
  std::string got;
  consumer.async_receive([&](error_code error, Message message) {
    EXPECT_FALSE(error) << error.message();
    got = message.text();
    message.ack();
  });
  EXPECT_EQ(got, "");
  io.run();
  EXPECT_EQ(got, "hello");
}

TEST_F(Asio, a_callback_waits_for_a_message_to_come) {
  std::string got;
  consumer.async_receive([&](error_code error, Message message) {
    EXPECT_FALSE(error);
    got = message.text();
    message.ack();
  });
  io.poll();
  EXPECT_EQ(got, "");
  EXPECT_FALSE(io.stopped()) << "an outstanding receive is work";
  out.publish("later");
  io.run();
  EXPECT_EQ(got, "later");
}

TEST_F(Asio, a_future_waits_in_another_thread) {
  auto work = asio::make_work_guard(io);
  std::jthread loop([&] { io.run(); });
  for (int i = 0; i < 100; ++i) {
    // The next operation may start while the loop is still on its way out of the last handler.
    auto message = consumer.async_receive(asio::use_future);
    producer.async_publish(std::string_view("future"), asio::use_future).get();
    Message got = message.get();
    EXPECT_EQ(got.text(), "future");
    EXPECT_TRUE(got.ack());
  }
  work.reset();
}

TEST_F(Asio, a_future_throws_the_error) {
  queue.remove();
  auto message = consumer.async_receive(asio::use_future);
  auto published = producer.async_publish("x", asio::use_future);
  io.run();
  EXPECT_THROW(
      try { message.get(); } catch (const boost::system::system_error& error) {
        EXPECT_TRUE(error.code() == Status::removed) << error.what();
        throw;
      },
      boost::system::system_error);
  EXPECT_THROW(published.get(), boost::system::system_error);
}

TEST_F(Asio, coroutines_use_awaitable_deferred_and_tuples) {
  std::vector<std::string> got;
  const auto receive = [&]() -> asio::awaitable<void> {
    Message one = co_await consumer.async_receive(asio::use_awaitable);
    Message two = co_await consumer.async_receive();
    auto [error, three] = co_await consumer.async_receive(asio::as_tuple(asio::use_awaitable));
    EXPECT_FALSE(error);
    for (Message* message : {&one, &two, &three}) {
      got.emplace_back(message->text());
      message->ack();
    }
  };
  const auto send = [&]() -> asio::awaitable<void> {
    co_await producer.async_publish("one", asio::use_awaitable);
    co_await producer.async_publish("two");
    Loan loan = co_await producer.async_loan(2000);
    std::ranges::fill(loan.bytes(), std::byte{'3'});
    co_await producer.async_commit(loan, 1000);
    EXPECT_FALSE(loan);
  };
  asio::co_spawn(io, receive(), asio::detached);
  asio::co_spawn(io, send(), asio::detached);
  io.run();
  EXPECT_EQ(got, (std::vector<std::string>{"one", "two", std::string(1000, '3')}));
}

TEST_F(Asio, a_deferred_operation_starts_when_it_is_called) {
  out.publish("x");
  auto later = consumer.async_receive(asio::deferred);
  io.run();
  EXPECT_EQ(in.try_receive()->text(), "x") << "nothing was taken (and dropping it gives it back)";
  std::string got;
  std::move(later)([&](error_code, Message message) {
    got = message.text();
    message.ack();
  });
  io.restart();
  io.run();
  EXPECT_EQ(got, "x");
}

TEST_F(Asio, operations_of_one_object_are_served_in_order) {
  std::string got;
  for (int i = 0; i < 5; ++i) {
    consumer.async_receive([&got, i](error_code, Message message) {
      got += std::to_string(i) + std::string(message.text()) + ' ';
      message.ack();
    });
  }
  for (const char* text : {"a", "b", "c", "d", "e"}) producer.async_publish(text, [](error_code) {});
  io.run();
  EXPECT_EQ(got, "0a 1b 2c 3d 4e ");
}

TEST_F(Asio, a_batch_takes_the_ready_messages) {
  for (int i = 0; i < 5; ++i) out.publish(std::to_string(i));
  std::array<Message, 8> messages;
  std::size_t count = 0;
  consumer.async_receive_batch(messages, [&](error_code error, std::size_t n) {
    EXPECT_FALSE(error);
    count = n;
  });
  io.run();
  ASSERT_EQ(count, 5U);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(messages[i].text(), std::to_string(i));
}

TEST_F(Asio, publishing_waits_while_the_queue_is_full) {
  while (out.try_publish("x") == Status::ok) continue;
  bool done = false;
  producer.async_publish("y", [&](error_code error) {
    EXPECT_FALSE(error);
    done = true;
  });
  io.poll();
  EXPECT_FALSE(done);
  for (int i = 0; i < 8; ++i) in.try_receive()->ack();
  io.run();
  EXPECT_TRUE(done);
}

TEST_F(Asio, a_loan_waits_while_the_lane_is_full_of_messages_or_loans) {
  Loan first;
  int lent = 0;
  producer.async_loan(8192, [&](error_code error, Loan loan) {
    EXPECT_FALSE(error);
    first = std::move(loan);
    ++lent;
  });
  producer.async_loan(8192, [&](error_code error, Loan loan) {
    EXPECT_FALSE(error);
    EXPECT_EQ(loan.size(), 8192U);
    ++lent;
    EXPECT_EQ(loan.try_commit(), Status::ok);
  });
  producer.async_loan(8192, [&](error_code error, Loan) {
    EXPECT_FALSE(error);
    ++lent;
  });
  io.poll();
  EXPECT_EQ(lent, 1);
  first.drop();
  io.poll();
  EXPECT_EQ(lent, 2);
  in.try_receive()->ack();
  io.run();
  EXPECT_EQ(lent, 3);
}

TEST_F(Asio, errors_are_codes_that_compare_with_status) {
  std::set<std::string> seen;
  const std::string large(9000, 'x');
  producer.async_publish(large, [&](error_code error) {
    EXPECT_TRUE(error == Status::too_large);
    EXPECT_FALSE(error == Status::removed);
    seen.insert(error.message());
  });
  producer.async_loan(9000, [&](error_code error, Loan loan) {
    EXPECT_TRUE(error == Status::too_large);
    EXPECT_FALSE(loan);
    seen.insert("loan");
  });
  Loan none;
  producer.async_commit(none, 1, [&](error_code error) {
    EXPECT_TRUE(error == std::error_code(Errc::misuse)) << error.message();
    seen.insert("commit");
  });
  io.run();
  EXPECT_EQ(seen, (std::set<std::string>{"too large", "loan", "commit"}));
}

TEST_F(Asio, the_end_of_the_stream_comes_after_the_ready_messages) {
  out.publish("last");
  {
    AsyncProducer gone = std::move(producer);
  }
  {
    Producer gone = std::move(out);
  }
  std::vector<std::string> seen;
  for (int i = 0; i < 2; ++i) {
    consumer.async_receive([&](error_code error, Message message) {
      seen.emplace_back(error ? error.message() : message.text());
      message.ack();
    });
  }
  io.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"last", "end of stream"}));
}

TEST_F(Asio, the_prefetch_limit_is_waited_for) {
  Consumer limited = queue.consumer({.group = "g", .prefetch = 1});
  AsyncConsumer async(io, limited);
  out.publish("one");
  out.publish("two");
  Message held;
  std::string second;
  async.async_receive([&](error_code, Message message) { held = std::move(message); });
  async.async_receive([&](error_code, Message message) {
    second = message.text();
    message.ack();
  });
  io.poll();
  EXPECT_EQ(held.text(), "one");
  EXPECT_EQ(second, "");
  std::thread([&] { held.ack(); }).join();
  io.run();
  EXPECT_EQ(second, "two");
}

TEST_F(Asio, handlers_run_on_their_own_executor) {
  asio::thread_pool pool(1);
  std::thread::id pool_thread;
  asio::post(pool, asio::use_future([&] { pool_thread = std::this_thread::get_id(); })).get();
  out.publish("x");
  std::thread::id handled_in;
  std::promise<void> done;
  consumer.async_receive(asio::bind_executor(pool, [&](error_code, Message message) {
    message.ack();
    handled_in = std::this_thread::get_id();
    done.set_value();
  }));
  io.run();
  done.get_future().get();
  pool.join();
  EXPECT_EQ(handled_in, pool_thread);
  const auto strand = asio::make_strand(io);
  consumer.async_receive(asio::bind_executor(strand, [&](error_code, Message message) {
    message.ack();
    EXPECT_TRUE(strand.running_in_this_thread());
    handled_in = {};
  }));
  out.publish("x");
  io.restart();
  io.run();
  EXPECT_EQ(handled_in, std::thread::id());
}

TEST_F(Asio, other_work_of_the_loop_gets_its_turn) {
  for (int i = 0; i < 16; ++i) out.publish("x");
  unsigned received = 0;
  unsigned most_between = 0;
  unsigned since_other_work = 0;
  bool stop = false;
  std::function<void()> receive = [&] {
    consumer.async_receive([&](error_code, Message message) {
      message.ack();
      ++received;
      most_between = std::max(most_between, ++since_other_work);
      static_cast<void>(out.try_publish("y"));
      if (received == 1000) stop = true;
      if (!stop) receive();
    });
  };
  std::function<void()> other = [&] {
    since_other_work = 0;
    if (!stop) asio::post(io, other);
  };
  receive();
  asio::post(io, other);
  io.run();
  EXPECT_EQ(received, 1000U);
  EXPECT_LE(most_between, detail::k_messages_per_turn);
}

TEST_F(Asio, an_exception_of_a_handler_leaves_run_and_the_line_goes_on) {
  out.publish("one");
  out.publish("two");
  consumer.async_receive([](error_code, Message message) {
    message.ack();
    throw std::runtime_error("handler");
  });
  std::string got;
  EXPECT_THROW(io.run(), std::runtime_error);
  io.restart();
  consumer.async_receive([&](error_code, Message message) {
    got = message.text();
    message.ack();
  });
  io.run();
  EXPECT_EQ(got, "two");
}

TEST_F(Asio, the_descriptor_is_given_back_unharmed) {
  for (int i = 0; i < 3; ++i) {
    asio::io_context other;
    AsyncConsumer again(other, in);  // beside `consumer`, which is idle
    out.publish("x");
    bool got = false;
    again.async_receive([&](error_code error, Message message) {
      EXPECT_FALSE(error);
      got = message.ack();
    });
    other.run();
    EXPECT_TRUE(got);
  }
  out.publish("still works");
  EXPECT_EQ(in.receive(1s)->text(), "still works");
}

}  // namespace
}  // namespace beltway::test
