// A work queue: each job goes to one worker, and is gone only when that worker acknowledges it. Start as many workers as you
// like; kill one in the middle of a job, and another gets the job again.
//
//   work_queue submit COUNT
//   work_queue work
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "beltway/beltway.hpp"

namespace {
using namespace std::chrono_literals;

void submit(const beltway::Queue& jobs, int count, const beltway::StopOn& stop) {
  auto out = jobs.producer();
  for (int i = 1; i <= count; ++i) {
    if (out.publish_until("job " + std::to_string(i), stop) != beltway::Status::ok) return;  // told to end
  }
}

void work(const beltway::Queue& jobs, const beltway::StopOn& stop) {
  // A worker leases only the job that it receives: the others stay for workers that have time.
  auto in = jobs.consumer({.group = "workers"});
  while (auto job = in.receive({1s, stop})) {
    // The first try of every tenth job goes wrong here, to show what happens then.
    if (job->text().ends_with('0') && job->deliveries() == 1) {
      std::cout << "failed " << job->text() << '\n';
      job->nack();  // to a worker, after a pause; a job that is dropped by an exception goes back, too
      continue;
    }
    std::cout << "done " << job->text() << '\n';
    job->ack();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view role = argc > 1 ? argv[1] : "";
  // Ctrl-C and SIGTERM: whoever is told to end finishes the job in hand first.
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto jobs = beltway::Connection::open().declare("jobs", {.groups = {"workers"}});
  if (role == "submit" && argc == 3) {
    submit(jobs, std::atoi(argv[2]), stop);
  } else if (role == "work") {
    work(jobs, stop);
  } else {
    std::cerr << "usage: work_queue submit COUNT | work_queue work\n";
    return 2;
  }
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
