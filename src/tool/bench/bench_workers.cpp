// Forking, pinning, and telling the parent what went wrong.
#include "tool/bench/bench_workers.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <string>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

namespace {

void pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (processor >= 0 && processor < CPU_SETSIZE) CPU_SET(static_cast<unsigned>(processor), &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return;
  throw Failure(ExitCode::failed, "bench: --pin " + std::to_string(processor) + ": " + std::strerror(errno));
}

void tell_failure(BenchShared& shared, const std::string& message, ExitCode code) noexcept {
  std::uint64_t expected = 0;
  if (!shared.failed.value.compare_exchange_strong(expected, static_cast<std::uint64_t>(code))) return;
  store_text(shared.error, message);
}

/// The exit code of the worker.
int run_worker(BenchShared& shared, const std::function<void()>& work) noexcept {
  try {
    constexpr unsigned k_nap_us = 200;
    while (shared.go.value.load(std::memory_order_acquire) == 0)
      usleep(k_nap_us);  // pairs with the release of the parent
    work();
    return 0;
  } catch (const Failure& failure) {
    tell_failure(shared, failure.what(), failure.code());
  } catch (const Error& error) {
    tell_failure(shared, error.what(), exit_code_of(error.reason()));
  } catch (const std::exception& error) {
    tell_failure(shared, error.what(), ExitCode::failed);
  }
  return 1;
}

}  // namespace

Workers::Workers(BenchShared& shared, std::uint32_t count, const std::vector<int>& processors,
                 const std::function<void(std::uint32_t worker)>& work)
    : shared_(shared) {
  const pid_t parent = getpid();
  for (std::uint32_t worker = 0; worker < count; ++worker) {
    const pid_t child = fork();
    if (child < 0) throw Failure(ExitCode::failed, std::string("bench: fork: ") + std::strerror(errno));
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      // A terminal sends Ctrl-C to all of us; the parent decides.
      for (const int signal : {SIGINT, SIGHUP}) std::signal(signal, SIG_IGN);
      _exit(run_worker(shared, [&] {
        if (worker < processors.size()) pin(processors[worker]);
        work(worker);
      }));
    }
    running_.push_back(child);
  }
}

Workers::~Workers() {
  for (const pid_t child : running_) kill(child, SIGKILL);
  for (const pid_t child : running_) waitpid(child, nullptr, 0);
}

bool Workers::going_well() {
  for (std::size_t i = 0; i < running_.size();) {
    int status = 0;
    if (waitpid(running_[i], &status, WNOHANG) == 0) {
      ++i;
      continue;
    }
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) failed_ = true;
  }
  return !failed_ && !running_.empty();
}

void Workers::throw_failure() const {
  if (!failed_) return;
  const std::uint64_t code = shared_.failed.value.load(std::memory_order_acquire);
  if (code == 0) throw Failure(ExitCode::failed, "bench: a worker process was killed");
  throw Failure(static_cast<ExitCode>(code), shared_.error.data());
}

}  // namespace beltway::tool
