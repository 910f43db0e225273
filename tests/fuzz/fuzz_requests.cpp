// The daemon's answers: a line an input's request, all of one connection, over a registry of real queues that keeps nothing.
// What is attached stays so until the end; then the connection is gone, and all is repaired and removed.
//
// Anything but an answer is a bug, and so is a queue that is still attached to afterwards.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "queues/registry.hpp"
#include "service/requests.hpp"

namespace {

using namespace beltway;
using namespace beltway::os;

constexpr daemon::Quotas k_quotas{.queues_per_user = 3, .bytes_per_user = 4U << 20, .connections_per_user = 1};
constexpr std::uint64_t k_session = 7;
constexpr std::size_t k_most_requests = 24;

/// Queue ids are random numbers: a small one means the queue that comes so far down the list.
void name_queue(const daemon::Registry& registry, nlohmann::json& object) {
  if (!object.is_object() || !object.contains("queue") || !object["queue"].is_number_unsigned()) return;
  std::uint64_t index = object["queue"];
  for (const auto& [name, queue] : registry.queues()) {
    if (index-- == 0) object["queue"] = queue->record().id;
  }
}

void ask(daemon::Caller& caller, std::string_view line, std::vector<Fd>& held) {
  nlohmann::json request = nlohmann::json::parse(line, nullptr, false);
  if (request.is_discarded() || !request.is_object()) return;
  name_queue(caller.registry, request);
  if (request.contains("endpoints") && request["endpoints"].is_array()) {
    for (nlohmann::json& each : request["endpoints"]) name_queue(caller.registry, each);
  }
  std::optional<daemon::Reply> reply = daemon::answer(caller, request);
  if (!reply) return;
  static_cast<void>(reply->body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  for (Fd& each : reply->owned) held.push_back(std::move(each));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  daemon::DescriptorStore store;
  daemon::SavedQueues keep(store);
  daemon::Registry registry(k_quotas, keep);
  const daemon::Peer peer{.pid = ::getpid(), .uid = 1001, .gid = 1001};
  daemon::Caller caller{registry, peer, k_session, "/nowhere", true};
  std::vector<Fd> held;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::size_t i = 0; i < k_most_requests && !text.empty(); ++i) {
    const std::size_t end = text.find('\n');
    ask(caller, text.substr(0, end), held);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  held.clear();
  registry.session_ended(k_session, caller.endpoints);
  if (registry.reap_pending() != 0) std::abort();
  for (const auto& [name, queue] : registry.queues()) {
    if (queue->record().options.exclusive) std::abort();  // its process has closed all
    for (const auto& endpoint : queue->record().endpoints) {
      if (endpoint.attached) std::abort();
    }
  }
  registry.remove_all();
  return 0;
}
