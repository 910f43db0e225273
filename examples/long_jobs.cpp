// Long jobs beside short ones: a job of a second stops neither the other workers nor the producer, though the ring has 16
// slots only.
#include <atomic>
#include <iostream>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int k_jobs = 1000;

/// Works until the producer has gone and all jobs are done. Returns how many it has done.
int work(beltway::Consumer in, std::atomic<bool>& long_job_runs, std::atomic<int>& beside) {
  int done = 0;
  while (auto job = in.receive(10s)) {
    if (job->text() == "long") {
      long_job_runs = true;
      std::this_thread::sleep_for(1s);
      long_job_runs = false;
    } else if (long_job_runs) {
      ++beside;
    }
    job->ack();
    ++done;
  }
  return done;
}

}  // namespace

int main() try {
  const auto link = beltway::Connection::open();
  const auto jobs = link.declare("jobs", {.slots = 16, .groups = {"workers"}});
  std::atomic<bool> long_job_runs = false;
  std::atomic<int> beside = 0;
  std::atomic<int> done = 0;
  // The default prefetch is right for jobs: a worker leases only the job that it receives.
  const beltway::ConsumerOptions worker{.group = "workers", .end_of_stream = beltway::EndOfStream::after_producer};
  {
    std::jthread first([&] { done += work(jobs.consumer(worker), long_job_runs, beside); });
    std::jthread second([&] { done += work(jobs.consumer(worker), long_job_runs, beside); });
    static_cast<void>(jobs.wait_for_consumers(2, 10s));
    auto out = jobs.producer();
    for (int i = 0; i < k_jobs; ++i) out.publish(i == 10 ? "long" : "short");  // waits only while the workers are busy
  }
  std::cout << done << " jobs done, " << beside << " of them beside the long one\n";
  return done == k_jobs ? 0 : 1;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
