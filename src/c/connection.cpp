// The calls of a connection that make and open queues.
#include "beltway/connection.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/shown.hpp"
#include "c/structs.hpp"

using beltway::c::fail_by_null;
using beltway::c::guarded;

namespace beltway::c {

namespace {

/// True if each option has a name.
bool are_names(const char* const* said, std::size_t count) {
  return std::none_of(said, said + count, [](const char* option) { return option == nullptr; });
}

beltway_declared* show_declared(const Connection::Declared& from) {
  return make_shown<beltway_declared>([&](beltway_declared& to, Arena& arena) {
    to.changes = arena.array(from.changed, [&](const OptionChange& each) -> const beltway_option_change* {
      return &arena.keep(beltway_option_change{.size = sizeof(beltway_option_change),
                                               .option = arena.text(each.option),
                                               .group = arena.text(each.group),
                                               .from = arena.text(each.from),
                                               .to = arena.text(each.to)});
    });
    to.change_count = from.changed.size();
    to.created = from.created;
  });
}

/// Makes a queue's handle of what `get()` returns.
template <class Get>
beltway_status give_queue(const char* call, const beltway_connection* connection, const char* name,
                          beltway_queue** queue, const Get& get) {
  if (connection == nullptr) return fail_by_null(call, "connection");
  if (name == nullptr) return fail_by_null(call, "name");
  if (queue == nullptr) return fail_by_null(call, "queue");
  return guarded([&] {
    *queue = new beltway_queue{get()};
    return BELTWAY_OK;
  });
}

}  // namespace

}  // namespace beltway::c

using beltway::c::give_queue;

beltway_status beltway_open(const beltway_connection_options* options, beltway_connection** connection) {
  if (connection == nullptr) return fail_by_null("beltway_open", "connection");
  return guarded([&] {
    *connection = new beltway_connection{beltway::Connection::open(beltway::c::cpp(options))};
    return BELTWAY_OK;
  });
}

void beltway_close(beltway_connection* connection) { delete connection; }

beltway_status beltway_declare(const beltway_connection* connection, const char* name,
                               const beltway_queue_options* options, beltway_queue** queue) {
  return give_queue("beltway_declare", connection, name, queue, [&] {
    return options == nullptr ? connection->link.declare(name)
                              : connection->link.declare(name, beltway::c::cpp(options));
  });
}

beltway_status beltway_declare_some(const beltway_connection* connection, const char* name,
                                    const beltway_queue_options* options, const char* const* said, size_t said_count,
                                    beltway_queue** queue, bool* created) {
  if (said == nullptr && said_count != 0) return fail_by_null("beltway_declare_some", "said");
  if (!beltway::c::are_names(said, said_count)) return fail_by_null("beltway_declare_some", "said[...]");
  return give_queue("beltway_declare_some", connection, name, queue, [&] {
    beltway::Connection::Declared declared = connection->link.declare_some(
        name, beltway::c::cpp(options), std::vector<std::string>(said, said + said_count));
    if (created != nullptr) *created = declared.created;
    return declared.queue;
  });
}

beltway_status beltway_declare_some_told(const beltway_connection* connection, const char* name,
                                         const beltway_queue_options* options, const char* const* said,
                                         size_t said_count, beltway_queue** queue, beltway_declared** declared) {
  constexpr const char* k_call = "beltway_declare_some_told";
  if (said == nullptr && said_count != 0) return fail_by_null(k_call, "said");
  if (!beltway::c::are_names(said, said_count)) return fail_by_null(k_call, "said[...]");
  if (declared == nullptr) return fail_by_null(k_call, "declared");
  return give_queue(k_call, connection, name, queue, [&] {
    beltway::Connection::Declared done = connection->link.declare_some(
        name, beltway::c::cpp(options), std::vector<std::string>(said, said + said_count));
    *declared = beltway::c::show_declared(done);
    return done.queue;
  });
}

void beltway_declared_free(beltway_declared* declared) { beltway::c::free_shown(declared); }

beltway_status beltway_open_queue(const beltway_connection* connection, const char* name, beltway_queue** queue) {
  return give_queue("beltway_open_queue", connection, name, queue, [&] { return connection->link.open_queue(name); });
}

beltway_status beltway_open_queue_until(const beltway_connection* connection, const char* name, int64_t timeout_us,
                                        const beltway_stop* stop, beltway_queue** queue) {
  return give_queue("beltway_open_queue_until", connection, name, queue,
                    [&] { return connection->link.open_queue(name, beltway::c::until(timeout_us, stop)); });
}

beltway_status beltway_remove(const beltway_connection* connection, const char* name, uint32_t flags) {
  if (connection == nullptr) return fail_by_null("beltway_remove", "connection");
  if (name == nullptr) return fail_by_null("beltway_remove", "name");
  return guarded([&] {
    connection->link.remove(name, beltway::c::remove_options(flags, "beltway_remove"));
    return BELTWAY_OK;
  });
}
