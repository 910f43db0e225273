// How a consumer of Python gets its messages: tries first, and waits without the GIL.
// Thread safety: all functions require the GIL. Those that wait release it meanwhile.
#pragma once

#include "python/objects.hpp"

#include <span>

namespace beltway::python {

/// The consumer of an object, ready for a call that may wait until `deadline`. Throws Error(misuse) if it is closed. Null:
/// another thread was inside all the time.
[[nodiscard]] Consumer* enter(ConsumerObject* self, const char* operation, const Deadline& deadline);

/// The next message, or why there is none: waits for one until `deadline`. Throws ErrorIsSet for a signal, and BufferError if the
/// consumer can get no message until the program releases views.
[[nodiscard]] Result<Message> next_message(ConsumerObject* self, const Deadline& deadline);
/// As above; never waits.
[[nodiscard]] Result<Message> try_next_message(ConsumerObject* self);
/// Fills `out` from its start with what is there, at most out.size() messages, and waits for the first.
[[nodiscard]] Result<std::size_t> next_messages(ConsumerObject* self, std::span<Message> out, const Deadline& deadline);

/// "receive from \"orders\"".
[[nodiscard]] std::string receive_context(const ConsumerObject* self);
/// True if a status means that there is no message yet.
[[nodiscard]] inline bool is_nothing_yet(Status status) noexcept {
  return status == Status::empty || status == Status::prefetch_limit || status == Status::timeout;
}

// Methods of the type Consumer, in receiving_many.cpp.
PyObject* receive_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* try_receive_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* receive_many_bytes(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* receive_into(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* receive_array(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);

}  // namespace beltway::python
