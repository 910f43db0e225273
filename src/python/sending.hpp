// How a producer of Python publishes: tries first, and waits without the GIL.
// Thread safety: all functions require the GIL. Those that wait release it meanwhile.
#pragma once

#include "python/objects.hpp"

namespace beltway::python {

/// "publish to \"orders\"".
[[nodiscard]] std::string publish_context(const ProducerObject* self);

/// What a try says. interrupt() is told once, and only if the program called it: a loan that another thread dropped
/// interrupts, too.
[[nodiscard]] inline Status told(const ProducerObject* self, Status status) noexcept {
  return status == Status::interrupted && !self->state->interrupted ? Status::full : status;
}
/// As raise_status(), for a call that could not publish; interrupt() is told once.
[[noreturn]] void raise_unpublished(ProducerObject* self, Status status);

/// As raise_unpublished(), with the library's own text where it has one: `call()`, which may wait, throws it. It does not
/// wait, since none of these statuses changes any more.
template <class Call>
[[noreturn]] void raise_unpublished(ProducerObject* self, Status status, const Call& call) {
  if (status == Status::too_large || status == Status::removed || status == Status::evicted) call();
  raise_unpublished(self, status);
}

/// Waits for `attempt(until)`, which returns a Status. Throws the error of timeout and interrupted.
template <class Attempt>
Status publish_waiting(ProducerObject* self, const Deadline& deadline, const Attempt& attempt) {
  ProducerHandle& state = *self->state;
  if (deadline.is_over()) raise_unpublished(self, Status::timeout);
  const Status status =
      wait_in_pieces(state.turns, state.interrupted, deadline, attempt, [&state] { state.ended.clear(); });
  if (status == Status::timeout || status == Status::interrupted) raise_unpublished(self, status);
  return status;
}

// Methods of the type Producer, in sending_many.cpp.
PyObject* publish_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* try_publish_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* publish_array(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* publish_parts(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
// In loan.cpp.
PyObject* lend(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);
PyObject* try_lend(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names);

}  // namespace beltway::python
