// Verdicts about the daemon: other daemons of the user, other versions, quotas. See machine.hpp.
#include <algorithm>

#include "base/tool_command.hpp"
#include "watch/addressed.hpp"
#include "watch/format.hpp"
#include "watch/machine.hpp"
#include "watch/process_info.hpp"

namespace beltway::watch {

namespace {

void add_other_daemons(const Connection::DaemonInfo& daemon, std::vector<Verdict>& verdicts) {
  for (const OtherDaemon& other : daemon.others) {
    Verdict verdict{.kind = "two_daemons", .severity = Severity::warning, .subject = "this user has two daemons"};
    verdict.cause = "a program that meets the other one shares no queue with those that meet this one";
    verdict.evidence = "process " + std::to_string(daemon.pid) + " listens at " + daemon.socket + ", " +
                       (other.pid > 0 ? "process " + std::to_string(other.pid) : std::string("another process")) +
                       " at " + other.socket;
    if (other.pid > 0) verdict.pid = other.pid;
    if (other.pid > 0) {
      verdict.remedies = {{"kill " + std::to_string(other.pid),
                           "ends the other daemon and removes its queues with their messages: first see what it has"}};
    } else {
      verdict.forecast = "end one of them; which process the other one is cannot be seen from here";
    }
    verdict.remedies.push_back({addressed("beltway list", other.socket), "shows what the other daemon has"});
    verdicts.push_back(std::move(verdict));
  }
}

void add_versions(const Connection::DaemonInfo& daemon, std::vector<Verdict>& verdicts) {
  for (const Connection::HeldQueue& held : daemon.held) {
    Verdict verdict{.kind = "queue_of_other_version", .severity = Severity::warning, .queue = held.name};
    verdict.subject = held.name.empty() ? "a queue" : held.name;
    verdict.cause = "the daemon keeps it and does not serve it: " + held.why;
    if (!held.layout.empty())
      verdict.evidence = "its memory has layout " + held.layout + ", the daemon's " + daemon.layout;
    verdict.forecast = "attached processes go on; others cannot attach";
    if (!held.name.empty()) {
      verdict.remedies = {{tool_command("remove", {held.name}), "removes it with its messages; then declare it anew"}};
    }
    verdicts.push_back(std::move(verdict));
  }
  if (!daemon.passed_over.empty()) {
    Verdict verdict{.kind = "program_passed_over", .severity = Severity::warning, .subject = "the daemon"};
    verdict.cause = "a newer program was to run in its place, and does not: " + daemon.passed_over;
    verdict.evidence = "version " + daemon.version + " runs";
    if (daemon.pid > 0) {
      verdict.pid = daemon.pid;
      verdict.remedies = {
          {"kill -USR2 " + std::to_string(daemon.pid), "tries the newer program again, once its obstacle is gone"}};
    }
    verdicts.push_back(std::move(verdict));
  }
}

void add_lost_log(const Connection::DaemonInfo& daemon, std::vector<Verdict>& verdicts) {
  if (daemon.log_lost == 0) return;
  Verdict verdict{.kind = "log_lines_lost", .severity = Severity::note, .subject = "the daemon"};
  verdict.cause =
      "its log has dropped " + std::to_string(daemon.log_lost) + " lines: the log was not read, or its disk was full";
  if (!daemon.log.empty()) verdict.evidence = "the log is " + daemon.log;
  verdict.forecast =
      "nothing brings them back; free the disk of the log or let its reader read, so that no more are lost";
  verdicts.push_back(std::move(verdict));
}

/// A quota of 0 is no limit that is near: the user may have none, or an older daemon does not say it.
bool is_near_quota(std::uint64_t used, std::uint64_t most) {
  return most != 0 && static_cast<double>(used) >= k_near_limit * static_cast<double>(most);
}

/// A process that opens a connection for each message soon has all of them: that process is named.
void add_connections(const Fleet& fleet, std::vector<Verdict>& verdicts) {
  if (!fleet.quota) return;
  const client::Quota& quota = *fleet.quota;
  if (!is_near_quota(quota.connections, quota.max_connections)) return;
  Verdict verdict{.kind = "connections_low", .severity = Severity::warning, .subject = "this user's quota"};
  verdict.cause = "it has nearly as many connections as the daemon lets one user have";
  verdict.evidence =
      std::to_string(quota.connections) + " of " + std::to_string(quota.max_connections) + " connections";
  if (quota.most_pid > 0 && quota.most_connections > 1 && quota.most_connections <= quota.connections) {
    verdict.pid = quota.most_pid;
    verdict.evidence += ", " + std::to_string(quota.most_connections) + " of them by " + process_text(quota.most_pid);
    // Only if it is seen here, and the others alone are not near the quota.
    const bool is_mended = !is_near_quota(quota.connections - quota.most_connections, quota.max_connections);
    if (is_mended && process_info(quota.most_pid)) {
      verdict.remedies = {{"kill " + std::to_string(quota.most_pid), "ends that process and its connections"}};
    }
  }
  verdict.forecast =
      "programs of this user cannot connect; let a program open one connection and keep it; beltwayd "
      "--max-connections-per-user sets the quota";
  verdicts.push_back(std::move(verdict));
}

void add_quota(const Fleet& fleet, std::vector<Verdict>& verdicts) {
  if (!fleet.quota) return;
  const client::Quota& quota = *fleet.quota;
  const bool queues = is_near_quota(quota.queues, quota.max_queues);
  const bool bytes = is_near_quota(quota.bytes, quota.max_bytes);
  if (!queues && !bytes) return;
  Verdict verdict{.kind = "quota_low", .severity = Severity::warning, .subject = "this user's quota"};
  verdict.cause = queues ? "it has nearly as many queues as the daemon lets one user have"
                         : "its queues take nearly as much memory as the daemon lets one user have";
  verdict.evidence = std::to_string(quota.queues) + " of " + std::to_string(quota.max_queues) + " queues, " +
                     format_size(static_cast<double>(quota.bytes)) + " of " +
                     format_size(static_cast<double>(quota.max_bytes));
  verdict.remedies = remedies_by_removal(fleet);
  const std::string option = std::string("--max-") + (queues ? "queues" : "bytes") + "-per-user";
  verdict.forecast =
      "declare will be refused; " + (verdict.remedies.empty()
                                         ? "no queue is empty and unused: remove one that is not needed, or start "
                                           "beltwayd with a larger " +
                                               option
                                         : "beltwayd " + option + " sets the quota");
  verdicts.push_back(std::move(verdict));
}

}  // namespace

std::vector<Remedy> remedies_by_removal(const Fleet& fleet) {
  const QueueView* largest = nullptr;
  for (const QueueView& queue : fleet.queues) {
    const bool is_unused = queue.readable && queue.used == 0 && queue.parked == 0 && queue.info.endpoints.empty();
    if (!is_unused || (largest != nullptr && queue.info.shared_bytes <= largest->info.shared_bytes)) continue;
    largest = &queue;
  }
  if (largest == nullptr) return {};
  return {{tool_command("remove", {largest->info.name}), "removes a queue that is empty and that nothing uses"}};
}

std::vector<Verdict> daemon_verdicts(const Fleet& fleet) {
  std::vector<Verdict> verdicts;
  add_other_daemons(fleet.daemon, verdicts);
  add_versions(fleet.daemon, verdicts);
  add_quota(fleet, verdicts);
  add_connections(fleet, verdicts);
  add_lost_log(fleet.daemon, verdicts);
  return verdicts;
}

}  // namespace beltway::watch
