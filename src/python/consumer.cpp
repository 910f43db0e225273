// The type Consumer.
#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/info.hpp"
#include "python/objects.hpp"
#include "python/receiving.hpp"

namespace beltway::python {

namespace {

ConsumerObject* of(PyObject* self) noexcept { return reinterpret_cast<ConsumerObject*>(self); }

/// None if there is no message yet. Throws the error of a status that ends the stream.
PyObject* none_or_raise(const ConsumerObject* self, Status status) {
  if (is_nothing_yet(status)) return none();
  raise_status(status, receive_context(self));
}

/// Calls `next()` until it gives a message that is not another consumer's before it is an object.
template <class Next>
PyObject* message_or_none(ConsumerObject* self, const Next& next) {
  for (;;) {
    Result<Message> received = next();
    if (!received) return none_or_raise(self, received.status());
    if (PyObject* const made = new_message(self, *std::move(received))) return made;
  }
}

/// Likewise. The copy is what counts: the message is done.
template <class Next>
PyObject* bytes_and_ack(ConsumerObject* self, const Next& next) {
  for (;;) {
    Result<Message> received = next();
    if (!received) return none_or_raise(self, received.status());
    Ref bytes = copy_payload(*received);
    const bool is_whole = is_copied_whole(*received);
    received->ack();
    if (is_whole) return bytes.release();
  }
}

Deadline deadline_of(const char* function, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  if (names == nullptr && count == 0) return {};
  return deadline_argument(arguments(function, {values, count, names}, {"timeout"}, 1, 0)[0]);
}

PyObject* receive(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const Deadline deadline = deadline_of("receive", values, count, names);
    return message_or_none(of(self), [&] { return next_message(of(self), deadline); });
  });
}

PyObject* try_receive(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return message_or_none(of(self), [&] { return try_next_message(of(self)); }); });
}

PyObject* receive_bytes(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const Deadline deadline = deadline_of("receive_bytes", values, count, names);
    return bytes_and_ack(of(self), [&] { return next_message(of(self), deadline); });
  });
}

PyObject* try_receive_bytes(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return bytes_and_ack(of(self), [&] { return try_next_message(of(self)); }); });
}

/// Null without an error ends a `for` loop.
PyObject* next_of_loop(PyObject* self) {
  return guarded([&]() -> PyObject* {
    // The variable of the loop still has the last message, and at the prefetch limit the wait would be for ever.
    if (MessageObject* const last = std::exchange(of(self)->state->last, nullptr)) end_message(last, End::ack);
    PyObject* message = nullptr;
    while (message == nullptr) {
      Result<Message> received = next_message(of(self), Deadline{});
      if (!received) {
        if (received.status() == Status::end_of_stream) return nullptr;
        raise_status(received.status(), receive_context(of(self)));
      }
      message = new_message(of(self), *std::move(received));
    }
    if (of(self)->state->is_automatic) of(self)->state->last = reinterpret_cast<MessageObject*>(message);
    return message;
  });
}

PyObject* get_fd(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return PyLong_FromLong(enter(of(self), "poll_fd of", Deadline{})->poll_fd()); });
}

PyObject* interrupt(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    ConsumerHandle& state = *of(self)->state;
    if (!state.consumer)
      throw Error(Errc::misuse, context_of("interrupt a consumer of", state.queue) + ": it is closed");
    state.turns.refuse_in_child("interrupt a consumer of", state.queue);
    state.interrupted = true;
    state.consumer->interrupt();
    return none();
  });
}

Consumer& open_consumer(PyObject* self, const char* operation) {
  of(self)->state->turns.refuse_in_child(operation, of(self)->state->queue);
  return *enter(of(self), operation, Deadline{});
}

PyObject* get_counters(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return info_object(open_consumer(self, "counters of").counters()).release(); });
}

PyObject* close(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    ConsumerHandle& state = *of(self)->state;
    if (state.turns.is_in_use()) {
      throw Error(Errc::misuse,
                  context_of("close a consumer of", state.queue) +
                      ": a call waits in it, maybe in another thread; call interrupt() and let it end first");
    }
    state.ahead.clear();
    state.consumer.reset();
    return none();
  });
}

PyObject* exit_block(PyObject* self, PyObject* const* /*values*/, Py_ssize_t /*count*/) { return close(self, nullptr); }

/// For beltway.aio: a message whose task was cancelled before it could go on.
PyObject* give_back(PyObject* self, PyObject* message) {
  return guarded([&] {
    if (Py_TYPE(message) != types.message) fail(PyExc_TypeError, "_give_back() takes a message");
    Message taken = take_message(reinterpret_cast<MessageObject*>(message));
    if (!taken) return boolean(false);
    if (!of(self)->state->consumer) return boolean(true);  // closed: the message goes back to its group
    of(self)->state->ahead.push_front(std::move(taken));
    return boolean(true);
  });
}

PyObject* get_group(PyObject* self, void* /*closure*/) {
  return guarded([&] { return text(of(self)->state->group).release(); });
}
PyObject* get_queue_name(PyObject* self, void* /*closure*/) {
  return guarded([&] { return text(of(self)->state->queue).release(); });
}
PyObject* get_index(PyObject* self, void* /*closure*/) {
  return guarded([&] { return PyLong_FromUnsignedLong(open_consumer(self, "index of").index()); });
}
PyObject* get_reattached(PyObject* self, void* /*closure*/) {
  return guarded([&] { return PyLong_FromUnsignedLongLong(open_consumer(self, "reattached of").reattached()); });
}

void dealloc(PyObject* self) {
  delete of(self)->state;
  free_object(self);
}

constexpr const char* k_fd_doc =
    "poll_fd($self, /)\n--\n\nReturns a descriptor for select, poll, epoll or an event loop. It is readable when a try "
    "may find "
    "something,\nand stays so until a try has found nothing. Never read from it.";

PyMethodDef methods[] = {
    {"receive", as_method(receive), METH_FASTCALL | METH_KEYWORDS,
     "receive($self, timeout=None)\n--\n\nWaits for a message and returns it. None when `timeout` seconds are over.\n\n"
     "Raises EndOfStream when no message and no producer is left, Removed, Evicted, Interrupted, Forked."},
    {"try_receive", try_receive, METH_NOARGS,
     "try_receive($self, /)\n--\n\nReturns a message if there is one, else None. Never waits. Raises as receive()."},
    {"receive_bytes", as_method(receive_bytes), METH_FASTCALL | METH_KEYWORDS,
     "receive_bytes($self, timeout=None)\n--\n\nAs receive(), but returns a copy of the payload and acknowledges the "
     "message at "
     "once.\nFastest. A program that dies after this call has lost the message: else use receive() and ack()."},
    {"try_receive_bytes", try_receive_bytes, METH_NOARGS,
     "try_receive_bytes($self, /)\n--\n\nAs receive_bytes(), but never waits."},
    {"receive_many", as_method(receive_many), METH_FASTCALL | METH_KEYWORDS,
     "receive_many($self, count, timeout=None)\n--\n\nWaits for a message, and returns it with all that are there, at "
     "most "
     "`count`.\nAn empty list when `timeout` seconds are over. Raises as receive()."},
    {"try_receive_many", as_method(try_receive_many), METH_FASTCALL | METH_KEYWORDS,
     "try_receive_many($self, count)\n--\n\nReturns the messages that are there, at most `count`. Never waits."},
    {"receive_many_bytes", as_method(receive_many_bytes), METH_FASTCALL | METH_KEYWORDS,
     "receive_many_bytes($self, count, timeout=None)\n--\n\nAs receive_many(), with copies of the payloads; "
     "acknowledges the "
     "messages at once."},
    {"receive_into", as_method(receive_into), METH_FASTCALL | METH_KEYWORDS,
     "receive_into($self, array, timeout=None)\n--\n\nCopies messages into the elements of a writable array, as "
     "numpy's "
     "structured arrays,\nand acknowledges them. Waits for the first and takes what is there. Returns how many: 0 when "
     "the time "
     "is over.\n\nA message of another size than an element raises ValueError and stays the next one for receive()."},
    {"receive_array", as_method(receive_array), METH_FASTCALL | METH_KEYWORDS,
     "receive_array($self, dtype, count, timeout=None)\n--\n\nAs receive_into(), into a new numpy array of at most "
     "`count` "
     "elements. Needs numpy."},
    {"poll_fd", get_fd, METH_NOARGS, k_fd_doc},
    {"fileno", get_fd, METH_NOARGS, "fileno($self, /)\n--\n\nThe same as poll_fd(): for select and selectors."},
    {"interrupt", interrupt, METH_NOARGS,
     "interrupt($self, /)\n--\n\nEnds the call that waits now, or the next one that has to wait, with Interrupted. In "
     "any "
     "thread."},
    {"counters", get_counters, METH_NOARGS, "counters($self, /)\n--\n\nReturns ConsumerCounters."},
    {"close", close, METH_NOARGS,
     "close($self, /)\n--\n\nDetaches. Messages that the program holds stay valid, and may be acknowledged."},
    {"_give_back", give_back, METH_O, "_give_back($self, message, /)\n--\n\nFor beltway.aio."},
    {"__enter__", return_self, METH_NOARGS, "__enter__($self, /)\n--\n\nReturns itself."},
    {"__exit__", as_method(exit_block), METH_FASTCALL, "__exit__($self, kind, error, trace, /)\n--\n\nCalls close()."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef members[] = {
    {"group", get_group, nullptr, "The name of its group; empty: private.", nullptr},
    {"queue_name", get_queue_name, nullptr, "The name of its queue.", nullptr},
    {"index", get_index, nullptr, "Its number among the queue's consumers.", nullptr},
    {"reattached", get_reattached, nullptr, "How often it went on after an eviction (option reattach).", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_doc,
     const_cast<char*>(
         "The receiving end of a queue, made by Queue.consumer(). `for message in consumer` ends at the end of the "
         "stream.\n"
         "With ack=\"automatic\" each message ends when the loop asks for the next one.\n\n"
         "Several threads may use it: they take turns. For more speed give each thread a consumer of its own.")},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {Py_tp_iter, as_slot(PyObject_SelfIter)},
    {Py_tp_iternext, as_slot(next_of_loop)},
    {Py_tp_dealloc, as_slot(dealloc)},
    {0, nullptr}};

}  // namespace

PyType_Spec consumer_spec{"beltway.Consumer", sizeof(ConsumerObject), 0, k_type_flags, slots};

PyObject* new_consumer(Consumer consumer, const ConsumerOptions& options) {
  auto state = std::make_unique<ConsumerHandle>();
  state->queue = consumer.queue_name();
  state->group = consumer.group();
  state->is_lossy = options.lossy;
  state->is_automatic = options.ack == Ack::automatic && !options.group.empty();
  state->consumer = std::move(consumer);
  return new_object<ConsumerObject>(types.consumer, std::move(state));
}

}  // namespace beltway::python
