// The type Connection, and connect().
#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/info.hpp"
#include "python/keyword_options.hpp"
#include "python/objects.hpp"

#include <algorithm>

#include "beltway/limits.hpp"

namespace beltway::python {

namespace {

ConnectionObject* self_of(PyObject* self) noexcept { return reinterpret_cast<ConnectionObject*>(self); }

/// A copy: another thread may close the object during the call.
Connection of(PyObject* self) {
  const auto& connection = *self_of(self)->state;
  if (!connection) throw Error(Errc::misuse, "the connection is closed; call beltway.connect() again");
  return *connection;
}

std::string name_argument(const char* function, const Call& call) {
  if (call.positional != 1) {
    fail(PyExc_TypeError, std::string(function) + "() takes the name of a queue, then options by their names, as " +
                              function + "(\"orders\", slots=1024)");
  }
  return text_argument("the name of a queue", call.values[0]);
}

PyObject* declare(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const Call call{values, count, names};
    const std::string name = name_argument("declare", call);
    QueueOptions options;
    set_options("declare", call, options, nullptr);
    const Connection link = of(self);
    std::optional<Queue> queue;
    without_gil([&] { queue = call.named() == 0 ? link.declare(name) : link.declare(name, options); });
    return new_queue(*std::move(queue));
  });
}

PyObject* declare_some(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const Call call{values, count, names};
    const std::string name = name_argument("declare_some", call);
    QueueOptions options;
    std::vector<std::string> said;
    set_options("declare_some", call, options, &said);
    const Connection link = of(self);
    std::optional<Connection::Declared> declared;
    without_gil([&] { declared = link.declare_some(name, options, said); });
    Ref queue(new_queue(declared->queue));
    return info_object(*declared, std::move(queue)).release();
  });
}

/// Waits in pieces: each asks the daemon at least once, and a signal ends the wait between them.
Queue wait_for_queue(const Connection& link, const std::string& name, const Deadline& deadline) {
  for (;;) {
    std::optional<Result<Queue, Error>> found;
    without_gil([&] { found.emplace(link.try_open_queue(name, deadline.piece())); });
    if (*found) return **std::move(found);
    const Errc reason = found->error().reason();
    if ((reason != Errc::not_found && reason != Errc::no_daemon) || deadline.is_over()) throw found->error();
    check_signals();
  }
}

PyObject* open_queue(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [queue, timeout] = arguments("open_queue", {values, count, names}, {"name", "timeout"}, 1, 1);
    const std::string name = text_argument("name", queue);
    const Connection link = of(self);
    const bool waits = timeout != nullptr && (timeout == Py_None || seconds_argument("timeout", timeout) > 0);
    if (waits) return new_queue(wait_for_queue(link, name, deadline_argument(timeout)));
    std::optional<Queue> found;
    without_gil([&] { found = link.open_queue(name); });
    return new_queue(*std::move(found));
  });
}

PyObject* remove(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [queue, force] = arguments("remove", {values, count, names}, {"name", "force"}, 1, 1);
    const std::string name = text_argument("name", queue);
    const RemoveOptions options{.force = force != nullptr && flag_argument("force", force)};
    const Connection link = of(self);
    without_gil([&] { link.remove(name, options); });
    return none();
  });
}

PyObject* list(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    const Connection link = of(self);
    std::vector<QueueInfo> queues;
    without_gil([&] { queues = link.list(); });
    return info_list(queues).release();
  });
}

PyObject* describe(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [queue] = arguments("describe", {values, count, names}, {"name"}, 1, 1);
    const std::string name = text_argument("name", queue);
    const Connection link = of(self);
    QueueInfo info;
    without_gil([&] { info = link.describe(name); });
    return info_object(info).release();
  });
}

PyObject* ping(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    const Connection link = of(self);
    Connection::DaemonInfo info;
    without_gil([&] { info = link.ping(); });
    return info_object(info).release();
  });
}

PyObject* events(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [first, most] = arguments("events", {values, count, names}, {"since", "count"}, 1, 0);
    const std::uint64_t since = first == nullptr ? 0 : number_argument("since", first);
    // A call looks at no more, whatever it is asked for.
    const auto wanted = static_cast<std::uint32_t>(
        most == nullptr ? k_max_events_per_request
                        : std::min<std::uint64_t>(number_argument("count", most), k_max_events_per_request));
    const Connection link = of(self);
    EventPage page;
    without_gil([&] { page = link.events(since, wanted); });
    return info_object(page).release();
  });
}

PyObject* close(PyObject* self, PyObject* /*nothing*/) {
  self_of(self)->state->reset();
  return none();
}

PyObject* exit_block(PyObject* self, PyObject* const* /*values*/, Py_ssize_t /*count*/) { return close(self, nullptr); }

void dealloc(PyObject* self) {
  delete self_of(self)->state;
  free_object(self);
}

constexpr int k_fast = METH_FASTCALL | METH_KEYWORDS;

#define BELTWAY_QUEUE_OPTIONS                                                                                   \
  "($self, name, /, *, slots=..., slot_bytes=..., lane_bytes=..., max_producers=..., max_consumers=..., "       \
  "max_groups=..., groups=..., mode=..., fence=..., evict_after=..., retry_delay=..., retry_delay_max=..., "    \
  "max_deliveries=..., discard=..., dead_letter=..., ttl=..., lease_timeout=..., drop_oldest=..., stamps=..., " \
  "max_parked=..., type=..., description=..., exclusive=..., expire_after=...)\n--\n\n"

PyMethodDef methods[] = {
    {"declare", as_method(declare), k_fast,
     "declare" BELTWAY_QUEUE_OPTIONS
     "Makes the queue, or opens it if it exists with these options. Without options it opens a queue as it is.\n\n"
     "Raises AlreadyExists, which names all options that differ. Missing groups are made. Times are seconds or a "
     "timedelta.\n"
     "slots: messages in the ring, a power of two (1024). slot_bytes: 16 less hold a message (128). lane_bytes: each\n"
     "producer's room for larger messages. groups: names or NamedGroup objects. mode: access as of a file (0o600).\n"
     "The guide of Beltway explains the others."},
    {"declare_some", as_method(declare_some), k_fast,
     "declare_some" BELTWAY_QUEUE_OPTIONS
     "As declare(), but compares the given options alone, and changes those that may change while the queue lives.\n\n"
     "Returns Declared: queue, created, changed."},
    {"open_queue", as_method(open_queue), k_fast,
     "open_queue($self, name, *, timeout=0)\n--\n\nOpens a queue that exists. Waits at most `timeout` seconds for a "
     "program that "
     "declares it; None: forever.\nRaises NotFound."},
    {"remove", as_method(remove), k_fast,
     "remove($self, name, *, force=False)\n--\n\nRemoves the queue. Attached programs get Removed."},
    {"list", list, METH_NOARGS, "list($self, /)\n--\n\nReturns a QueueInfo of each queue that the caller may use."},
    {"describe", as_method(describe), k_fast, "describe($self, name)\n--\n\nReturns the QueueInfo of a queue."},
    {"ping", ping, METH_NOARGS, "ping($self, /)\n--\n\nAsks the daemon for a sign of life. Returns DaemonInfo."},
    {"events", as_method(events), k_fast,
     "events($self, since=0, *, count=512)\n--\n\nReturns what the daemon has seen, from that sequence number on: an "
     "EventPage.\n\nThe daemon remembers the last 4096 events, and shows those of queues that the caller may use. The "
     "call "
     "does not\nwait: to follow the events, ask again now and then, with `next` of the page."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nEnds the connection. Queues, producers and consumers go on."},
    {"__enter__", return_self, METH_NOARGS, "__enter__($self, /)\n--\n\nReturns itself."},
    {"__exit__", as_method(exit_block), METH_FASTCALL, "__exit__($self, kind, error, trace, /)\n--\n\nCalls close()."},
    {nullptr, nullptr, 0, nullptr}};
#undef BELTWAY_QUEUE_OPTIONS

PyType_Slot slots[] = {
    {Py_tp_doc,
     const_cast<char*>("The way to the daemon, made by connect(). Declares, opens, lists and removes queues.\n\n"
                       "All threads may use it at once. Messages never go through it.")},
    {Py_tp_methods, methods},
    {Py_tp_dealloc, as_slot(dealloc)},
    {0, nullptr}};

}  // namespace

PyType_Spec connection_spec{"beltway.Connection", sizeof(ConnectionObject), 0, k_type_flags, slots};

PyObject* return_self(PyObject* self, PyObject* /*nothing*/) { return Py_NewRef(self); }

PyObject* connect(PyObject* /*module*/, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [socket, start, timeout, stopped] =
        arguments("connect", {values, count, names}, {"socket", "start_daemon", "timeout", "stopped_timeout"}, 1, 0);
    ConnectionOptions options;
    if (socket != nullptr) options.socket = text_argument("socket", socket);
    if (start != nullptr) options.start_daemon = flag_argument("start_daemon", start);
    if (timeout != nullptr) options.timeout = milliseconds_argument("timeout", timeout);
    if (!is_none(stopped)) options.stopped_timeout = milliseconds_argument("stopped_timeout", stopped);
    auto state = std::make_unique<std::optional<Connection>>();
    without_gil([&] { *state = Connection::open(options); });
    return new_object<ConnectionObject>(types.connection, std::move(state));
  });
}

}  // namespace beltway::python
