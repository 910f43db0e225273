// The type Queue.
#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/info.hpp"
#include "python/keyword_options.hpp"
#include "python/objects.hpp"
#include "python/properties_values.hpp"

namespace beltway::python {

namespace {

Queue& of(PyObject* self) noexcept { return *reinterpret_cast<QueueObject*>(self)->state; }

PyObject* producer(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    if (count != 0) fail(PyExc_TypeError, "producer() takes options by their names only, as producer(name=\"shop-1\")");
    ProducerOptions options;
    set_options("producer", {values, count, names}, options);
    std::optional<Producer> made;
    without_gil([&] { made = of(self).producer(options); });
    return new_producer(*std::move(made));
  });
}

PyObject* consumer(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    if (count != 0)
      fail(PyExc_TypeError, "consumer() takes options by their names only, as consumer(group=\"billing\")");
    ConsumerOptions options;
    set_options("consumer", {values, count, names}, options);
    std::optional<Consumer> made;
    without_gil([&] { made = of(self).consumer(options); });
    return new_consumer(*std::move(made), options);
  });
}

template <class Attempt>
PyObject* wait_for_endpoints(const char* function, const Call& call, const Attempt& attempt) {
  const auto [wanted, timeout] = arguments(function, call, {"count", "timeout"}, 1, 1);
  const auto count = static_cast<unsigned>(std::min<std::uint64_t>(number_argument("count", wanted), 1000));
  const Deadline deadline = deadline_argument(timeout);
  for (;;) {
    Status status = Status::timeout;
    without_gil([&] { status = attempt(count, deadline.piece()); });
    if (status == Status::ok) return boolean(true);
    check_signals();
    if (deadline.is_over()) return boolean(false);
  }
}

PyObject* wait_for_consumers(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    return wait_for_endpoints(
        "wait_for_consumers", {values, count, names},
        [self](unsigned wanted, const Until& until) { return of(self).wait_for_consumers(wanted, until); });
  });
}

PyObject* wait_for_producers(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    return wait_for_endpoints(
        "wait_for_producers", {values, count, names},
        [self](unsigned wanted, const Until& until) { return of(self).wait_for_producers(wanted, until); });
  });
}

PyObject* add_group(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [group, start] = arguments("add_group", {values, count, names}, {"group", "start"}, 1, 1);
    const NamedGroup named = group_argument(group);
    const Start from = start_argument(start);
    without_gil([&] { of(self).add_group(named, from); });
    return none();
  });
}

PyObject* remove_group(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [group, force] = arguments("remove_group", {values, count, names}, {"group", "force"}, 1, 1);
    const std::string name = text_argument("group", group);
    const RemoveOptions options{.force = force != nullptr && flag_argument("force", force)};
    without_gil([&] { of(self).remove_group(name, options); });
    return none();
  });
}

template <class Action>
PyObject* with_group(const char* function, const Call& call, const Action& action) {
  return guarded([&] {
    const auto [group] = arguments(function, call, {"group"}, 1, 1);
    const std::string name = text_argument("group", group);
    without_gil([&] { action(name); });
    return none();
  });
}

PyObject* pause_group(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return with_group("pause_group", {values, count, names}, [self](const auto& name) { of(self).pause_group(name); });
}

PyObject* resume_group(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return with_group("resume_group", {values, count, names}, [self](const auto& name) { of(self).resume_group(name); });
}

PyObject* evict(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [consumer] = arguments("evict", {values, count, names}, {"consumer"}, 1, 1);
    // A number that no consumer has stays one.
    const auto index =
        static_cast<unsigned>(std::min<std::uint64_t>(number_argument("consumer", consumer), 0xffffffff));
    without_gil([&] { of(self).evict(index); });
    return none();
  });
}

PyObject* ack_message(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [group, at] = arguments("ack_message", {values, count, names}, {"group", "position"}, 2, 2);
    const std::string name = text_argument("group", group);
    const std::uint64_t position = number_argument("position", at);
    without_gil([&] { of(self).ack_message(name, position); });
    return none();
  });
}

PyObject* move_message(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [group, at, to, timeout] =
        arguments("move_message", {values, count, names}, {"group", "position", "target", "timeout"}, 3, 3);
    const std::string name = text_argument("group", group);
    const std::uint64_t position = number_argument("position", at);
    if (PyObject_TypeCheck(to, types.queue) == 0) fail(PyExc_TypeError, "target must be a beltway.Queue");
    const Queue target = of(to);
    const Deadline deadline = deadline_argument(timeout);
    // In one piece: between two of them a consumer could get the message. A signal ends the wait.
    Status status = Status::interrupted;
    while (status == Status::interrupted) {
      without_gil([&] { status = of(self).move_message(name, position, target, deadline.whole()); });
      check_signals();
    }
    if (status != Status::ok) raise_status(status, context_of("move a message to", target.name()));
    return none();
  });
}

PyObject* purge(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [group] = arguments("purge", {values, count, names}, {"group"}, 1, 1);
    const std::string name = text_argument("group", group);
    PurgeResult result;
    without_gil([&] { result = of(self).purge(name); });
    return info_object(result).release();
  });
}

PyObject* reset_group(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [group, to] = arguments("reset_group", {values, count, names}, {"group", "to"}, 2, 2);
    const std::string name = text_argument("group", group);
    ResetResult result;
    if (PyUnicode_Check(to) != 0) {
      const Start start = start_argument(to);
      without_gil([&] { result = of(self).reset_group(name, start); });
    } else if (PyLong_Check(to) != 0) {
      const std::uint64_t position = number_argument("to", to);
      without_gil([&] { result = of(self).reset_group(name, position); });
    } else {
      const PublishTime time = datetime_argument(to);
      without_gil([&] { result = of(self).reset_group(name, time); });
    }
    return info_object(result).release();
  });
}

PyObject* describe(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    QueueInfo info;
    without_gil([&] { info = of(self).describe(); });
    return info_object(info).release();
  });
}

PyObject* snapshot(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    QueueSnapshot state;
    without_gil([&] { state = of(self).snapshot(); });
    return info_object(state).release();
  });
}

PyObject* peek(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, most, group, from] =
        arguments("peek", {values, count, names}, {"count", "max_bytes", "group", "from_"}, 1, 1);
    PeekOptions options{.count = number_argument("count", wanted)};
    if (most != nullptr) options.max_bytes = number_argument("max_bytes", most);
    if (group != nullptr) options.group = text_argument("group", group);
    if (from != nullptr && from != Py_None) options.from = number_argument("from_", from);
    std::vector<PeekedMessage> found;
    without_gil([&] { found = of(self).peek(options); });
    return info_list(found).release();
  });
}

PyObject* get_name(PyObject* self, void* /*closure*/) {
  return guarded([&] { return text(of(self).name()).release(); });
}
PyObject* get_id(PyObject* self, void* /*closure*/) { return PyLong_FromUnsignedLongLong(of(self).id()); }
PyObject* get_options(PyObject* self, void* /*closure*/) {
  return guarded([&] { return options_dict(of(self).options()).release(); });
}

PyObject* represent(PyObject* self) {
  return guarded([&] { return text("<beltway.Queue \"" + of(self).name() + "\">").release(); });
}

void dealloc(PyObject* self) {
  delete reinterpret_cast<QueueObject*>(self)->state;
  free_object(self);
}

constexpr int k_fast = METH_FASTCALL | METH_KEYWORDS;

PyMethodDef methods[] = {
    {"producer", as_method(producer), k_fast,
     "producer($self, *, name=..., wait=..., populate=..., lock_memory=...)\n--\n\nAttaches a producer.\n\n"
     "name: a producer's name, for sequence numbers that survive it. wait: \"adaptive\", \"spin\" or \"sleep\"."},
    {"consumer", as_method(consumer), k_fast,
     "consumer($self, *, group=..., create_group=..., lossy=..., conflate=..., start=..., follow=..., "
     "end_of_stream=..., "
     "ack=..., prefetch=..., wait=..., populate=..., lock_memory=..., spin_backoff=..., speculative_spin=..., "
     "reattach=...)\n--\n\nAttaches a consumer.\n\n"
     "group: shares the messages with the other consumers of this group; without one it sees every message.\n"
     "create_group: make the group if it is missing. start: \"latest\" or \"oldest\", for a group that this makes.\n"
     "lossy: producers overtake it, and it learns what it lost. conflate: with lossy, the newest message only.\n"
     "end_of_stream: \"by_group\", \"never\", \"after_producer\" or \"drained\". follow: the same as \"never\".\n"
     "ack: \"explicit\" or \"automatic\". prefetch: messages that it holds at most; 0: as many as there are slots.\n"
     "A consumer leases only what a call returns, so this default is right for jobs; for batches make it small.\n"
     "wait: \"adaptive\", \"spin\" or \"sleep\". reattach: go on after an eviction."},
    {"wait_for_consumers", as_method(wait_for_consumers), k_fast,
     "wait_for_consumers($self, count, *, timeout=None)\n--\n\nWaits until so many consumers are attached. False when "
     "the time "
     "is over."},
    {"wait_for_producers", as_method(wait_for_producers), k_fast,
     "wait_for_producers($self, count, *, timeout=None)\n--\n\nWaits until so many producers are attached. False when "
     "the time "
     "is over."},
    {"add_group", as_method(add_group), k_fast,
     "add_group($self, group, *, start='latest')\n--\n\nMakes a named group: a name, or a NamedGroup. No effect if it "
     "exists."},
    {"remove_group", as_method(remove_group), k_fast,
     "remove_group($self, group, *, force=False)\n--\n\nRemoves a named group. Its consumers get Removed."},
    {"pause_group", as_method(pause_group), k_fast,
     "pause_group($self, group)\n--\n\nThe consumers of the group get no messages until resume_group()."},
    {"resume_group", as_method(resume_group), k_fast, "resume_group($self, group)\n--\n\nEnds a pause."},
    {"reset_group", as_method(reset_group), k_fast,
     "reset_group($self, group, to)\n--\n\nLets a group begin elsewhere: \"oldest\", \"latest\", a position, or a "
     "datetime."},
    {"evict", as_method(evict), k_fast,
     "evict($self, consumer)\n--\n\nTakes the messages of a consumer away and gives them to the others. Its number is "
     "that of "
     "EndpointInfo.index."},
    {"ack_message", as_method(ack_message), k_fast,
     "ack_message($self, group, position)\n--\n\nAcknowledges one message of a group that no consumer holds: the group "
     "loses it.\n\nOwner and root only. Raises NotFound if the group needs no message there, Misuse if an endpoint "
     "holds it."},
    {"move_message", as_method(move_message), k_fast,
     "move_message($self, group, position, target, *, timeout=None)\n--\n\nMoves one message of a group that no "
     "consumer holds to another queue, with its properties.\n\n"
     "Waits while the target is full, for 30 seconds at most, then raises Timeout: the message is where it was.\n"
     "Owner and root only, with the right to publish to the target. Errors as ack_message(), and TooLarge."},
    {"purge", as_method(purge), k_fast,
     "purge($self, group)\n--\n\nAcknowledges all messages of the group that no consumer holds."},
    {"describe", describe, METH_NOARGS, "describe($self, /)\n--\n\nReturns what the daemon knows: a QueueInfo."},
    {"snapshot", snapshot, METH_NOARGS,
     "snapshot($self, /)\n--\n\nReturns the state of the queue, read from its memory: a QueueSnapshot."},
    {"peek", as_method(peek), k_fast,
     "peek($self, count, *, max_bytes=65536, group='', from_=None)\n--\n\nReturns copies of the oldest messages of a "
     "group, or of those from position from_ on. Takes none."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef members[] = {
    {"name", get_name, nullptr, "Its name.", nullptr},
    {"id", get_id, nullptr, "Its number, which is never used again.", nullptr},
    {"options", get_options, nullptr, "Its options when it was declared or opened, as a dict.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_doc,
     const_cast<char*>("A queue, made by Connection.declare() or open_queue(). Makes producers and consumers.\n\n"
                       "All threads may use it at once. Each call asks the daemon.")},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {Py_tp_repr, as_slot(represent)},
    {Py_tp_dealloc, as_slot(dealloc)},
    {0, nullptr}};

}  // namespace

PyType_Spec queue_spec{"beltway.Queue", sizeof(QueueObject), 0, k_type_flags, slots};

PyObject* new_queue(Queue queue) {
  return new_object<QueueObject>(types.queue, std::make_unique<Queue>(std::move(queue)));
}

}  // namespace beltway::python
