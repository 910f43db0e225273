#include "tool/commands/loss.hpp"

#include <algorithm>

namespace beltway::tool {

namespace {

void add_reader(Loss& loss, std::string name, std::uint64_t unread) {
  if (unread != 0) loss.readers.push_back({std::move(name), unread});
}

void add_group(Loss& loss, const GroupState& group) {
  add_reader(loss, "group " + group.name, group.available + group.leased + group.delayed);
}

}  // namespace

std::uint64_t Loss::unread() const noexcept {
  std::uint64_t most = 0;
  for (const Reader& reader : readers) most = std::max(most, reader.unread);
  return most;
}

Loss loss_of_queue(const QueueSnapshot& snapshot) {
  Loss loss{.readers = {}, .endpoints = snapshot.info.endpoints.size()};
  for (const GroupState& group : snapshot.groups) add_group(loss, group);
  for (const ConsumerState& consumer : snapshot.consumers) {
    const bool is_reliable = consumer.endpoint.group.empty() && !consumer.endpoint.lossy;
    if (is_reliable) add_reader(loss, "consumer " + std::to_string(consumer.endpoint.index), consumer.lag);
  }
  return loss;
}

Loss loss_of_group(const QueueSnapshot& snapshot, const std::string& group) {
  Loss loss;
  for (const GroupState& each : snapshot.groups) {
    if (each.name == group) add_group(loss, each);
  }
  loss.endpoints = static_cast<std::size_t>(std::ranges::count(snapshot.info.endpoints, group, &EndpointInfo::group));
  return loss;
}

std::string text_of(const Loss& loss) {
  const std::uint64_t unread = loss.unread();
  std::string text = std::to_string(unread) + " unread message" + (unread == 1 ? "" : "s");
  if (loss.readers.empty()) return text;
  std::string separator = " (";
  for (const Loss::Reader& reader : loss.readers) {
    text += separator + reader.name;
    if (loss.readers.size() > 1) text += " " + std::to_string(reader.unread);
    separator = ", ";
  }
  return text + ")";
}

}  // namespace beltway::tool
