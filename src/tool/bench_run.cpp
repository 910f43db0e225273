// Processes and temporary queues of a bench.
#include "bench_run.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <random>

#include "beltway/connection.hpp"
#include "bench_worker.hpp"
#include "interrupt.hpp"

namespace beltway::tool {

namespace {

constexpr std::chrono::milliseconds k_look_at_workers_ms{20};

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

void work(BenchShared& shared, const BenchPlan& plan, std::uint32_t worker) noexcept {
  try {
    if (worker < plan.processors.size()) pin(plan.processors[worker]);
    constexpr unsigned k_nap_us = 200;
    while (shared.go.value.load(std::memory_order_acquire) == 0)
      usleep(k_nap_us);  // pairs with the release in run_bench
    run_bench_worker(shared, plan, worker);
    return;
  } catch (const Failure& failure) {
    tell_failure(shared, failure.what(), failure.code());
  } catch (const Error& error) {
    tell_failure(shared, error.what(), exit_code_of(error.reason()));
  } catch (const std::exception& error) {
    tell_failure(shared, error.what(), ExitCode::failed);
  }
  _exit(1);
}

/// The worker processes; none survives this object.
class Workers {
 public:
  Workers(BenchShared& shared, const BenchPlan& plan) {
    const pid_t parent = getpid();
    for (std::uint32_t worker = 0; worker < plan.producers + plan.consumers; ++worker) {
      const pid_t child = fork();
      if (child < 0) throw Failure(ExitCode::failed, std::string("bench: fork: ") + std::strerror(errno));
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        // A terminal sends Ctrl-C to all of us; the parent decides.
        for (const int signal : {SIGINT, SIGHUP}) std::signal(signal, SIG_IGN);
        work(shared, plan, worker);
        _exit(0);
      }
      running_.push_back(child);
    }
  }
  ~Workers() {
    for (const pid_t child : running_) kill(child, SIGKILL);
    for (const pid_t child : running_) waitpid(child, nullptr, 0);
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// True while somebody runs and nobody has failed.
  [[nodiscard]] bool going_well() {
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
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  std::vector<pid_t> running_;
  bool failed_ = false;
};

/// Queues that go with this object.
class TemporaryQueues {
 public:
  explicit TemporaryQueues(Connection connection) : connection_(std::move(connection)) {}
  ~TemporaryQueues() {
    for (const std::string& name : names_) {
      try {
        connection_.remove(name);
      } catch (const Error&) {
        // The daemon is gone, and the queue with it; or somebody was quicker.
      }
    }
  }
  TemporaryQueues(const TemporaryQueues&) = delete;
  TemporaryQueues& operator=(const TemporaryQueues&) = delete;

  void declare(const std::string& name, const QueueOptions& options) {
    static_cast<void>(connection_.declare(name, options));
    names_.push_back(name);
  }

 private:
  Connection connection_;
  std::vector<std::string> names_;
};

std::string unique_name() { return "bench/" + std::to_string(getpid()) + "-" + std::to_string(std::random_device{}()); }

}  // namespace

BenchOutcome run_bench(const BenchPlan& plan, const ConnectionOptions& options) {
  BenchShared& shared = make_bench_shared();
  Workers workers(shared, plan);  // first: they must be made before there is a connection or a thread
  const Connection connection = Connection::open(options);
  store_text(shared.queue, unique_name());
  store_text(shared.socket, connection.ping().socket);
  BenchOutcome outcome{&shared, bench_queue(plan), ExitCode::done};
  // Before the queues, so that Ctrl-C cannot come between their making and their remover.
  const Interrupt interrupt;
  TemporaryQueues queues(connection);
  queues.declare(bench_queue_there(shared), outcome.queue);
  if (plan.kind == BenchKind::latency) queues.declare(bench_queue_back(shared), outcome.queue);
  shared.go.value.store(1, std::memory_order_release);  // pairs with the acquire in work()
  while (workers.going_well()) {
    if (!sleep_until(std::chrono::steady_clock::now() + k_look_at_workers_ms, interrupt.token())) {
      outcome.code = interrupt.exit_code();
      return outcome;
    }
  }
  if (workers.failed()) {
    const std::uint64_t code = shared.failed.value.load(std::memory_order_acquire);
    if (code == 0) throw Failure(ExitCode::failed, "bench: a worker process was killed");
    throw Failure(static_cast<ExitCode>(code), shared.error.data());
  }
  return outcome;
}

}  // namespace beltway::tool
