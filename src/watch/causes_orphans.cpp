// Endpoints whose process has ended while another one keeps their memory. See causes.hpp and memory_keepers.hpp.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <optional>
#include <utility>

#include "watch/causes.hpp"

namespace beltway::watch {

namespace {

/// One command that ends all of them.
std::vector<Remedy> remedies_for_keepers(const std::vector<int>& keepers) {
  if (keepers.empty()) return {};
  std::string numbers;
  bool is_stopped = false;
  for (const int pid : keepers) {
    numbers += " " + std::to_string(pid);
    const std::optional<ProcessInfo> process = process_info(pid);
    is_stopped = is_stopped || (process && process->stopped());
  }
  return {{(is_stopped ? "kill -KILL" : "kill") + numbers,
           keepers.size() == 1 ? "ends the process that keeps the memory" : "ends the processes that keep the memory"}};
}

std::string keepers_text(const std::vector<int>& keepers) {
  std::string text;
  for (const int pid : keepers) text += (text.empty() ? "" : " and ") + process_text(pid);
  return text;
}

Cause cause_of(const EndpointInfo& endpoint, const std::vector<int>& keepers) {
  Cause cause{.kind = "orphan", .blocks = false, .group = endpoint.group, .pid = endpoint.pid};
  (endpoint.producer ? cause.producer : cause.consumer) = endpoint.index;
  cause.text = std::string(endpoint.producer ? "producer " : "consumer ") + std::to_string(endpoint.index) + " (" +
               process_text(endpoint.pid) + ") has no connection any more, but its memory is still mapped";
  if (has_threads(endpoint.pid)) {
    cause.text += " by other threads of it: its place is free when they end";
    cause.remedies = remedies_for_process(endpoint.pid);
  } else if (!keepers.empty()) {
    cause.text += ", maybe by a child of it: its place is free when " + keepers_text(keepers) +
                  (keepers.size() == 1 ? " ends" : " end");
    cause.remedies = remedies_for_keepers(keepers);
  } else {
    cause.text +=
        ", maybe by a child of it: its place is free when that ends; which process that is cannot be seen from here: "
        "ask "
        "as root, on the daemon's machine and outside of containers";
  }
  return cause;
}

}  // namespace

bool is_orphan(const EndpointInfo& endpoint) {
  // Of a process of another pid namespace nothing is known.
  if (!endpoint.orphan || endpoint.pid <= 0) return false;
  // A process that lives has only not asked for anything since the daemon was started anew.
  if (const std::optional<ProcessInfo> process = process_info(endpoint.pid)) return process->state == RunState::ended;
  const bool is_hidden = ::kill(endpoint.pid, 0) == 0 || errno == EPERM;  // /proc may hide processes of other users
  return !is_hidden;
}

void add_orphans(const QueueSnapshot& snapshot, const LookContext& around, std::vector<Cause>& causes) {
  std::vector<Cause> orphans;
  const auto add = [&](const EndpointInfo& endpoint) {
    if (is_orphan(endpoint)) orphans.push_back(cause_of(endpoint, around.keepers));
  };
  for (const ProducerState& producer : snapshot.producers) add(producer.endpoint);
  for (const ConsumerState& consumer : snapshot.consumers) add(consumer.endpoint);
  for (Cause& cause : causes) {
    const auto root = std::ranges::find_if(orphans, [&cause](const Cause& orphan) {
      return orphan.producer == cause.producer && orphan.consumer == cause.consumer && orphan.pid == cause.pid;
    });
    if (root != orphans.end() && cause.remedies.empty()) cause.remedies = root->remedies;
  }
  std::ranges::move(orphans, std::back_inserter(causes));
}

}  // namespace beltway::watch
