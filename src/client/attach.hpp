// From a place that the daemon gave to memory that is mapped and checked: what Queue::producer(), consumer() and the
// inspection are made of.
// Thread safety: functions, from any thread.
#pragma once

#include <memory>
#include <string>

#include "client/session.hpp"
#include "endpoint/attachment.hpp"
#include "os/segment.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

/// The queue that a handle names, as the daemon described it.
struct QueueName {
  std::string name;
  std::uint64_t id = 0;
  ring::Geometry geometry;
};

struct MemoryOptions {
  bool populate = true;
  bool lock = false;
  const Until* caller = nullptr;  ///< when to give up; null: as the options of the connection say
};

/// Call it before an endpoint is made: others than the queue's user may have its bells, too.
void beware_of_strangers(const QueueOptions& options) noexcept;

/// Attaches a producer or consumer. `request.queue`, `barriers` and `bells` are filled here. Throws what the daemon answers,
/// Error(incompatible) for memory of another layout, Error(limit_reached) for memory that cannot be had.
[[nodiscard]] endpoint::Attachment attach_endpoint(const std::shared_ptr<Session>& session, const QueueName& queue,
                                                   wire::AttachRequest request, const MemoryOptions& options);

/// A queue's memory, to read only: nothing may be written through `memory`, and its bells are null.
struct Inspection {
  ring::QueueMemory memory;
  os::Mapping ring;
  os::Mapping heap;
  os::Mapping control;
};
/// `caller`: when to give up; null: as the options of the connection say.
[[nodiscard]] Inspection attach_inspector(Session& session, const QueueName& queue, const Until* caller = nullptr);

}  // namespace beltway::client
