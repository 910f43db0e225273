// The type Producer.
#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/info.hpp"
#include "python/objects.hpp"
#include "python/properties_values.hpp"
#include "python/sending.hpp"

#include "beltway/typed.hpp"

namespace beltway::python {

struct LastPosition {};

}  // namespace beltway::python

namespace beltway {

// Producer tells the position of a message only in calls that may wait. Typed producers are its friends, and this one asks.
template <>
class TypedProducer<python::LastPosition> {
 public:
  [[nodiscard]] static std::uint64_t of(const Producer& producer) noexcept { return producer.core_->last(); }
};

}  // namespace beltway

namespace beltway::python {

namespace {

ProducerObject* of(PyObject* self) noexcept { return reinterpret_cast<ProducerObject*>(self); }

Bytes bytes_of(const BufferView& view) noexcept { return {view.data(), view.size()}; }

/// What a call says about its message.
struct Said {
  Said(PyObject* properties, PyObject* sequence) {
    if (!is_none(properties)) options.properties = texts.emplace(properties).get();
    if (!is_none(sequence)) options.sequence = number_argument("sequence", sequence);
    is_plain = options.sequence == 0 && options.properties.empty();
  }
  std::optional<OwnedProperties> texts;
  PublishOptions options;
  bool is_plain = true;
};

Status try_once(Producer& producer, const Bytes& bytes, const Said& said) {
  return said.is_plain ? producer.try_publish(bytes) : producer.try_publish(bytes, said.options);
}

PyObject* publish_any(ProducerObject* self, const Call& call) {
  const auto [message, timeout, properties, sequence] =
      arguments("publish", call, {"message", "timeout", "properties", "sequence"}, 1, 1);
  const Deadline deadline = deadline_argument(timeout);
  const Said said(properties, sequence);
  const BufferView view(message);
  const Bytes bytes = bytes_of(view);
  Producer* const producer = enter(self, "publish to", deadline);
  if (producer == nullptr) raise_unpublished(self, Status::timeout);
  Status status = told(self, try_once(*producer, bytes, said));
  if (status == Status::full) {
    status = publish_waiting(self, deadline, [&](const Until& until) {
      return said.is_plain ? producer->publish_until(bytes, until)
                           : producer->publish_until(bytes, said.options, until);
    });
  }
  if (status == Status::duplicate) return none();
  if (status != Status::ok) {
    raise_unpublished(self, status, [&] { static_cast<void>(producer->publish(bytes, said.options)); });
  }
  return PyLong_FromUnsignedLongLong(last_position(*producer));
}

PyObject* publish(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    // The usual call: bytes, nothing else, and there is room.
    ProducerHandle& state = *of(self)->state;
    if (names == nullptr && count == 1 && PyBytes_CheckExact(values[0]) && state.producer && !state.turns.is_taken())
        [[likely]] {
      const Bytes bytes(PyBytes_AsString(values[0]), static_cast<std::size_t>(PyBytes_Size(values[0])));
      if (state.producer->try_publish(bytes) == Status::ok) [[likely]]
        return PyLong_FromUnsignedLongLong(last_position(*state.producer));
    }
    return publish_any(of(self), {values, count, names});
  });
}

PyObject* try_publish(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [message, properties, sequence] =
        arguments("try_publish", {values, count, names}, {"message", "properties", "sequence"}, 1, 1);
    const Said said(properties, sequence);
    const BufferView view(message);
    Producer* const producer = enter(of(self), "publish to", Deadline(Deadline::Clock::time_point::min()));
    const Bytes bytes = bytes_of(view);
    const Status status = producer == nullptr ? Status::full : told(of(self), try_once(*producer, bytes, said));
    if (status != Status::ok && status != Status::full && status != Status::duplicate) {
      raise_unpublished(of(self), status, [&] { static_cast<void>(producer->publish(bytes, said.options)); });
    }
    return boolean(status != Status::full);
  });
}

Producer& open_producer(PyObject* self, const char* operation) {
  of(self)->state->turns.refuse_in_child(operation, of(self)->state->queue);
  return *enter(of(self), operation, Deadline{});
}

PyObject* get_fd(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return PyLong_FromLong(open_producer(self, "poll_fd of").poll_fd()); });
}

PyObject* interrupt(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    ProducerHandle& state = *of(self)->state;
    if (!state.producer)
      throw Error(Errc::misuse, context_of("interrupt a producer of", state.queue) + ": it is closed");
    state.turns.refuse_in_child("interrupt a producer of", state.queue);
    state.interrupted = true;
    state.producer->interrupt();
    return none();
  });
}

PyObject* get_counters(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return info_object(open_producer(self, "counters of").counters()).release(); });
}

PyObject* close(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    ProducerHandle& state = *of(self)->state;
    const std::string context = context_of("close a producer of", state.queue);
    if (state.turns.is_in_use()) {
      throw Error(Errc::misuse,
                  context + ": a call waits in it, maybe in another thread; call interrupt() and let it end first");
    }
    state.ended.clear();
    if (state.loans != 0) {
      throw Error(Errc::misuse,
                  context + ": " + std::to_string(state.loans) + " loans are open; commit or drop them first");
    }
    state.producer.reset();
    return none();
  });
}

PyObject* exit_block(PyObject* self, PyObject* const* /*values*/, Py_ssize_t /*count*/) { return close(self, nullptr); }

PyObject* get_queue_name(PyObject* self, void* /*closure*/) {
  return guarded([&] { return text(of(self)->state->queue).release(); });
}
PyObject* get_index(PyObject* self, void* /*closure*/) {
  return guarded([&] { return PyLong_FromUnsignedLong(open_producer(self, "index of").index()); });
}
PyObject* get_max_message_bytes(PyObject* self, void* /*closure*/) {
  return guarded([&] { return PyLong_FromSize_t(open_producer(self, "max_message_bytes of").max_message_bytes()); });
}
PyObject* get_max_inline_bytes(PyObject* self, void* /*closure*/) {
  return guarded([&] { return PyLong_FromSize_t(open_producer(self, "max_inline_bytes of").max_inline_bytes()); });
}
PyObject* get_last_sequence(PyObject* self, void* /*closure*/) {
  return guarded([&] { return PyLong_FromUnsignedLongLong(open_producer(self, "last_sequence of").last_sequence()); });
}

void dealloc(PyObject* self) {
  delete of(self)->state;
  free_object(self);
}

constexpr int k_fast = METH_FASTCALL | METH_KEYWORDS;

PyMethodDef methods[] = {
    {"publish", as_method(publish), k_fast,
     "publish($self, message, *, timeout=None, properties=None, sequence=0)\n--\n\nCopies a message into the queue, "
     "and returns "
     "its position. Waits while the queue is full.\n\n"
     "message: bytes, or any object with a contiguous buffer. timeout: seconds; then raises Timeout.\n"
     "sequence: of a producer with a name. None is returned if that name has published the number before.\n"
     "Raises TooLarge, Removed, Evicted, Interrupted, Forked."},
    {"try_publish", as_method(try_publish), k_fast,
     "try_publish($self, message, *, properties=None, sequence=0)\n--\n\nAs publish(), but never waits. False if the "
     "queue is "
     "full."},
    {"publish_parts", as_method(publish_parts), k_fast,
     "publish_parts($self, parts, *, timeout=None, properties=None)\n--\n\nAs publish(), of one message from several "
     "buffers, end "
     "to end."},
    {"publish_many", as_method(publish_many), k_fast,
     "publish_many($self, messages, *, timeout=None)\n--\n\nPublishes each message of an iterable, and returns how "
     "many. Wakes "
     "sleepers once a batch.\nAn error has an attribute `published`: how many were published before it."},
    {"try_publish_many", as_method(try_publish_many), k_fast,
     "try_publish_many($self, messages)\n--\n\nPublishes the first messages of an iterable, as many as there is room "
     "for.\nNever "
     "waits. Returns how many."},
    {"publish_array", as_method(publish_array), k_fast,
     "publish_array($self, array, *, timeout=None)\n--\n\nPublishes each element of an array as one message: a numpy "
     "array, "
     "structured or not.\nOf an array with several dimensions each row. Returns how many; errors are those of "
     "publish_many()."},
    {"lend", as_method(lend), k_fast,
     "lend($self, size, *, timeout=None, properties=None)\n--\n\nLends memory of the queue, to write a message in "
     "place. Waits "
     "for room.\n\n    with producer.lend(image.nbytes) as view:\n        view[:] = image.reshape(-1).view(\"u1\")"},
    {"try_lend", as_method(try_lend), k_fast,
     "try_lend($self, size, *, properties=None)\n--\n\nAs lend(), but never waits. None if there is no room."},
    {"poll_fd", get_fd, METH_NOARGS,
     "poll_fd($self, /)\n--\n\nReturns a descriptor that is readable when a try that found the queue full may succeed. "
     "Never read "
     "from it."},
    {"fileno", get_fd, METH_NOARGS, "fileno($self, /)\n--\n\nThe same as poll_fd(): for select and selectors."},
    {"interrupt", interrupt, METH_NOARGS,
     "interrupt($self, /)\n--\n\nEnds the call that waits now, or the next one that has to wait, with Interrupted. In "
     "any "
     "thread."},
    {"counters", get_counters, METH_NOARGS, "counters($self, /)\n--\n\nReturns ProducerCounters."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nDetaches. What was published stays."},
    {"__enter__", return_self, METH_NOARGS, "__enter__($self, /)\n--\n\nReturns itself."},
    {"__exit__", as_method(exit_block), METH_FASTCALL, "__exit__($self, kind, error, trace, /)\n--\n\nCalls close()."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef members[] = {
    {"queue_name", get_queue_name, nullptr, "The name of its queue.", nullptr},
    {"index", get_index, nullptr, "Its number among the queue's producers.", nullptr},
    {"max_message_bytes", get_max_message_bytes, nullptr, "Bytes of the largest message.", nullptr},
    {"max_inline_bytes", get_max_inline_bytes, nullptr, "Bytes of the largest message that lies in its slot.", nullptr},
    {"last_sequence", get_last_sequence, nullptr, "The highest sequence number that its name has published.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_doc,
     const_cast<char*>(
         "The sending end of a queue, made by Queue.producer().\n\n"
         "Several threads may use it: they take turns. For more speed give each thread a producer of its own.")},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {Py_tp_dealloc, as_slot(dealloc)},
    {0, nullptr}};

}  // namespace

PyType_Spec producer_spec{"beltway.Producer", sizeof(ProducerObject), 0, k_type_flags, slots};

std::uint64_t last_position(const Producer& producer) noexcept { return TypedProducer<LastPosition>::of(producer); }

std::string publish_context(const ProducerObject* self) { return context_of("publish to", self->state->queue); }

void raise_unpublished(ProducerObject* self, Status status) {
  if (status == Status::interrupted) self->state->interrupted = false;
  raise_status(status, publish_context(self));
}

Producer* enter(ProducerObject* self, const char* operation, const Deadline& deadline) {
  ProducerHandle& state = *self->state;
  if (state.turns.is_taken() && !state.turns.await(deadline)) return nullptr;
  if (!state.producer) throw Error(Errc::misuse, context_of(operation, state.queue) + ": the producer is closed");
  state.ended.clear();
  return &*state.producer;
}

PyObject* new_producer(Producer producer) {
  auto state = std::make_unique<ProducerHandle>();
  state->queue = producer.queue_name();
  state->producer = std::move(producer);
  return new_object<ProducerObject>(types.producer, std::move(state));
}

}  // namespace beltway::python
