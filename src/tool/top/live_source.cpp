#include "tool/top/live_source.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

#include "tool/text/payload_text.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

/// Enough of a payload for a wide screen.
constexpr std::size_t k_listed_bytes = 512;
/// Of one message. More would not be read line by line.
constexpr std::size_t k_shown_bytes = 256 * 1024;
/// Bytes that a search copies at once.
constexpr std::size_t k_copied_bytes = std::size_t{64} << 20;
/// The screen says that the daemon is silent; acts and messages need not wait as long as a program would.
constexpr std::chrono::milliseconds k_patience{3000};

ConnectionOptions patient(ConnectionOptions options) {
  options.timeout = std::min(options.timeout, k_patience);
  options.start_daemon = false;
  return options;
}

ProcessLabel label_of(const watch::ProcessInfo& process) {
  return {.name = process.name, .state = process.stopped() ? std::string(watch::name_of(process)) : std::string()};
}

}  // namespace

LiveSource::LiveSource(const watch::WatcherOptions& options, ActFunction act)
    : watcher_(options), connection_(Connection::open(patient(options.connection))), act_(std::move(act)) {}

std::shared_ptr<const watch::Fleet> LiveSource::sample() {
  watcher_.sample();
  return std::make_shared<const watch::Fleet>(watcher_.fleet());
}

LookResult LiveSource::look(const std::string& queue) try {
  std::optional<watch::QueueDetail> detail = watcher_.detail(queue);
  if (!detail)
    return {.open = nullptr, .trouble = "queue " + queue + " does not exist any more, or you have no right to read it"};
  auto open = std::make_shared<OpenQueue>();
  open->detail = std::move(*detail);
  const auto add_user = [&](std::uint32_t uid) {
    const auto known = users_.find(uid);
    open->users[uid] = known != users_.end() ? known->second : users_.emplace(uid, watch::user_name(uid)).first->second;
  };
  add_user(open->detail.snapshot.info.owner_uid);
  const auto add = [&](const EndpointInfo& endpoint) {
    add_user(endpoint.uid);
    if (open->processes.contains(endpoint.pid)) return;
    if (const auto process = watch::process_info(endpoint.pid)) open->processes[endpoint.pid] = label_of(*process);
  };
  for (const ConsumerState& consumer : open->detail.snapshot.consumers) add(consumer.endpoint);
  for (const ProducerState& producer : open->detail.snapshot.producers) add(producer.endpoint);
  return {.open = std::move(open), .trouble = {}};
} catch (const std::exception& error) {
  return {.open = nullptr, .trouble = error.what()};
}

MessageList LiveSource::messages(const std::string& queue, const std::string& group,
                                 std::optional<std::uint64_t> from) {
  MessageList list{.queue = queue, .group = group, .from = from};
  try {
    const Queue handle = connection_.open_queue(queue);
    list.messages =
        handle.peek({.count = k_most_listed + 1, .max_bytes = k_listed_bytes, .group = group, .from = from});
    list.cut = list.messages.size() > k_most_listed;
    if (list.cut) list.messages.resize(k_most_listed);
    if (!from) return list;
    const std::vector<PeekedMessage> oldest = handle.peek({.count = 1, .max_bytes = 0, .group = group});
    list.more_before =
        !oldest.empty() && (list.messages.empty() || oldest[0].position < list.messages.front().position);
  } catch (const std::exception& error) {
    list.trouble = error.what();
  }
  return list;
}

OpenMessage LiveSource::message(const std::string& queue, const std::string& group, std::uint64_t position) try {
  std::vector<PeekedMessage> found =
      connection_.open_queue(queue).peek({.count = 1, .max_bytes = k_shown_bytes, .group = group, .from = position});
  if (!found.empty() && found[0].position == position) return {.message = std::move(found[0])};
  return {.trouble = "the message at position " + std::to_string(position) + " is not there any more"};
} catch (const std::exception& error) {
  return {.trouble = error.what()};
}

SearchResult LiveSource::search(const std::string& queue, const std::string& group, const std::string& text,
                                std::uint64_t after) try {
  const Queue handle = connection_.open_queue(queue);
  // Producers may be as fast as the search: it ends where the queue ended when it began.
  const std::uint64_t end = handle.snapshot().position;
  while (after < end) {
    const std::vector<PeekedMessage> part = handle.peek(
        {.count = k_most_listed, .max_bytes = k_copied_bytes / k_most_listed, .group = group, .from = after + 1});
    for (const PeekedMessage& message : part) {
      if (as_text(message.bytes).find(text) != std::string_view::npos)
        return {.position = message.position, .trouble = {}};
    }
    if (part.size() < k_most_listed) break;
    after = part.back().position;
  }
  return {};
} catch (const std::exception& error) {
  return {.position = {}, .trouble = error.what()};
}

ActResult LiveSource::perform(const Act& act, const std::stop_token& stop) try {
  return {.done = true, .text = act_(connection_, act, stop)};
} catch (const std::exception& error) {
  return {.done = false, .text = error.what()};
}

}  // namespace beltway::tool
