#include "python/receiving.hpp"

#include <algorithm>

#include "python/arguments.hpp"
#include "python/errors.hpp"

namespace beltway::python {

namespace {

bool tells_nothing(Status status) noexcept { return status == Status::empty || status == Status::prefetch_limit; }

/// A loop variable is the only reference to the message that the loop got last, and nobody can see it while the loop waits.
/// So the message ends before the wait and not after: it holds neither the ring nor the prefetch limit meanwhile.
void end_message_of_loop(ConsumerHandle& state) {
  MessageObject* const last = state.last;
  if (last == nullptr || Py_REFCNT(reinterpret_cast<PyObject*>(last)) != 1 || !is_held(last)) return;
  state.last = nullptr;
  end_message(last, End::dropped);
}

/// All messages that the consumer may hold are ended, but views of them exist: no wait would end.
void check_deferred(const ConsumerObject* self, Status status) {
  const ConsumerHandle& state = *self->state;
  if (status != Status::prefetch_limit || state.deferred == 0 || state.deferred < state.held) return;
  fail(PyExc_BufferError, receive_context(self) + ": all " + std::to_string(state.held) +
                              " messages that this consumer may hold (prefetch) are acknowledged, but views of them "
                              "exist; delete the arrays and "
                              "memoryviews, or copy what you keep");
}

Result<Message> take_ahead(ConsumerHandle& state) {
  Message message = std::move(state.ahead.front());
  state.ahead.pop_front();
  return message;
}

/// Waits for `attempt(until)` to return another status than timeout.
template <class Attempt>
Status wait(ConsumerObject* self, const Deadline& deadline, Status status, const Attempt& attempt) {
  ConsumerHandle& state = *self->state;
  if (deadline.is_over()) return Status::timeout;
  end_message_of_loop(state);
  check_deferred(self, status);
  return wait_in_pieces(state.turns, state.interrupted, deadline, attempt, [&state] { state.end_messages(); });
}

/// A status that interrupt() has caused is told once.
Status told(ConsumerHandle& state, Status status) {
  if (status == Status::interrupted) state.interrupted = false;
  return status;
}

}  // namespace

std::string receive_context(const ConsumerObject* self) { return context_of("receive from", self->state->queue); }

Consumer* enter(ConsumerObject* self, const char* operation, const Deadline& deadline) {
  ConsumerHandle& state = *self->state;
  if (state.turns.is_taken() && !state.turns.await(deadline)) return nullptr;
  if (!state.consumer) {
    throw Error(Errc::misuse, context_of(operation, state.queue) + ": the consumer is closed");
  }
  if (!state.ended.empty()) state.end_messages();
  return &*state.consumer;
}

Result<Message> try_next_message(ConsumerObject* self) {
  ConsumerHandle& state = *self->state;
  Consumer* const consumer = enter(self, "receive from", Deadline(Deadline::Clock::time_point::min()));
  if (consumer == nullptr) return Status::empty;
  if (!state.ahead.empty() && !state.guard.in_child()) return take_ahead(state);
  Result<Message> received = consumer->try_receive();
  if (!received) told(state, received.status());
  return received;
}

Result<Message> next_message(ConsumerObject* self, PyObject* timeout) {
  ConsumerHandle& state = *self->state;
  const Deadline deadline = deadline_argument(timeout);
  Consumer* const consumer = enter(self, "receive from", deadline);
  if (consumer == nullptr) return Status::timeout;
  if (!state.ahead.empty() && !state.guard.in_child()) return take_ahead(state);
  Result<Message> received = consumer->try_receive();
  if (received || !tells_nothing(received.status())) {
    if (!received) told(state, received.status());
    return received;
  }
  const Status status = wait(self, deadline, received.status(), [&](const Until& until) {
    received = consumer->receive(until);
    return received.status();
  });
  if (status == Status::ok) return received;
  return status;
}

Result<std::size_t> next_messages(ConsumerObject* self, std::span<Message> out, PyObject* timeout) {
  ConsumerHandle& state = *self->state;
  const Deadline deadline = deadline_argument(timeout);
  Consumer* const consumer = enter(self, "receive from", deadline);
  if (consumer == nullptr) return Status::timeout;
  if (!state.ahead.empty() && !state.guard.in_child()) {
    const std::size_t count = std::min(out.size(), state.ahead.size());
    for (std::size_t i = 0; i < count; ++i) out[i] = std::move(*take_ahead(state));
    if (count == out.size()) return count;
    return count + consumer->try_receive_batch(out.subspan(count)).value_or(0);
  }
  Result<std::size_t> received = consumer->try_receive_batch(out);
  if (received || !tells_nothing(received.status())) {
    if (!received) told(state, received.status());
    return received;
  }
  const Status status = wait(self, deadline, received.status(), [&](const Until& until) {
    received = consumer->receive_batch(out, until);
    return received.status();
  });
  if (status == Status::ok) return received;
  return status;
}

}  // namespace beltway::python
