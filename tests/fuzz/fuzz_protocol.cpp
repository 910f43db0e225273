// Messages of the protocol as a client or the daemon receives them. The first character says which; what follows is the
// message's text, so that a corpus can be read:
//
//   c a packet, through a socket    o options    d description    a attach request    r reply to it
//   e endpoint name                 s start      x error of a reply    k a queue's record, as an earlier daemon has left it
//   v a page of events              j an event in the journal that an earlier daemon has left
//
// Anything but a result or an Error is a bug.
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "client/channel.hpp"
#include "ring/queue_memory.hpp"
#include "survival/event_journal.hpp"
#include "survival/record_text.hpp"
#include "wire/events_json.hpp"
#include "wire/protocol.hpp"

namespace {

using namespace beltway;
using namespace beltway::client;
using namespace beltway::os;
using namespace beltway::ring;

constexpr Geometry k_geometry{
    .slots = 16, .slot_bytes = 64, .lane_bytes = 4096, .max_producers = 4, .max_consumers = 4, .max_groups = 2};

void through_a_socket(std::string_view text) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
  const Fd sender(ends[0]);
  Channel channel{Fd(ends[1])};
  if (::send(sender.get(), text.data(), text.size(), 0) < 0) return;
  Packet packet;
  static_cast<void>(channel.receive(packet, std::chrono::steady_clock::now()));
}

void decode(char kind, const nlohmann::json& body) {
  switch (kind) {
    case 'o': {
      const QueueOptions options = wire::decode_options(body, "fuzz");
      if (wire::decode_options(wire::encode(options), "fuzz").slots != options.slots) std::abort();
      break;
    }
    case 'd': {
      const wire::Description description = wire::decode_description(body, "fuzz");
      if (description.group_indexes.size() != description.info.options.groups.size()) std::abort();
      static_cast<void>(wire::encode(description));
      break;
    }
    case 'a': static_cast<void>(wire::encode(wire::decode_attach_request(body, "fuzz"))); break;
    case 'r':
      for (const auto role : {wire::Role::producer, wire::Role::consumer}) {
        const wire::AttachRequest request{.role = role};
        const auto reply = wire::decode_attach_reply(body, request, k_geometry, "fuzz");
        const QueueMemory memory{.geometry = k_geometry};
        if (!memory.is_endpoint(reply.endpoint) || reply.group >= k_geometry.groups()) std::abort();
      }
      break;
    case 'e': static_cast<void>(wire::encode(wire::decode_endpoint_name(body, "fuzz"))); break;
    case 's': static_cast<void>(wire::decode_start(body, "fuzz")); break;
    case 'k': {
      const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      static_cast<void>(daemon::decode_stamp(text));
      const daemon::QueueRecord record = daemon::decode_record(text);
      if (daemon::decode_record(daemon::encode(record)).name != record.name) std::abort();
      break;
    }
    case 'v': static_cast<void>(wire::encode(wire::decode_event_page(body, "fuzz"))); break;
    case 'j': {
      const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      const daemon::StoredEvent stored = daemon::decode_stored_event(text);
      if (daemon::decode_stored_event(daemon::encode(stored)).event.kind != stored.event.kind) std::abort();
      break;
    }
    default: wire::throw_if_error(body); break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    if (data[0] == 'c') {
      through_a_socket(text);
      return 0;
    }
    const nlohmann::json body = nlohmann::json::parse(text, nullptr, false);
    if (!body.is_discarded()) decode(static_cast<char>(data[0]), body);
  } catch (const Error&) {
  }
  return 0;
}
