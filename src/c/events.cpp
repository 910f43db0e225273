// What the daemon has seen.
#include "beltway/events.hpp"

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/shown.hpp"

using beltway::c::fail_by_null;

static_assert(BELTWAY_MAX_EVENTS_PER_REQUEST == beltway::k_max_events_per_request);

namespace beltway::c {

namespace {

const beltway_event* show(const Event& from, Arena& arena) {
  return &arena.keep(beltway_event{.size = sizeof(beltway_event),
                                   .sequence = from.sequence,
                                   .time_ns = from.time_ns,
                                   .monotonic_ns = from.monotonic_ns,
                                   .kind = arena.text(from.kind),
                                   .queue = arena.text(from.queue),
                                   .queue_id = from.queue_id,
                                   .group = arena.text(from.group),
                                   .role = arena.text(from.role),
                                   .command = arena.text(from.command),
                                   .text = arena.text(from.text),
                                   .index = from.index,
                                   .pid = from.pid,
                                   .uid = from.uid,
                                   .reserved = {},
                                   .voided = from.voided,
                                   .released = from.released,
                                   .messages = from.messages});
}

beltway_event_page* show_page(const EventPage& from) {
  return make_shown<beltway_event_page>([&](beltway_event_page& to, Arena& arena) {
    to.journal = from.journal;
    to.events = arena.array(from.events, [&](const Event& each) { return show(each, arena); });
    to.event_count = from.events.size();
    to.first = from.first;
    to.last = from.last;
    to.next = from.next;
    to.more = from.more;
  });
}

}  // namespace

}  // namespace beltway::c

beltway_status beltway_events(const beltway_connection* connection, uint64_t since, uint32_t count,
                              beltway_event_page** page) {
  if (connection == nullptr) return fail_by_null("beltway_events", "connection");
  if (page == nullptr) return fail_by_null("beltway_events", "page");
  return beltway::c::guarded([&] {
    *page = beltway::c::show_page(connection->link.events(since, count));
    return BELTWAY_OK;
  });
}

void beltway_event_page_free(beltway_event_page* page) { beltway::c::free_shown(page); }
