// The protocol between a process and the daemon, version 2.
//
// Transport: a SOCK_SEQPACKET Unix socket. Each packet is one JSON object of at most k_max_protocol_bytes; descriptors come by
// SCM_RIGHTS, at most 253, and `fds` is their number (missing: none). Only replies to `attach` carry any, and the reply to a
// `declare` that made an exclusive queue: a description of control with byte k_queue_owner locked, the process's to keep. The
// socket names the process that asks (SO_PEERCRED, SO_PEERGROUPS), never a message.
//
// Every request has `op` and `n`, a number that its reply repeats; requests are answered in order, one at a time.
// A reply is `{n, ...}` or `{n, error: {errc, message}}`, errc being the name of an Errc. After an error of errc
// "protocol" the daemon closes the connection. Unknown fields are ignored, except options: one that the daemon does
// not know it cannot keep, so it refuses it.
//
// The first request must be `hello`; both sides refuse another `protocol`.
//
//   op            request                                             reply
//   hello         protocol, version, layout                           protocol, version, pid
//   ping          -                                                   version, layout, pid, uid, socket, log, log_lost,
//                                                                     held, passed_over
//   declare       name, options, said: [names of options] if only     queue (without endpoints), created, changed:
//                 these are asked for                                 [{option, group if it is one's, from, to}]
//   open          name                                                queue (without endpoints)
//   describe      name or queue id                                    queue
//   list          after: a name ("" from the beginning)               queues (by name), more: ask again after the last
//   remove        name, force                                         -
//   attach        queue id, role, barriers, bells, and for a          endpoint, incarnation, bells; consumers: group
//                 consumer group, create_group, lossy, start,         (index), group_incarnation, kind, start, evictable,
//                 prefetch                                            dead_letter
//   detach        queue id, endpoint, incarnation                     none: a destructor does not wait
//   filled        queue id, endpoint, incarnation                     none: see promised
//   resume        endpoints: [{queue, endpoint, incarnation}]         gone, refused: [index into endpoints]
//   add_group     queue id, group (to be made), start                 -
//   remove_group  queue id, group, force                              -
//   purge         queue id, group                                     messages: how many were acknowledged; left, used and
//                                                                     holders: [{endpoint, pid, messages, oldest}] as in
//                                                                     PurgeResult (missing from an older daemon)
//   pause_group   queue id, group                                     -
//   resume_group  queue id, group                                     -
//   reset_group   queue id, group, to: "oldest", "latest", a          position, acknowledged, restored, held: as in
//                 position or {published_us}: since 1970              ResetResult
//
//   evict         queue id, consumer: its index                       -
//   ack_message   queue id, group, position; moved_to: a queue, for   -
//                 the event (missing: not moved)
//   hold_message  queue id, group, position, for_ms                   waited_ms: how long it would have waited otherwise
//   events        since: a sequence number, count                     journal, events, first, last, next, more: EventPage
//                                                                     (events_json.hpp)
//
//   queue id      a number below 2^53, never used again
//   options       the fields of QueueOptions (options_schema.hpp); fence "asymmetric" or "symmetric"; type {name, size,
//                 alignment}
//                 if typed; missing ones have their defaults
//   said          a queue that exists is compared in these options alone. evict_after_ms to discard, those of a group too,
//                 and description are changed to what was said, if the owner or root asks. Missing: all are compared and
//                 nothing is changed; the defaults of these options, and description, are not compared
//   group         its name; where it is to be made, also {name, options}: what it has of its own
//   queue         name, id, owner_uid, owner_gid, options (without groups), shared_bytes, and if there are any:
//                 description, exclusive, expire_after_ms, owner_pid (of an exclusive queue's process), expires_in_ms,
//                 groups: [{index, name, its own options (missing: the queue's), paused_ms (missing: not paused)}],
//                 endpoints: [{endpoint, pid, uid, group (index, or missing: private), lossy, evicted,
//                 evictable, orphan, leaving (index, instead of group: it was removed), prefetch (missing: 0)}],
//                 leaving: [{index, name}]: groups that were removed and are not over yet (missing: none)
//                 missing_dead_letter_queues: [names] that dead_letter has and that do not exist (missing: none),
//                 reader: the earliest layout whose programs may attach, reader_option: what needs it (missing: major.0)
//   layout        of hello: that the client knows, e.g. "4.0" (missing: major.0); of ping: of the queues that this daemon makes
//   force         also if other queues send their dead letters there (missing: false)
//   passed_over   the program that was to run in the place of this daemon, and why it does not (missing: this one was)
//   held          queues that the daemon keeps and cannot read, made by another version: [{name, layout, why}]
//   role          "producer" (needs w), "consumer" (needs r), "inspector" (needs r; gets no endpoint)
//   endpoint      owner number: producers 0 to 63, consumers 64 to 127; in detach and resume also k_queue_owner
//   barriers      whether the process is registered for membarrier; without it the queue turns to symmetric fences
//   bells         request: true to be sent the queue's eventfds; reply: how many were sent (k_bells or 0)
//   start         request: "latest" or "oldest"; reply: the floor of the private group
//   kind          "named", "private" or "lossy"
//   promised      producers of queues with lanes: bytes of lanes that the daemon has promised to others, which have not said
//                 `filled` yet. A producer that finds too little memory for all of them detaches and asks again a little later.
//                 Missing: the daemon does not count, and does not know `filled`
//   evictable     whether the daemon may evict it, so that it checks for that (missing: no)
//   dead_letter   consumers: the queue that messages go to that their group gives up (missing: none)
//   producers_ended  how many producers had come and gone before the attach, for the end of the stream (missing: not said)
//
// Descriptors of an attach, in this order: control, ring, heap (if lane_bytes is not 0), then the eventfds. Control
// is open for reading and writing, except an inspector's; ring and heap are writable for producers only. The
// endpoint lives as long as this very description of control: it carries an open-file-description lock on byte
// `endpoint index`, which is gone when the mapping and all descriptors of it are. So map it, close it, and unmap it
// to detach, before the message `detach` asks the daemon to check the lock.
//
// resume: what a process says after its connection broke: which endpoints it still has mapped. They belong to the new
// connection then. `gone`: the daemon does not know the queue or the endpoint. `refused`: the endpoint is another process's.
// Both concern the asker alone. A refused endpoint goes on: the daemon awaits its end by its lock.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/error.hpp"
#include "beltway/info.hpp"
#include "beltway/options.hpp"
#include "ring/layout.hpp"
#include "wire/options_json.hpp"

namespace beltway::wire {

/// Queue ids stay exact in every JSON reader.
inline constexpr std::uint64_t k_max_queue_id = (1ULL << 53) - 1;

/// In place of an endpoint's number, with incarnation 0: the process that an exclusive queue belongs to. It is also the byte of
/// control that this process has locked. No endpoint has it.
inline constexpr unsigned k_queue_owner = 255;

enum class Role : std::uint8_t { producer, consumer, inspector };

/// What `queue` holds. `group_indexes` goes with info.options.groups.
struct Description {
  QueueInfo info;
  std::vector<unsigned> group_indexes;
  struct Leaving {
    unsigned index = 0;
    std::string name;
  };
  std::vector<Leaving> leaving = {};
};

struct AttachRequest {
  std::uint64_t queue = 0;
  Role role = Role::inspector;
  bool barriers = false;
  bool bells = false;
  ConsumerOptions consumer = {};  ///< of a consumer; what is not sent has its default at the daemon
  ProducerOptions producer = {};  ///< likewise
};

struct AttachReply {
  unsigned endpoint = 0;
  std::uint32_t incarnation = 0;
  std::uint32_t bells = 0;
  unsigned group = 0;
  std::uint32_t group_incarnation = 0;
  ring::GroupKind kind = ring::GroupKind::private_reliable;
  ring::Position start = 0;
  bool evictable = false;
  /// Consumers: how many producers had come and gone before. Nothing: the daemon does not say.
  std::optional<std::uint64_t> producers_ended = std::nullopt;
  /// Named producers: the index of their sequence record.
  std::optional<std::uint32_t> sequence_record = std::nullopt;
  /// Producers of queues with lanes: bytes of lanes that others were promised and have not filled. Nothing: no daemon counts.
  std::optional<std::uint64_t> promised = std::nullopt;
  /// Consumers of a named group: the queue that its failed messages go to; empty: none.
  std::string dead_letter = {};
};

/// Where a reset lets a group begin: at `position`, at the first message since `published_us`, or at `start` if there is neither.
struct ResetTarget {
  Start start = Start::latest;
  std::optional<std::uint64_t> position = std::nullopt;
  std::optional<std::uint64_t> published_us = std::nullopt;  ///< since 1970, CLOCK_REALTIME
};

/// One attached endpoint by name, as in `detach` and `resume`.
struct EndpointName {
  std::uint64_t queue = 0;
  unsigned endpoint = 0;
  std::uint32_t incarnation = 0;

  bool operator==(const EndpointName&) const = default;
};

[[nodiscard]] json encode(const OptionChange& change);
[[nodiscard]] json encode(const Description& description);
[[nodiscard]] json encode(const AttachRequest& request);
[[nodiscard]] json encode(const AttachReply& reply);
[[nodiscard]] json encode(const EndpointName& name);
[[nodiscard]] json encode(const PurgeResult& result);
[[nodiscard]] json encode(const ResetResult& result);
/// The value of `to`.
[[nodiscard]] json encode(const ResetTarget& target);
[[nodiscard]] json encode(const Error& error);

/// `context`: operation and object, for errors. All throw Error(protocol) for what does not keep the protocol, and
/// Error(invalid_option) for options and names out of their ranges.
/// The names in `said` of a declare; nothing: all options were said.
[[nodiscard]] std::optional<std::vector<std::string>> decode_said(const json& request, const std::string& context);
[[nodiscard]] OptionChange decode_change(const json& object, const std::string& context);
[[nodiscard]] Description decode_description(const json& object, const std::string& context);
[[nodiscard]] AttachRequest decode_attach_request(const json& object, const std::string& context);
[[nodiscard]] AttachReply decode_attach_reply(const json& object, const AttachRequest& request,
                                              const ring::Geometry& geometry, const std::string& context);
[[nodiscard]] EndpointName decode_endpoint_name(const json& object, const std::string& context);
[[nodiscard]] PurgeResult decode_purge_result(const json& object, const std::string& context);
[[nodiscard]] ResetResult decode_reset_result(const json& object, const std::string& context);
/// From the field `to` of a request.
[[nodiscard]] ResetTarget decode_reset_target(const json& request, const std::string& context);
[[nodiscard]] Start decode_start(const json& object, const std::string& context);

/// Where `group` stands in info.options.groups, if it is there.
[[nodiscard]] std::optional<std::size_t> find_group(const Description& description, std::string_view group) noexcept;

/// Throws what a reply's `error` says, if it has one.
void throw_if_error(const json& reply);

}  // namespace beltway::wire
