// Processes and temporary queues of a bench.
#include "tool/bench/bench_run.hpp"

#include <unistd.h>

#include <random>

#include "beltway/connection.hpp"
#include "tool/bench/bench_worker.hpp"
#include "tool/bench/bench_workers.hpp"
#include "tool/process/interrupt.hpp"

namespace beltway::tool {

namespace {

constexpr std::chrono::milliseconds k_worker_check_ms{20};

/// Queues that go with this object.
class TemporaryQueues {
 public:
  explicit TemporaryQueues(Connection connection) : connection_(std::move(connection)) {}
  ~TemporaryQueues() {
    for (const std::string& name : names_) {
      try {
        connection_.remove(name);
      } catch (const Error&) {
        continue;  // the daemon is gone, and the queue with it; or another process was quicker
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

BenchOutcome run_bench(const BenchPlan& plan, const ConnectionOptions& options, Progress::When progress) {
  BenchShared& shared = make_bench_shared();
  // First: they must be made before there is a connection or a thread.
  Workers workers(shared, plan.producers + plan.consumers, plan.processors,
                  [&](std::uint32_t worker) { run_bench_worker(shared, plan, worker); });
  const Connection connection = Connection::open(options);
  store_text(shared.queue, unique_name());
  store_text(shared.socket, connection.ping().socket);
  BenchOutcome outcome{&shared, bench_queue(plan), ExitCode::done};
  // Before the queues, so that Ctrl-C cannot come between their making and their remover.
  const Interrupt interrupt;
  TemporaryQueues queues(connection);
  queues.declare(bench_queue_there(shared), outcome.queue);
  if (plan.kind == BenchKind::latency) queues.declare(bench_queue_back(shared), outcome.queue);
  shared.go.value.store(1, std::memory_order_release);  // pairs with the acquire in Workers
  const Progress shown(progress, plan.kind == BenchKind::latency ? "bench latency" : "bench throughput");
  while (workers.going_well()) {
    if (!sleep_until(std::chrono::steady_clock::now() + k_worker_check_ms, interrupt.token())) {
      outcome.code = interrupt.exit_code();
      return outcome;
    }
  }
  workers.throw_failure();
  return outcome;
}

}  // namespace beltway::tool
