#include "attach.hpp"

#include "validate.hpp"

namespace beltway::detail {
namespace {

using protocol::AttachReply;
using protocol::AttachRequest;
using protocol::Role;

/// What came with the answer, by name.
struct Segments {
  Fd control;
  Fd ring;
  Fd heap;
};

Segments take_segments(std::vector<Fd>& descriptors, const Geometry& geometry, std::size_t bells,
                       const std::string& what) {
  const std::size_t segments = geometry.lane_bytes == 0 ? 2 : 3;
  if (descriptors.size() != segments + bells || (bells != 0 && bells != k_bells)) {
    throw Error(Errc::protocol, what + ": the daemon sent " + std::to_string(descriptors.size()) +
                                    " descriptors; use its version of Beltway");
  }
  return {std::move(descriptors[0]), std::move(descriptors[1]), segments == 3 ? std::move(descriptors[2]) : Fd()};
}

/// Compares what the segment says of itself with what the daemon said, before anything of it is mapped.
void check_header(int control, const QueueName& queue, const std::string& what) {
  Header header{};
  if (::pread(control, &header, sizeof header, 0) != sizeof header) throw system_failure(what + ": read the header");
  if (header.magic != k_magic) {
    throw Error(Errc::incompatible, what + ": its memory is not a Beltway queue; use the daemon's version of Beltway");
  }
  if (header.layout_major != k_layout_major) {
    throw Error(Errc::incompatible, what + ": layout " + std::to_string(header.layout_major) + "." +
                                        std::to_string(header.layout_minor) + ", this library reads " +
                                        std::to_string(k_layout_major) +
                                        ".x; restart the daemon with the same version");
  }
  const Geometry& wanted = queue.geometry;
  const auto check = [&](const char* name, std::uint64_t there, std::uint64_t told) {
    if (there == told) return;
    throw Error(Errc::incompatible, what + ": its memory says " + name + " " + std::to_string(there) +
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

void check_segments(const Segments& segments, const QueueName& queue, const std::string& what) {
  check_segment(segments.control.get(), queue.geometry.control_bytes(), what);
  check_header(segments.control.get(), queue, what);
  check_segment(segments.ring.get(), queue.geometry.ring_bytes(), what);
  if (segments.heap) check_segment(segments.heap.get(), queue.geometry.heap_bytes(), what);
}

/// An endpoint's life, from the daemon's answer on: its end unmaps, closes and then asks the daemon to look. In a forked
/// child it does nothing: the endpoint is the parent's.
class Hold {
 public:
  Hold(std::shared_ptr<Session> session, protocol::EndpointName name) : session_(std::move(session)), name_(name) {}
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (guard_.in_child()) return;
    if (remembered_) session_->forget(name_);
    segments = {};
    ring = {};
    heap = {};
    control = {};
    session_->tell_detached(name_);
  }

  void remember(const QueueMap& map) {
    session_->remember(name_, map);
    remembered_ = true;
  }

  Segments segments;  ///< until they are mapped; control carries the endpoint's lock
  Mapping control;
  Mapping ring;
  Mapping heap;
  std::shared_ptr<const Bells> bells;

 private:
  const ForkGuard guard_;
  std::shared_ptr<Session> session_;
  protocol::EndpointName name_;
  bool remembered_ = false;
};

void map_lanes_to_write(Hold& hold, const Geometry& geometry, unsigned producer, const MemoryOptions& memory,
                        const std::string& what) {
  hold.heap = Mapping(hold.segments.heap.get(), {0, geometry.heap_bytes()}, Access::read_write, what);
  const SegmentRange lane{producer * geometry.lane_bytes, geometry.lane_bytes};
  // A lane that an earlier producer has filled needs nothing.
  if (hold.heap.missing_bytes(lane) != 0) fill_segment(hold.segments.heap.get(), lane, what + ": fill the lane");
  if (memory.populate) hold.heap.populate(lane);
  if (memory.lock) hold.heap.lock(lane, what);
}

void map_lanes_to_read(Hold& hold, const Geometry& geometry, const MemoryOptions& memory, const std::string& what) {
  hold.heap = Mapping(hold.segments.heap.get(), {0, geometry.heap_bytes()}, Access::read_only, what);
  // Lanes without a producer have no memory yet, and it is theirs to pay for.
  if (memory.populate) hold.heap.populate_written(hold.segments.heap.get());
  if (memory.lock) hold.heap.lock({0, geometry.heap_bytes()}, what);
}

void map_segments(Hold& hold, const Geometry& geometry, unsigned owner, const MemoryOptions& memory,
                  const std::string& what) {
  const bool producer = owner < k_first_consumer;
  hold.control = Mapping(hold.segments.control.get(), {0, geometry.control_bytes()}, Access::read_write, what);
  hold.ring = Mapping(hold.segments.ring.get(), {0, geometry.ring_bytes()},
                      producer ? Access::read_write : Access::read_only, what);
  for (const Mapping* mapping : {&hold.control, &hold.ring}) {
    if (memory.populate) mapping->populate();
    if (memory.lock) mapping->lock({0, mapping->size()}, what);
  }
  if (hold.segments.heap && producer) map_lanes_to_write(hold, geometry, owner, memory, what);
  if (hold.segments.heap && !producer) map_lanes_to_read(hold, geometry, memory, what);
  hold.segments = {};
}

std::shared_ptr<const Bells> take_bells(Session& session, std::uint64_t queue, std::vector<Fd>& descriptors,
                                        std::size_t count, const std::string& what) {
  auto bells = std::make_shared<Bells>();
  for (std::size_t i = descriptors.size() - count; i < descriptors.size(); ++i) {
    if (!is_marked(descriptors[i].get())) throw Error(Errc::protocol, what + ": an eventfd without the daemon's mark");
    bells->numbers.push_back(descriptors[i].get());
    bells->owned.emplace_back(std::move(descriptors[i]));
  }
  session.remember_bells(queue, bells);
  return bells;
}

}  // namespace

Attachment attach_endpoint(const std::shared_ptr<Session>& session, const QueueName& queue, AttachRequest request,
                           const MemoryOptions& memory) {
  const std::string what = about("attach", queue.name);
  std::shared_ptr<const Bells> bells = session->find_bells(queue.id);
  request.queue = queue.id;
  request.barriers = session->barriers();
  request.bells = bells == nullptr;
  Packet packet = session->request(what, "attach", protocol::encode(request));
  const AttachReply reply = protocol::decode_attach_reply(packet.body, request, queue.geometry, what);
  // From here on whatever goes wrong ends the hold, and so gives the place back.
  auto hold = std::make_shared<Hold>(session, protocol::EndpointName{queue.id, reply.endpoint, reply.incarnation});
  if ((reply.bells == 0) == request.bells) throw Error(Errc::protocol, what + ": the daemon sent no eventfds");
  hold->segments = take_segments(packet.descriptors, queue.geometry, reply.bells, what);
  hold->bells = bells ? std::move(bells) : take_bells(*session, queue.id, packet.descriptors, reply.bells, what);
  check_segments(hold->segments, queue, what);
  map_segments(*hold, queue.geometry, reply.endpoint, memory, what);

  Attachment attachment;
  attachment.map = {.geometry = queue.geometry,
                    .ring = hold->ring.data(),
                    .heap = hold->heap.data(),
                    .control = hold->control.data(),
                    .bells = hold->bells->numbers.data()};
  attachment.owner = reply.endpoint;
  attachment.queue_name = queue.name;
  attachment.group_name = request.group;
  attachment.group = reply.group;
  attachment.kind = reply.kind;
  attachment.group_incarnation = reply.group_incarnation;
  attachment.start = reply.start;
  attachment.evictable = reply.evictable;
  hold->remember(attachment.map);
  attachment.hold = std::move(hold);
  return attachment;
}

Inspection attach_inspector(Session& session, const QueueName& queue) {
  const std::string what = about("inspect", queue.name);
  const AttachRequest request{.queue = queue.id, .role = Role::inspector};
  Packet packet = session.request(what, "attach", protocol::encode(request));
  const Segments segments = take_segments(packet.descriptors, queue.geometry, 0, what);
  check_segments(segments, queue, what);
  const Geometry& geometry = queue.geometry;
  Inspection inspection;
  inspection.ring = Mapping(segments.ring.get(), {0, geometry.ring_bytes()}, Access::read_only, what);
  inspection.control = Mapping(segments.control.get(), {0, geometry.control_bytes()}, Access::read_only, what);
  if (segments.heap) {
    inspection.heap = Mapping(segments.heap.get(), {0, geometry.heap_bytes()}, Access::read_only, what);
  }
  inspection.map = {.geometry = geometry,
                    .ring = inspection.ring.data(),
                    .heap = inspection.heap.data(),
                    .control = inspection.control.data(),
                    .bells = nullptr};
  return inspection;
}

}  // namespace beltway::detail
