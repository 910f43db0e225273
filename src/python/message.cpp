// The type Message. A view of a message (memoryview, numpy array) keeps the object, and the object keeps the message: its
// place in the ring is free when the message has ended and no view is left. So an ack() while views exist is put off to the
// end of the last view: a program that keeps an array for a moment longer loses neither its work nor its memory. A message that
// may be overwritten meanwhile is copied when it is delivered. Its views show the copy, and put nothing off.
#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/objects.hpp"
#include "python/properties_values.hpp"

namespace beltway::python {

namespace {

MessageObject* of(PyObject* self) noexcept { return reinterpret_cast<MessageObject*>(self); }

bool carry_out(Message& message, End end, std::chrono::microseconds delay) {
  switch (end) {
    case End::ack: return message.ack();
    case End::nack: return message.nack();
    case End::nack_with_delay: return message.nack(delay);
    case End::reject: return message.reject();
    default: break;
  }
  const Message dropped = std::move(message);  // what it says of its position stays
  return true;
}

/// Ends the message now. One of a private group belongs to the thread that is inside of the consumer.
bool end_now(MessageObject* self, End end, std::chrono::microseconds delay) {
  ConsumerHandle& state = *self->owner->state;
  if (self->message && state.group.empty() && state.turns.is_taken()) {
    --state.held;
    state.ended.push_back({std::move(self->message), end, delay});
    state.consumer->interrupt();
    return true;
  }
  // A nack with a delay out of range, and a reject() that the group does not allow, throw. Such a message may still be held.
  const bool had = static_cast<bool>(self->message);
  const detail::UnwindGuard count([&]() noexcept {
    if (had && !self->message) --state.held;
  });
  return carry_out(self->message, end, delay);
}

/// Throws Error(misuse) if the message has ended, Error(forked) in a child, where its memory is not mapped.
void check_readable(const MessageObject* self) {
  if (self->copy != nullptr) return;
  const ConsumerHandle& state = *self->owner->state;
  if (state.guard.in_child()) {
    throw Error(Errc::forked, context_of("read a message of", state.queue) +
                                  ": it was received before fork(); open a connection and receive in the child");
  }
  if (!is_held(self)) {
    throw Error(Errc::misuse,
                context_of("read a message of", state.queue) + ": the message has ended; read it before ack()");
  }
}

std::span<const std::byte> bytes_of(const MessageObject* self) {
  check_readable(self);
  if (self->copy == nullptr) return self->message.bytes();
  PyObject* const bytes = self->copy->bytes.get();
  return {reinterpret_cast<const std::byte*>(PyBytes_AsString(bytes)), static_cast<std::size_t>(PyBytes_Size(bytes))};
}

PyObject* copy_bytes(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    if (of(self)->copy != nullptr) return Py_NewRef(of(self)->copy->bytes.get());
    const auto bytes = bytes_of(of(self));
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()),
                                     static_cast<Py_ssize_t>(bytes.size()));
  });
}

PyObject* decode(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [encoding, errors] = arguments("text", {values, count, names}, {"encoding", "errors"}, 2, 0);
    const BufferView view(self);  // a codec is code of Python, and may end the message
    const std::string coding = encoding == nullptr ? "utf-8" : text_argument("encoding", encoding);
    const std::string handling = errors == nullptr ? "strict" : text_argument("errors", errors);
    return PyUnicode_Decode(reinterpret_cast<const char*>(view.data()), static_cast<Py_ssize_t>(view.size()),
                            coding.c_str(), handling.c_str());
  });
}

PyObject* ack(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return boolean(end_message(of(self), End::ack)); });
}

std::chrono::microseconds delay_argument(PyObject* value) {
  const double seconds = seconds_argument("delay", value);
  if (seconds < 0 || seconds > static_cast<double>(k_max_retry_delay_ms) / 1000) {
    throw Error(Errc::invalid_option, "delay must be 0 to " + std::to_string(k_max_retry_delay_ms / 1000) + " seconds");
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6 + 0.5));
}

PyObject* nack(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [delay] = arguments("nack", {values, count, names}, {"delay"}, 1, 0);
    if (is_none(delay)) return boolean(end_message(of(self), End::nack));
    return boolean(end_message(of(self), End::nack_with_delay, delay_argument(delay)));
  });
}

PyObject* reject(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] { return boolean(end_message(of(self), End::reject)); });
}

PyObject* extend(PyObject* self, PyObject* /*nothing*/) {
  const MessageObject* const message = of(self);
  if (!is_held(message)) return boolean(false);
  if (message->copy == nullptr) return boolean(message->message.still_held());  // no lease that has an end
  return boolean(message->copy->is_all || of(self)->message.extend());
}

PyObject* still_held(PyObject* self, PyObject* /*nothing*/) {
  const MessageObject* const message = of(self);
  return boolean(is_held(message) && (!message->message || message->message.still_held()));
}

PyObject* process(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [rejects, delay] = arguments("process", {values, count, names}, {"reject", "delay"}, 0, 0);
    const bool is_rejected = rejects != nullptr && flag_argument("reject", rejects);
    const std::int64_t delay_us = is_none(delay) ? -1 : delay_argument(delay).count();
    auto* const made = new_object<ProcessObject>(types.process);
    made->message = of(Py_NewRef(self));
    made->delay_us = delay_us;
    made->reject = is_rejected;
    return reinterpret_cast<PyObject*>(made);
  });
}

PyObject* get_position(PyObject* self, void* /*closure*/) {
  return PyLong_FromUnsignedLongLong(of(self)->message.position());
}
PyObject* get_producer(PyObject* self, void* /*closure*/) {
  return PyLong_FromUnsignedLong(of(self)->message.producer());
}
PyObject* get_deliveries(PyObject* self, void* /*closure*/) {
  return PyLong_FromUnsignedLong(of(self)->message.deliveries());
}
PyObject* get_lost(PyObject* self, void* /*closure*/) { return PyLong_FromUnsignedLongLong(of(self)->message.lost()); }

std::optional<PublishTime> published(const MessageObject* self) {
  return self->copy != nullptr ? self->copy->published_at : self->message.published_at();
}

PyObject* get_age(PyObject* self, void* /*closure*/) {
  return guarded([&] {
    std::optional<double> seconds;
    const auto age = of(self)->message.age();
    if (age && is_copied_whole(of(self)->message)) {
      seconds = static_cast<double>(age->count()) / 1e6;
    } else if (of(self)->copy != nullptr && of(self)->copy->published_at) {
      seconds = std::chrono::duration<double>(std::chrono::system_clock::now() - *of(self)->copy->published_at).count();
    }
    return seconds ? PyFloat_FromDouble(*seconds) : none();
  });
}

PyObject* get_published_at(PyObject* self, void* /*closure*/) {
  return guarded([&] {
    const auto at = published(of(self));
    return at ? datetime_object(*at).release() : none();
  });
}

PyObject* get_has_properties(PyObject* self, void* /*closure*/) {
  return boolean(of(self)->copy != nullptr ? of(self)->copy->properties.has_value()
                                           : of(self)->message.has_properties());
}

PyObject* get_properties(PyObject* self, void* /*closure*/) {
  return guarded([&] {
    check_readable(of(self));
    if (const MessageCopy* const copy = of(self)->copy) {
      return properties_object(copy->properties ? copy->properties->get() : Properties{}, copy->state).release();
    }
    const PropertiesView view = of(self)->message.properties();
    return properties_object(view, ReceivedState(view)).release();
  });
}

Py_ssize_t length(PyObject* self) {
  const MessageObject* const message = of(self);
  return message->copy != nullptr ? PyBytes_Size(message->copy->bytes.get())
                                  : static_cast<Py_ssize_t>(message->message.size());
}

int is_true(PyObject* self) { return is_held(of(self)) ? 1 : 0; }

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded_int([&] {
    const auto bytes = bytes_of(of(self));
    void* const data = const_cast<std::byte*>(bytes.data());  // the view is read-only
    if (PyBuffer_FillInfo(view, self, data, static_cast<Py_ssize_t>(bytes.size()), 1, flags) != 0) throw ErrorIsSet{};
    ++of(self)->views;
  });
}

void release_buffer(PyObject* self, Py_buffer* /*view*/) {
  MessageObject* const message = of(self);
  if (--message->views != 0 || message->end == End::none || message->copy != nullptr) return;
  --message->owner->state->deferred;
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  if (guarded_int([&] { end_now(message, message->end, std::chrono::microseconds(message->delay_us)); }) != 0) {
    PyErr_WriteUnraisable(self);
  }
  PyErr_Restore(type, value, trace);
}

PyObject* represent(PyObject* self) {
  return guarded([&] {
    const MessageObject* const message = of(self);
    const std::string text = "<beltway.Message " + std::to_string(message->message.position()) + " of \"" +
                             message->owner->state->queue + "\"" + (is_held(message) ? "" : ", ended") + ">";
    return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
  });
}

void dealloc(PyObject* self) {
  MessageObject* const message = of(self);
  ConsumerHandle& state = *message->owner->state;
  if (state.last == message) state.last = nullptr;
  if (message->message) end_now(message, End::dropped, {});  // dropping a message throws nothing
  message->message.~Message();
  delete message->copy;
  Py_DECREF(reinterpret_cast<PyObject*>(message->owner));
  free_object(self);
}

PyMethodDef methods[] = {
    {"bytes", copy_bytes, METH_NOARGS, "bytes($self, /)\n--\n\nReturns a copy of the payload."},
    {"__bytes__", copy_bytes, METH_NOARGS, "__bytes__($self, /)\n--\n\nReturns a copy of the payload."},
    {"text", as_method(decode), METH_FASTCALL | METH_KEYWORDS,
     "text($self, encoding='utf-8', errors='strict')\n--\n\nReturns the payload as a str."},
    {"ack", ack, METH_NOARGS,
     "ack($self, /)\n--\n\nThe message is done. Returns False if it was not ours any more: lease_timeout, an "
     "eviction.\n\n"
     "While views of the message exist (memoryview, numpy array), the ack is put off until the last one is gone.\n"
     "The message can be read neither after nor meanwhile, except by these views. A message that is a copy stays\n"
     "readable, and no view puts its ack off."},
    {"nack", as_method(nack), METH_FASTCALL | METH_KEYWORDS,
     "nack($self, delay=None)\n--\n\nGives the message back to its group. It comes again after the queue's "
     "retry_delay,\n"
     "or after `delay` seconds. In a private group: as ack(). Views put it off, as with ack()."},
    {"reject", reject, METH_NOARGS,
     "reject($self, /)\n--\n\nGives the message up: it goes to the dead letter queue, or is dropped (option discard).\n"
     "Raises Misuse if the group has neither; then the message is given back. Views put it off, as with ack()."},
    {"extend", extend, METH_NOARGS,
     "extend($self, /)\n--\n\nGives the message its whole lease_timeout again. False if it is not ours any more."},
    {"still_held", still_held, METH_NOARGS,
     "still_held($self, /)\n--\n\nTrue while the message is ours. False after a lease_timeout or an eviction: then "
     "another\n"
     "consumer has it, and this object is a copy."},
    {"process", as_method(process), METH_FASTCALL | METH_KEYWORDS,
     "process($self, *, reject=False, delay=None)\n--\n\nA context: acknowledges the message at its end. An exception "
     "gives "
     "the message back,\nafter `delay` seconds if given, or rejects it. A message that the block has ended stays as it "
     "is."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef members[] = {
    {"position", get_position, nullptr, "The place in the queue's one order.", nullptr},
    {"producer", get_producer, nullptr, "The index of the producer that published it.", nullptr},
    {"deliveries", get_deliveries, nullptr, "How often it was delivered, with this time: 1 at the first.", nullptr},
    {"lost", get_lost, nullptr, "Messages that were lost right before it: lossy consumers, drop_oldest.", nullptr},
    {"age", get_age, nullptr, "Seconds since its publish. None if the queue has no stamps.", nullptr},
    {"published_at", get_published_at, nullptr, "When it was published, in UTC. None if the queue has no stamps.",
     nullptr},
    {"has_properties", get_has_properties, nullptr, "True if it was published with properties.", nullptr},
    {"properties", get_properties, nullptr, "Its Properties. Without any, all fields are empty.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_doc,
     const_cast<char*>(
         "A received message. It holds its place in the queue until ack(), nack(), reject(), or until it is garbage: "
         "then a\n"
         "message of a named group goes back to the group.\n\n"
         "It is a copy if its bytes may be overwritten meanwhile: its group has lease_timeout, or had it since its "
         "consumer\n"
         "attached; its consumer may be evicted, since it attached while evict_after was set; its consumer is "
         "lossy.\n\n"
         "It has the buffer protocol, read-only: memoryview(message), numpy.frombuffer(message, dtype). Such views "
         "keep the\n"
         "message. True while it is held. One thread at a time; a message of a named group may end in any thread.")},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {Py_tp_repr, as_slot(represent)},
    {Py_tp_dealloc, as_slot(dealloc)},
    {Py_sq_length, as_slot(length)},
    {Py_nb_bool, as_slot(is_true)},
    {Py_bf_getbuffer, as_slot(get_buffer)},
    {Py_bf_releasebuffer, as_slot(release_buffer)},
    {0, nullptr}};

}  // namespace

PyType_Spec message_spec{"beltway.Message", sizeof(MessageObject), 0, k_type_flags, slots};

PyObject* new_message(ConsumerObject* owner, Message message) {
  auto* const object = new_object<MessageObject>(types.message);
  new (&object->message) Message(std::move(message));
  object->owner = reinterpret_cast<ConsumerObject*>(Py_NewRef(reinterpret_cast<PyObject*>(owner)));
  object->copy = nullptr;
  object->views = 0;
  object->end = End::none;
  ++owner->state->held;
  if (!endpoint::may_be_overwritten(object->message)) [[likely]]
    return reinterpret_cast<PyObject*>(object);
  Ref made(reinterpret_cast<PyObject*>(object));
  std::unique_ptr<MessageCopy> copy = copy_message(object->message);
  if (copy == nullptr) return nullptr;
  copy->is_all = owner->state->is_lossy;
  if (copy->is_all) end_now(object, End::dropped, {});
  object->copy = copy.release();
  return made.release();
}

bool end_message(MessageObject* self, End end, std::chrono::microseconds delay) {
  if (!is_held(self)) return false;
  if (!self->message) {
    self->end = end;
    return true;
  }
  if (self->views == 0 || self->copy != nullptr) {
    const bool was_ours = end_now(self, end, delay);
    if (!self->message) self->end = end;
    return was_ours;
  }
  self->end = end;
  self->delay_us = delay.count();
  ++self->owner->state->deferred;
  return self->message.still_held();
}

Message take_message(MessageObject* self) {
  if (!is_held(self) || (self->views != 0 && self->copy == nullptr)) return {};
  if (!self->message) return {};
  self->end = End::dropped;
  --self->owner->state->held;
  return std::move(self->message);
}

void ConsumerHandle::end_messages() {
  for (EndedMessage& each : ended) {
    if (guarded_int([&] { carry_out(each.message, each.end, each.delay); }) != 0) PyErr_WriteUnraisable(Py_None);
  }
  ended.clear();
}

PyObject* ack_many(PyObject* /*module*/, PyObject* messages) {
  return guarded([&] {
    const Ref list(PySequence_List(messages));
    const Py_ssize_t count = PyList_Size(list.get());
    for (Py_ssize_t i = 0; i < count; ++i) {
      if (Py_TYPE(PyList_GetItem(list.get(), i)) != types.message) {
        fail(PyExc_TypeError, "ack_many() takes an iterable of messages");
      }
    }
    std::size_t done = 0;
    std::vector<Message> batch;
    for (Py_ssize_t i = 0; i < count; ++i) {
      MessageObject* const each = of(PyList_GetItem(list.get(), i));
      ConsumerHandle& state = *each->owner->state;
      if (!is_held(each) || !each->message || each->views != 0 || state.turns.is_taken()) {
        done += end_message(each, End::ack) ? 1U : 0U;
      } else {
        batch.push_back(std::move(each->message));
        each->end = End::ack;
        --state.held;
      }
    }
    return PyLong_FromSize_t(done + ack_batch(batch));
  });
}

}  // namespace beltway::python
