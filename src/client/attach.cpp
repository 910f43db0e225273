#include "client/attach.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "client/dead_letter_route.hpp"
#include "os/bell.hpp"
#include "os/cancel_guard.hpp"
#include "os/fork_section.hpp"
#include "os/kernel.hpp"
#include "os/memory_probe.hpp"
#include "wire/validate.hpp"

namespace beltway::client {

namespace {

using wire::AttachReply;
using wire::AttachRequest;
using wire::Role;

/// The descriptors of a queue, from arrival to mapping. All happens inside a ForkSection: a forked child must not get
/// `control`, which carries the endpoint's lock.
class ArrivingSegments : public Arrivals {
 public:
  ArrivingSegments(const ring::Geometry& geometry, Role role) : geometry_(geometry), role_(role) {}

  void arrived(std::span<int> descriptors, const os::ForkSection& section) noexcept override;
  void had_no_room() noexcept override { no_room_ = true; }

  [[nodiscard]] std::size_t segments() const noexcept { return geometry_.lane_bytes == 0 ? 2 : 3; }
  [[nodiscard]] bool no_room() const noexcept { return no_room_; }
  /// Throws unless all announced descriptors came, have the right sizes and are mapped. `bells`: how many were announced.
  void check(const QueueName& queue, std::size_t bells, const std::string& context) const;

  os::Mapping control;
  os::Mapping ring;
  os::Mapping heap;
  os::ForkClosedFd heap_descriptor;  ///< until the lanes are filled or populated

 private:
  [[nodiscard]] os::Access access() const noexcept {
    return role_ == Role::producer ? os::Access::read_write : os::Access::read_only;
  }
  void map(os::Mapping& mapping, int descriptor, std::uint64_t bytes, os::Access access) noexcept;

  const ring::Geometry geometry_;
  const Role role_;
  const os::MappingPlan plan_;
  std::size_t came_ = 0;
  bool no_room_ = false;
  os::SegmentFacts facts_[3];
  std::uint64_t bytes_[3] = {};
  std::size_t checked_ = 0;
  os::MappingFailure failure_;
};

void ArrivingSegments::map(os::Mapping& mapping, int descriptor, std::uint64_t bytes, os::Access access) noexcept {
  if (failure_) return;
  const os::SegmentFacts facts = os::inspect_segment(descriptor);
  facts_[checked_] = facts;
  bytes_[checked_++] = bytes;
  if (facts.sound(bytes)) mapping = os::Mapping(descriptor, {0, bytes}, access, plan_, failure_);
}

void ArrivingSegments::arrived(std::span<int> descriptors, const os::ForkSection& section) noexcept {
  came_ = descriptors.size();
  const bool first = checked_ == 0;
  if (first && came_ >= segments()) {
    map(control, descriptors[0], geometry_.control_bytes(),
        role_ == Role::inspector ? os::Access::read_only : os::Access::read_write);
    os::Fd(std::exchange(descriptors[0], -1)).reset();  // from here on the lock goes with the mapping
    map(ring, descriptors[1], geometry_.ring_bytes(), access());
    os::Fd(std::exchange(descriptors[1], -1)).reset();
    if (segments() == 3) {
      map(heap, descriptors[2], geometry_.heap_bytes(), access());
      heap_descriptor.adopt_in_section(std::exchange(descriptors[2], -1), section);
    }
    return;
  }
  // An unexpected number of descriptors: close all, so that no child inherits one.
  for (int& descriptor : descriptors) os::Fd(std::exchange(descriptor, -1)).reset();
}

/// Compares the segment's header with the daemon's reply.
void check_header(const os::Mapping& control, const QueueName& queue, const std::string& context) {
  ring::Header header{};  // copied once: peers can change it
  std::memcpy(&header, control.data(), sizeof header);
  if (header.magic != ring::k_magic) {
    throw Error(Errc::incompatible,
                context + ": its memory is not a Beltway queue; use the daemon's version of Beltway");
  }
  if (header.layout_major != ring::k_layout_major) {
    throw Error(Errc::incompatible, context + ": layout " + std::to_string(header.layout_major) + "." +
                                        std::to_string(header.layout_minor) + ", this library reads " +
                                        std::to_string(ring::k_layout_major) +
                                        ".x; restart the daemon with the same version");
  }
  const ring::Geometry& wanted = queue.geometry;
  const auto check = [&](const char* name, std::uint64_t there, std::uint64_t told) {
    if (there == told) return;
    throw Error(Errc::incompatible, context + ": its memory says " + name + " " + std::to_string(there) +
                                        ", the daemon says " + std::to_string(told) + "; remove and declare the queue");
  };
  check("queue id", header.queue_id, queue.id);
  check("ring bytes", header.ring_bytes, wanted.ring_bytes());
  check("heap bytes", header.heap_bytes, wanted.heap_bytes());
  check("control bytes", header.control_bytes, wanted.control_bytes());
  check("slots", header.slots, wanted.slots);
  check("slot_bytes", header.slot_bytes, wanted.slot_bytes);
  check("lane_bytes", header.lane_bytes, wanted.lane_bytes);
  check("max_producers", header.max_producers, wanted.max_producers);
  check("max_consumers", header.max_consumers, wanted.max_consumers);
  check("max_groups", header.max_groups, wanted.max_groups);
}

void ArrivingSegments::check(const QueueName& queue, std::size_t bells, const std::string& context) const {
  if (came_ != segments() + bells || (bells != 0 && bells != ring::k_bells) || checked_ == 0) {
    throw Error(Errc::protocol,
                context + ": the daemon sent " + std::to_string(came_) + " descriptors; use its version of Beltway");
  }
  for (std::size_t i = 0; i < checked_; ++i) facts_[i].check(bytes_[i], context);
  if (failure_) failure_.raise(context, bytes_[checked_ - 1]);
  check_header(control, queue, context);
}

/// The life of an endpoint from the daemon's reply on. Its end unmaps, closes, and sends `detach` to the daemon. In a forked
/// child it does nothing: the endpoint belongs to the parent.
class EndpointHold {
 public:
  EndpointHold(std::shared_ptr<Session> session, wire::EndpointName name) : session_(std::move(session)), name_(name) {}
  EndpointHold(const EndpointHold&) = delete;
  EndpointHold& operator=(const EndpointHold&) = delete;
  ~EndpointHold() {
    if (guard_.in_child()) return;
    const os::CancelGuard no_cancellation;
    if (remembered_) session_->forget(name_);
    arriving.reset();
    session_->tell_detached(name_);
  }

  void remember(const ring::QueueMemory& memory) {
    session_->remember(name_, memory);
    remembered_ = true;
  }

  void tell_filled() const noexcept { session_->tell_filled(name_); }

  std::unique_ptr<ArrivingSegments> arriving;  ///< its mapping of control carries the endpoint's lock
  std::shared_ptr<const Bells> bells;

 private:
  const detail::ForkGuard guard_;
  std::shared_ptr<Session> session_;
  wire::EndpointName name_;
  bool remembered_ = false;
};

os::SegmentRange lane_of(const ring::Geometry& geometry, unsigned producer) noexcept {
  return {producer * geometry.lane_bytes, geometry.lane_bytes};
}

void prepare_own_lane(const ArrivingSegments& arriving, const ring::Geometry& geometry, unsigned producer,
                      const MemoryOptions& options, std::uint64_t promised, const std::string& context) {
  const os::SegmentRange lane = lane_of(geometry, producer);
  // A lane that an earlier producer has filled needs nothing.
  if (arriving.heap.missing_bytes(lane) != 0) {
    os::fill_segment(arriving.heap_descriptor.get(), lane, context + ": fill the lane", promised);
  }
  if (options.populate) arriving.heap.populate(lane);
  if (options.lock) arriving.heap.lock(lane, context);
}

void prepare_lanes_to_read(const ArrivingSegments& arriving, const MemoryOptions& options, const std::string& context) {
  // Lanes without a producer have no memory yet. Their producers pay for it, so do not touch them here.
  if (options.populate) arriving.heap.populate_written(arriving.heap_descriptor.get());
  if (options.lock) arriving.heap.lock({0, arriving.heap.size()}, context);
}

/// The slow part of an attach: populate, lock and fill memory.
void prepare_memory(ArrivingSegments& arriving, const ring::Geometry& geometry, const AttachReply& reply,
                    const MemoryOptions& options, const std::string& context) {
  for (const os::Mapping* mapping : {&arriving.control, &arriving.ring}) {
    if (options.populate) mapping->populate();
    if (options.lock) mapping->lock({0, mapping->size()}, context);
  }
  arriving.ring.leave_out_of_core_dumps();
  arriving.heap.leave_out_of_core_dumps();
  if (!arriving.heap_descriptor) return;
  if (reply.endpoint < ring::k_first_consumer) {
    prepare_own_lane(arriving, geometry, reply.endpoint, options, reply.promised.value_or(0), context);
  } else {
    prepare_lanes_to_read(arriving, options, context);
  }
  arriving.heap_descriptor.close();
}

/// Files that this process has open; nothing if /proc cannot tell.
std::optional<std::size_t> count_open_files() noexcept {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) {
    ++count;
  }
  if (error || count == 0) return std::nullopt;
  return count - 1;  // minus the descriptor of this directory scan
}

[[noreturn]] void throw_no_room(std::size_t segments, bool bells, const std::string& context) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto open = count_open_files();
  throw Error(Errc::limit_reached, context + ": no room for its " + std::to_string(segments) + " file descriptors" +
                                       (bells ? " and its eventfds" : "") + "; this process may open " +
                                       std::to_string(limit.rlim_cur) + " files" +
                                       (open ? " and has " + std::to_string(*open) + " open" : std::string()) + "; " +
                                       os::descriptor_advice());
}

/// Sends `attach`; `memory` receives the descriptors.
Packet request_place(Session& session, const AttachRequest& request, ArrivingSegments& arriving,
                     const std::string& context, const Until* caller = nullptr) {
  try {
    if (caller != nullptr) return session.request_until(context, "attach", wire::encode(request), *caller, &arriving);
    return session.request(context, "attach", wire::encode(request), Repeat::allowed, &arriving);
  } catch (const Error&) {
    if (arriving.no_room()) throw_no_room(arriving.segments(), request.bells, context);
    throw;
  }
}

std::shared_ptr<const Bells> take_bells(Session& session, std::uint64_t queue, std::vector<os::Fd>& descriptors,
                                        std::size_t count, const std::string& context) {
  auto bells = std::make_shared<Bells>();
  for (std::size_t i = descriptors.size() - count; i < descriptors.size(); ++i) {
    os::require_mark(descriptors[i].get(), context);
    bells->numbers.push_back(descriptors[i].get());
    bells->owned.emplace_back(std::move(descriptors[i]));
  }
  session.remember_bells(queue, bells);
  return bells;
}

/// Checks that futex waits work. A wait that only spins would never show the failure.
void require_sleep(const std::string& context) {
  detail::Word word;
  word.store_relaxed(0);
  if (os::sleep_on(word, 1, os::now_ns()) != os::Slept::refused) return;
  throw os::system_failure(context + ": futex(FUTEX_WAIT_BITSET), with which waits sleep");
}

/// A place in a queue, its segments mapped and checked.
struct Place {
  AttachReply reply;
  std::shared_ptr<EndpointHold> hold;
};

Place take_place(const std::shared_ptr<Session>& session, const QueueName& queue, AttachRequest request,
                 const std::string& context, const Until* caller) {
  std::shared_ptr<const Bells> bells = session->find_bells(queue.id);
  request.bells = bells == nullptr;
  auto arriving = std::make_unique<ArrivingSegments>(queue.geometry, request.role);
  Packet packet = request_place(*session, request, *arriving, context, caller);
  const AttachReply reply = wire::decode_attach_reply(packet.body, request, queue.geometry, context);
  // From here on each failure ends the hold, which gives the place back.
  auto hold = std::make_shared<EndpointHold>(session, wire::EndpointName{queue.id, reply.endpoint, reply.incarnation});
  hold->arriving = std::move(arriving);
  if ((reply.bells == 0) == request.bells) throw Error(Errc::protocol, context + ": the daemon sent no eventfds");
  hold->arriving->check(queue, reply.bells, context);
  hold->bells = bells ? std::move(bells) : take_bells(*session, queue.id, packet.descriptors, reply.bells, context);
  return {reply, std::move(hold)};
}

/// True if the lane fits only without the promises to other producers. Those producers may be in other cgroups.
bool must_wait_for_others(const Place& place, const ring::Geometry& geometry) {
  if (place.reply.promised.value_or(0) == 0) return false;
  const std::uint64_t missing = place.hold->arriving->heap.missing_bytes(lane_of(geometry, place.reply.endpoint));
  return missing != 0 && os::memory_fit(missing, *place.reply.promised) == os::MemoryFit::promised;
}

/// Attaches. If promised memory is in the way, the producer detaches, pauses and tries again, at most until the timeout.
Place take_place_with_memory(const std::shared_ptr<Session>& session, const QueueName& queue,
                             const AttachRequest& request, const std::string& context, const Until* caller) {
  constexpr std::chrono::milliseconds k_first_pause_ms{2};
  constexpr std::chrono::milliseconds k_longest_pause_ms{100};
  const auto start = std::chrono::steady_clock::now();
  Place place = take_place(session, queue, request, context, caller);
  for (auto pause = k_first_pause_ms; must_wait_for_others(place, queue.geometry);
       pause = std::min(pause * 2, k_longest_pause_ms)) {
    if (std::chrono::steady_clock::now() - start >= session->patience() || (caller != nullptr && caller->is_over()))
      break;
    place = {};
    std::this_thread::sleep_for(pause);
    place = take_place(session, queue, request, context, caller);
  }
  return place;
}

}  // namespace

void beware_of_strangers(const QueueOptions& options) noexcept {
  if ((options.mode & 0066U) != 0) os::ring_without_waiting();
}

endpoint::Attachment attach_endpoint(const std::shared_ptr<Session>& session, const QueueName& queue,
                                     AttachRequest request, const MemoryOptions& options) {
  const os::CancelGuard no_cancellation;
  const std::string context = wire::error_subject("attach", queue.name);
  session->check_fork(context);
  require_sleep(context);
  request.queue = queue.id;
  request.barriers = session->barriers();
  const Place place = take_place_with_memory(session, queue, request, context, options.caller);
  const AttachReply& reply = place.reply;
  const std::shared_ptr<EndpointHold>& hold = place.hold;
  prepare_memory(*hold->arriving, queue.geometry, reply, options, context);
  if (reply.promised) hold->tell_filled();

  endpoint::Attachment attachment;
  attachment.memory = {.geometry = queue.geometry,
                       .ring = hold->arriving->ring.data(),
                       .heap = hold->arriving->heap.data(),
                       .control = hold->arriving->control.data(),
                       .bells = hold->bells->numbers.data()};
  attachment.owner = reply.endpoint;
  attachment.queue_name = queue.name;
  attachment.group_name = request.consumer.group;
  attachment.group = reply.group;
  attachment.kind = reply.kind;
  attachment.group_incarnation = reply.group_incarnation;
  attachment.start = reply.start;
  attachment.evictable = reply.evictable;
  attachment.producers_ended = reply.producers_ended;
  attachment.sequence_record = reply.sequence_record;
  hold->remember(attachment.memory);
  const wire::EndpointName own{queue.id, reply.endpoint, reply.incarnation};
  attachment.standing = endpoint::Standing([session, own] { return session->is_unknown(own); });
  attachment.hold = hold;
  if (request.role == Role::consumer && reply.kind == ring::GroupKind::named) {
    auto route = std::make_shared<DeadLetterRoute>(session, queue, request.consumer.group);
    if (!reply.dead_letter.empty()) route->open(reply.dead_letter);
    attachment.dead_letters = std::move(route);
  }
  return attachment;
}

Inspection attach_inspector(Session& session, const QueueName& queue, const Until* caller) {
  const os::CancelGuard no_cancellation;
  const std::string context = wire::error_subject("inspect", queue.name);
  const AttachRequest request{.queue = queue.id, .role = Role::inspector};
  ArrivingSegments arriving(queue.geometry, request.role);
  static_cast<void>(request_place(session, request, arriving, context, caller));
  arriving.check(queue, 0, context);
  arriving.heap_descriptor.close();
  Inspection inspection;
  inspection.ring = std::move(arriving.ring);
  inspection.control = std::move(arriving.control);
  inspection.heap = std::move(arriving.heap);
  for (const os::Mapping* mapping : {&inspection.ring, &inspection.heap}) mapping->leave_out_of_core_dumps();
  inspection.memory = {.geometry = queue.geometry,
                       .ring = inspection.ring.data(),
                       .heap = inspection.heap.data(),
                       .control = inspection.control.data(),
                       .bells = nullptr};
  return inspection;
}

}  // namespace beltway::client
