// Messages that fail: a job that fails is tried again after a pause, newer jobs go on meanwhile, and a job that never succeeds is
// dropped and counted.
//
//   failing_jobs
#include <chrono>
#include <iostream>
#include <string_view>

#include "beltway/beltway.hpp"

namespace {
using namespace std::chrono_literals;

void work(beltway::Message& job) {
  const std::string_view name = job.text();
  std::cout << name << ", delivery " << job.deliveries() << ": ";
  if (name == "not a job") {
    std::cout << "rejected\n";
    job.reject();  // no later delivery can succeed
  } else if (name == "broken") {
    std::cout << "failed\n";
    job.nack();  // again after 10 ms, then 20 ms; after the third delivery it is dropped
  } else if (name == "server away" && job.deliveries() == 1) {
    std::cout << "later\n";
    job.nack(100ms);  // again after this pause
  } else {
    std::cout << "done\n";
    job.ack();
  }
}

}  // namespace

int main() try {
  const beltway::NamedGroup workers{"workers", {.retry_delay = 10ms, .max_deliveries = 3, .discard = true}};
  const auto jobs = beltway::Connection::open().declare("failing_jobs", {.groups = {workers}});
  {
    auto out = jobs.producer();
    for (const char* job : {"broken", "server away", "not a job", "good"}) out.publish(job);
  }
  // A delayed message is not delivered yet: the stream ends after it.
  auto in = jobs.consumer({.group = "workers", .end_of_stream = beltway::EndOfStream::drained});
  in.consume(work);
  std::cout << in.counters().acks << " done, " << in.counters().discarded << " dropped\n";
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
