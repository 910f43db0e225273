#include "python/receiving.hpp"

#include <algorithm>

#include "python/arguments.hpp"
#include "python/errors.hpp"

namespace beltway::python {

namespace {

bool tells_nothing(Status status) noexcept { return status == Status::empty || status == Status::prefetch_limit; }

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
  check_deferred(self, status);
  return wait_in_pieces(state.turns, state.interrupted, deadline, attempt, [&state] { state.end_messages(); });
}

/// What a try says. interrupt() is told once, and only if the program called it: a message that ended in another thread
/// interrupts, too.
Status told(ConsumerHandle& state, Status status) {
  if (status != Status::interrupted) return status;
  return std::exchange(state.interrupted, false) ? status : Status::empty;
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
  if (!received) return told(state, received.status());
  return received;
}

Result<Message> next_message(ConsumerObject* self, const Deadline& deadline) {
  ConsumerHandle& state = *self->state;
  Consumer* const consumer = enter(self, "receive from", deadline);
  if (consumer == nullptr) return Status::timeout;
  if (!state.ahead.empty() && !state.guard.in_child()) return take_ahead(state);
  Result<Message> received = consumer->try_receive();
  if (received) return received;
  const Status found = told(state, received.status());
  if (!tells_nothing(found)) return found;
  const Status status = wait(self, deadline, found, [&](const Until& until) {
    received = consumer->receive(until);
    return received.status();
  });
  if (status == Status::ok) return received;
  return status;
}

Result<std::size_t> next_messages(ConsumerObject* self, std::span<Message> out, const Deadline& deadline) {
  ConsumerHandle& state = *self->state;
  Consumer* const consumer = enter(self, "receive from", deadline);
  if (consumer == nullptr) return Status::timeout;
  if (!state.ahead.empty() && !state.guard.in_child()) {
    const std::size_t count = std::min(out.size(), state.ahead.size());
    for (std::size_t i = 0; i < count; ++i) out[i] = std::move(*take_ahead(state));
    // The bytes of a lossy consumer's message are good until it receives again.
    if (count == out.size() || state.is_lossy) return count;
    return count + consumer->try_receive_batch(out.subspan(count)).value_or(0);
  }
  Result<std::size_t> received = consumer->try_receive_batch(out);
  if (received) return received;
  const Status found = told(state, received.status());
  if (!tells_nothing(found)) return found;
  const Status status = wait(self, deadline, found, [&](const Until& until) {
    received = consumer->receive_batch(out, until);
    return received.status();
  });
  if (status == Status::ok) return received;
  return status;
}

}  // namespace beltway::python
