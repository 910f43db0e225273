// Waits that end by a signal: its handler alone, and stop_on().
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "local_queue.hpp"
#include "waits.hpp"
#include "watch.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

/// A handler that does nothing, as long as it lives.
class Handler {
 public:
  Handler(int signal, int flags) : signal_(signal) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    action.sa_flags = flags;
    ::sigaction(signal, &action, &before_);
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  ~Handler() { ::sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_{};
};

TEST(Stop, a_stop_that_was_requested_ends_calls_that_need_not_wait) {
  LocalQueue queue({.slots = 16, .groups = {"g"}});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  Consumer all = queue.consumer();
  for (int i = 0; i < 4; ++i) out.publish("x");
  Loan loan = out.loan(100);
  std::stop_source source;
  const std::vector<Bytes> messages(2, "y");
  std::array<Message, 2> batch;
  EXPECT_TRUE(in.receive(source.get_token()));
  EXPECT_EQ(out.publish_until("x", source.get_token()), Status::ok);
  source.request_stop();
  const Until until({1s, source.get_token()});
  EXPECT_EQ(in.receive(until).status(), Status::stopped);
  EXPECT_EQ(all.receive(until).status(), Status::stopped);
  EXPECT_EQ(in.receive_batch(batch, until).status(), Status::stopped);
  EXPECT_EQ(all.receive_batch(batch, until).status(), Status::stopped);
  EXPECT_EQ(out.publish_until("x", until), Status::stopped);
  EXPECT_EQ(out.publish_until(1, [](std::span<std::byte>) {}, until), Status::stopped);
  EXPECT_EQ(out.publish_parts_until(messages, until), Status::stopped);
  EXPECT_EQ(out.publish_batch_until(messages, until).status(), Status::stopped);
  EXPECT_EQ(out.loan_until(100, until).status(), Status::stopped);
  EXPECT_EQ(loan.commit_until(100, until), Status::stopped);
  EXPECT_TRUE(loan) << "still open";
  EXPECT_EQ(out.counters().messages, 5U);
  EXPECT_TRUE(in.try_receive()) << "nothing is lost";
  EXPECT_TRUE(all.receive(1s)) << "nor for calls without the token";
}

TEST(Signal, a_signal_whose_handler_does_not_restart_calls_ends_a_wait) {
  const Handler handler(SIGUSR1, 0);
  LocalQueue queue({.slots = 2, .groups = {"g"}});
  Producer out = queue.producer({.wait = WaitStrategy::sleep});
  Consumer in = queue.consumer({.group = "g", .wait = WaitStrategy::sleep});
  const pthread_t waiting = pthread_self();
  const auto kick = [&](unsigned owner) {
    return std::thread([&, owner] {
      EXPECT_TRUE(waits(queue, owner));
      // It may not sleep yet: a signal before that goes unnoticed.
      while (queue.memory().endpoint(owner).asleep_since_ns.load_relaxed() != 0) {
        ::pthread_kill(waiting, SIGUSR1);
        std::this_thread::sleep_for(1ms);
      }
    });
  };
  std::thread one = kick(k_first_consumer);
  EXPECT_EQ(in.receive().status(), Status::interrupted);
  one.join();
  for (int i = 0; i < 2; ++i) out.publish("x");
  std::thread two = kick(0);
  try {
    out.publish("y");
    ADD_FAILURE() << "there is no room";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), Errc::interrupted);
  }
  two.join();
  std::thread three = kick(k_first_consumer);
  EXPECT_EQ(in.consume([](Message& message) { message.ack(); }), Status::interrupted);
  three.join();
}

TEST(Signal, a_signal_that_restarts_calls_or_meets_a_stop_token_ends_no_wait) {
  for (const bool restarts : {true, false}) {
    const Handler handler(SIGUSR1, restarts ? SA_RESTART : 0);
    LocalQueue queue;
    Producer out = queue.producer();
    Consumer in = queue.consumer({.wait = WaitStrategy::sleep});
    const pthread_t waiting = pthread_self();
    std::thread other([&] {
      EXPECT_TRUE(waits(queue, k_first_consumer));
      for (int i = 0; i < 20; ++i) {
        ::pthread_kill(waiting, SIGUSR1);
        std::this_thread::sleep_for(1ms);
      }
      out.publish("x");
    });
    std::stop_source never;
    EXPECT_TRUE(restarts ? in.receive() : in.receive(never.get_token()));
    other.join();
  }
}

/// The loop that everybody writes first: a handler sets a flag. One signal that meets the wait ends it.
volatile std::sig_atomic_t flag = 0;

TEST(Signal, one_signal_ends_a_loop_that_tests_a_flag) {
  for (const bool receives : {true, false}) {
    Child child = Child::fork([receives] {
      struct sigaction action{};
      action.sa_handler = [](int) { flag = 1; };
      ::sigaction(SIGINT, &action, nullptr);
      LocalQueue queue({.slots = 2, .groups = {"g"}});
      Producer out = queue.producer();
      Consumer in = queue.consumer();
      std::thread other([&queue, receives, waiting = pthread_self()] {
        waits(queue, receives ? k_first_consumer : 0);
        // One that comes before the wait sleeps sets the flag and goes unnoticed there: the loop is helped then.
        std::this_thread::sleep_for(20ms);
        ::pthread_kill(waiting, SIGINT);
        while (queue.memory().endpoint(receives ? k_first_consumer : 0).asleep_since_ns.load_relaxed() != 0) {
          std::this_thread::sleep_for(5s);
          ::pthread_kill(waiting, SIGINT);
        }
      });
      while (flag == 0) {
        if (receives) {
          static_cast<void>(in.receive());
        } else {
          try {
            out.publish("x");
          } catch (const Error& error) {
            if (error.reason() != Errc::interrupted) return 1;
          }
        }
      }
      other.join();
      return 7;
    });
    EXPECT_EQ(child.wait().code, 7);
  }
}

/// Each in a process of its own: signals are for the whole process.
int exit_code_of(const std::function<int()>& body) { return Child::fork(body).wait().code; }

TEST(StopOnASignal, stop_on_ends_a_wait_with_stopped_and_says_which_signal_it_was) {
  EXPECT_EQ(exit_code_of([] {
              LocalQueue queue;
              Consumer in = queue.consumer();
              const StopOn stop = stop_on({SIGTERM, SIGINT});
              std::thread other([&] {
                waits(queue, k_first_consumer);
                ::kill(::getpid(), SIGTERM);
              });
              const Status status = in.receive(stop).status();
              other.join();
              return status == Status::stopped && stop.signal() == SIGTERM ? 7 : 1;
            }),
            7);
}

/// The loop that looks at the token only: the signal may hit before, in or behind the wait, the wait ends and the token says so.
TEST(StopOnASignal, a_loop_that_polls_the_token_and_waits_without_it_sees_the_signal) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(exit_code_of([round] {
                LocalQueue queue;
                Consumer in = queue.consumer({.wait = WaitStrategy::sleep});
                const StopOn stop = stop_on({SIGINT});
                std::thread other([&] {
                  waits(queue, k_first_consumer);
                  std::this_thread::sleep_for(round * 10us);
                  // A signal that comes just before the wait goes unnoticed there: that is what the token is for.
                  while (!stop.token().stop_requested()) ::kill(::getpid(), SIGINT);
                  in.interrupt();
                });
                while (!stop.token().stop_requested()) static_cast<void>(in.receive());
                other.join();
                return 7;
              }),
              7);
  }
}

TEST(StopOnASignal, stop_on_restores_the_handlers_and_may_be_made_again) {
  const Handler before(SIGUSR2, SA_RESTART);
  struct sigaction now{};
  for (int i = 0; i < 2; ++i) {
    StopOn stop = stop_on({SIGUSR2});
    EXPECT_FALSE(stop.token().stop_requested());
    try {
      static_cast<void>(stop_on({SIGUSR1}));
      ADD_FAILURE() << "another one lives";
    } catch (const Error& error) {
      EXPECT_EQ(error.reason(), Errc::misuse);
    }
    ::raise(SIGUSR2);
    EXPECT_TRUE(eventually([&] { return stop.token().stop_requested(); }));
    const StopOn moved = std::move(stop);
    EXPECT_TRUE(moved.token().stop_requested());
    EXPECT_EQ(moved.signal(), SIGUSR2);
  }
  ::sigaction(SIGUSR2, nullptr, &now);
  EXPECT_EQ(now.sa_flags & SA_RESTART, SA_RESTART) << "the handler before";
  EXPECT_EQ(
      [] {
        try {
          static_cast<void>(stop_on({SIGTERM, SIGKILL}));
        } catch (const Error& error) {
          return std::string(error.what());
        }
        return std::string();
      }(),
      "stop_on: signal 9 cannot be handled");
  ::sigaction(SIGTERM, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "what was handled before it failed is as it was";
}

TEST(StopOnASignal, stop_on_ends_an_event_loop) {
  EXPECT_EQ(exit_code_of([] {
              LocalQueue queue;
              Consumer in = queue.consumer();
              EventLoop loop;
              loop.on_message(in, [](Result<Message>) {});
              const StopOn stop = stop_on({SIGTERM});
              std::thread other([] {
                std::this_thread::sleep_for(1ms);
                ::kill(::getpid(), SIGTERM);
              });
              const Status status = loop.run(stop);
              other.join();
              return status == Status::stopped ? 7 : 1;
            }),
            7);
}

TEST(SignalInAnEventLoop, a_signal_whose_handler_does_not_restart_calls_ends_run) {
  const Handler handler(SIGUSR1, 0);
  LocalQueue queue;
  Consumer in = queue.consumer();
  EventLoop loop;
  loop.on_message(in, [](Result<Message>) {});
  std::atomic<bool> over = false;
  std::thread other([&, waiting = pthread_self()] {
    while (!over) {
      ::pthread_kill(waiting, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
  });
  EXPECT_EQ(loop.run(), Status::interrupted);
  over = true;
  other.join();
}

}  // namespace
}  // namespace beltway::test
