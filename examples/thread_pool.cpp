// Receiving in one thread, handling in a pool. A Message is move-only and lock-free queues carry plain values, so messages lie
// in a fixed set of places and Boost.Lockfree's queues hand over the places' numbers. The worker acknowledges what is done.
// `thread_pool [JOBS]` ends after them, or at SIGTERM or Ctrl-C.
#include <array>
#include <atomic>
#include <boost/lockfree/queue.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <semaphore>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"

namespace {
constexpr unsigned k_places = 64, k_workers = 4;
struct Handover {
  std::array<beltway::Message, k_places> places;
  boost::lockfree::queue<unsigned, boost::lockfree::capacity<k_places>> full, empty;
  std::counting_semaphore<> full_count{0}, empty_count{0};  // to sleep on: the queues themselves never block
  std::atomic<long> sum = 0;
  void make_empty(unsigned place) { empty.push(place), empty_count.release(); }
  void hand_over(beltway::Message job) {
    unsigned place = 0;
    empty_count.acquire(), empty.pop(place);
    places[place] = std::move(job);
    full.push(place), full_count.release();
  }
  void work() {
    for (unsigned place = 0; full_count.acquire(), full.pop(place);) {  // woken without a job: the end
      beltway::Message job = std::move(places[place]);
      make_empty(place);
      sum += std::stol(std::string(job.text()));
      job.ack();
    }
  }
};
}  // namespace
int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto queue = beltway::Connection::open().declare("pool-jobs", {.groups = {"pool"}});
  auto in = queue.consumer({.group = "pool", .end_of_stream = beltway::EndOfStream::after_producer});
  const std::jthread sender([&, out = queue.producer()]() mutable {
    for (int i = 1; i <= count && out.publish_until(std::to_string(i), stop) == beltway::Status::ok; ++i) continue;
  });
  Handover handover;
  for (unsigned place = 0; place < k_places; ++place) handover.make_empty(place);
  std::array<std::jthread, k_workers> pool;
  for (auto& worker : pool) worker = std::jthread(&Handover::work, &handover);
  while (auto job = in.receive(stop)) handover.hand_over(std::move(*job));
  handover.full_count.release(k_workers);
  for (auto& worker : pool) worker.join();
  std::cout << "sum: " << handover.sum << '\n';
}
