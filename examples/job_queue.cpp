// A job queue with retries and dead letters: a job that fails is tried again after a pause. A job that failed three times, or
// that its worker rejects, goes to another queue, with the reason. An operator looks at it there.
//
//   job_queue
#include <chrono>
#include <iostream>
#include <string_view>

#include "beltway/beltway.hpp"

namespace {
using namespace std::chrono_literals;

void work(beltway::Message& job) {
  const std::string_view name = job.text();
  if (name == "not a job") {
    job.reject();  // no later delivery can succeed
  } else if (name == "broken" || job.deliveries() == 1) {
    job.nack();  // again after 10 ms, then 20 ms
  } else {
    std::cout << name << ": done, delivery " << job.deliveries() << '\n';
    job.ack();
  }
}

void look_at(beltway::Message& letter) {
  const beltway::PropertiesView properties = letter.properties();
  const beltway::DeadLetter* const why = properties.dead_letter();
  if (why == nullptr) return;  // published there by a program, not moved
  std::cout << letter.text() << ": " << to_string(why->reason) << " in " << why->queue << "/" << why->group << " after "
            << why->deliveries << " deliveries\n";
  letter.ack();
}

}  // namespace

int main() try {
  const auto link = beltway::Connection::open();
  const auto failed = link.declare("job_queue/failed", {.groups = {"operators"}});
  const beltway::NamedGroup workers{"workers",
                                    {.retry_delay = 10ms, .max_deliveries = 3, .dead_letter = "job_queue/failed"}};
  const auto jobs = link.declare("job_queue", {.slots = 256, .lane_bytes = 16384, .groups = {workers}});
  {
    auto out = jobs.producer();
    for (const char* job : {"broken", "not a job", "resize a.png"}) out.publish(job);
  }
  // The stream ends after the jobs that wait for their next delivery.
  auto in = jobs.consumer({.group = "workers", .end_of_stream = beltway::EndOfStream::drained});
  in.consume(work);
  auto letters = failed.consumer({.group = "operators"});
  for (auto left = in.counters().dead_lettered; left > 0; --left) {
    if (auto letter = letters.receive(1s)) look_at(*letter);
  }
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
