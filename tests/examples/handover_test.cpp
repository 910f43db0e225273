// Receiving in one thread, handling in a pool, with Boost.Lockfree's queues between them: leases and acks stay correct
// whatever the workers do with their messages, and whoever ends first. ThreadSanitizer looks at this one; the example is a
// program.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

constexpr unsigned k_workers = 3;
constexpr unsigned k_jobs = 2000;

/// Lock-free queues carry plain values, so the messages lie on the heap and their addresses go over. `Queue`: queue for
/// several workers, spsc_queue for one. A null is the end of one worker.
template <class Queue>
class Pool {
 public:
  template <class Work>
  Pool(unsigned workers, Work work) {
    for (unsigned i = 0; i < workers; ++i) {
      threads_.emplace_back([this, work] {
        for (;;) {
          there_.acquire();
          Message* job = nullptr;
          while (!jobs_.pop(job)) std::this_thread::yield();
          const std::unique_ptr<Message> owned(job);
          if (owned == nullptr) return;
          work(*owned);
        }
      });
    }
  }
  ~Pool() {
    for (std::size_t i = 0; i < threads_.size(); ++i) push(nullptr);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void hand_over(Message message) { push(std::make_unique<Message>(std::move(message)).release()); }

 private:
  void push(Message* job) {
    while (!jobs_.push(job)) std::this_thread::yield();
    there_.release();
  }

  Queue jobs_;
  std::counting_semaphore<> there_{0};
  std::vector<std::jthread> threads_;
};

using Several = boost::lockfree::queue<Message*, boost::lockfree::capacity<32>>;
using Single = boost::lockfree::spsc_queue<Message*, boost::lockfree::capacity<32>>;

template <class Queue>
class Handover : public testing::Test {
 public:
  static constexpr unsigned k_threads = std::is_same_v<Queue, Single> ? 1 : k_workers;
};
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BELTWAY_UNDER_TSAN
#endif
#endif
#ifdef BELTWAY_UNDER_TSAN
// The queue for several workers reads nodes that another has freed meanwhile, and throws away what it read: not by atomics, so
// ThreadSanitizer calls it a race.
using Queues = testing::Types<Single>;
#else
using Queues = testing::Types<Several, Single>;
#endif
TYPED_TEST_SUITE(Handover, Queues);

TYPED_TEST(Handover, each_job_is_done_once_though_workers_give_back_and_drop) {
  LocalQueue queue({.slots = 64, .groups = {"pool"}});
  Consumer in = queue.consumer({.group = "pool", .follow = true, .prefetch = 16});
  std::vector<std::atomic<unsigned>> done(k_jobs);
  std::atomic<unsigned> finished = 0;
  std::atomic<unsigned> refused = 0;
  std::jthread sender([out = queue.producer()]() mutable {
    for (unsigned i = 0; i < k_jobs; ++i) out.publish(std::to_string(i));
  });
  {
    Pool<TypeParam> pool(TestFixture::k_threads, [&](Message& job) {
      const auto number = static_cast<unsigned>(std::stoul(std::string(job.text())));
      // A quarter of the first turns ends with a nack, a quarter without an end; all second ones with an ack.
      if (job.deliveries() == 1 && number % 4 == 1) {
        job.nack();
      } else if (job.deliveries() == 1 && number % 4 == 2) {
        return;  // dropped, as by an exception
      } else {
        if (!job.ack()) ++refused;
        ++done[number];
        ++finished;
      }
    });
    // What workers still hold may come back: the end of the stream alone is not the end.
    while (finished < k_jobs) {
      if (Result<Message> job = in.receive(10ms)) pool.hand_over(std::move(*job));
    }
  }
  for (unsigned i = 0; i < k_jobs; ++i) EXPECT_EQ(done[i], 1U) << i;
  EXPECT_EQ(refused, 0U);
  EXPECT_EQ(in.counters().acks, k_jobs);
  EXPECT_EQ(in.counters().redelivered, k_jobs / 2);
}

TYPED_TEST(Handover, messages_in_workers_hands_outlive_their_consumer) {
  LocalQueue queue({.slots = 64, .groups = {"pool"}});
  Producer out = queue.producer();
  std::optional<Consumer> in = queue.consumer({.group = "pool"});
  std::counting_semaphore<> consumer_is_gone{0};
  for (unsigned i = 0; i < 16; ++i) out.publish(std::to_string(i));
  {
    Pool<TypeParam> pool(TestFixture::k_threads, [&](Message& job) {
      consumer_is_gone.acquire();
      if (std::stoul(std::string(job.text())) % 2 == 0) {
        EXPECT_TRUE(job.ack());
      }
    });
    for (unsigned i = 0; i < 16; ++i) pool.hand_over(std::move(*in->try_receive()));
    in.reset();
    consumer_is_gone.release(16);
  }
  Consumer next = queue.consumer({.group = "pool"});
  for (unsigned i = 1; i < 16; i += 2) {
    Result<Message> job = next.try_receive();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->text(), std::to_string(i));
    EXPECT_EQ(job->deliveries(), 2U);
    job->ack();
  }
  EXPECT_EQ(next.try_receive().status(), Status::empty);
}

}  // namespace
}  // namespace beltway::test
