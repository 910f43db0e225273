// What the library tells of queues, endpoints and daemons, as the dataclasses of beltway.info.
// Thread safety: all functions require the GIL.
#pragma once

#include "python/python_api.hpp"

#include <vector>

#include "beltway/connection.hpp"
#include "beltway/info.hpp"

namespace beltway::python {

/// The object of the dataclass that has the name of the struct. Throws ErrorIsSet.
[[nodiscard]] Ref info_object(const ProducerCounters& counters);
[[nodiscard]] Ref info_object(const ConsumerCounters& counters);
[[nodiscard]] Ref info_object(const QueueInfo& info);
[[nodiscard]] Ref info_object(const QueueSnapshot& snapshot);
[[nodiscard]] Ref info_object(const PurgeResult& result);
[[nodiscard]] Ref info_object(const ResetResult& result);
[[nodiscard]] Ref info_object(const PeekedMessage& message);
[[nodiscard]] Ref info_object(const Connection::DaemonInfo& info);
[[nodiscard]] Ref info_object(const EventPage& page);
/// `queue`: the object of the queue.
[[nodiscard]] Ref info_object(const Connection::Declared& declared, Ref queue);

/// A list of objects.
template <class T>
[[nodiscard]] Ref info_list(const std::vector<T>& values) {
  Ref list(PyList_New(0));
  for (const T& each : values) {
    const Ref item = info_object(each);
    if (PyList_Append(list.get(), item.get()) != 0) throw ErrorIsSet{};
  }
  return list;
}

}  // namespace beltway::python
