// The event loop's calls.
#include "beltway/event_loop.hpp"

#include "c/handles.hpp"
#include "c/last_error.hpp"

using beltway::c::fail_by_null;
using beltway::c::guarded;

namespace beltway::c {

namespace {

/// `call(loop)`, which returns nothing; `handler` may not be null.
template <class Handler, class Call>
beltway_status with(const char* name, beltway_loop* loop, Handler handler, const Call& call) {
  if (loop == nullptr) return fail_by_null(name, "loop");
  if (handler == nullptr) return fail_by_null(name, "handler");
  return guarded([&] {
    call(loop->loop);
    return BELTWAY_OK;
  });
}

}  // namespace

}  // namespace beltway::c

using beltway::c::with;

beltway_status beltway_loop_new(beltway_loop** loop) {
  if (loop == nullptr) return fail_by_null("beltway_loop_new", "loop");
  return guarded([&] {
    *loop = new beltway_loop{};
    return BELTWAY_OK;
  });
}

void beltway_loop_free(beltway_loop* loop) { delete loop; }

beltway_status beltway_loop_on_readable(beltway_loop* loop, int fd, beltway_readable_handler handler, void* context) {
  return with("beltway_loop_on_readable", loop, handler,
              [&](beltway::EventLoop& at) { at.on_readable(fd, [handler, context, fd] { handler(context, fd); }); });
}

beltway_status beltway_loop_when_readable(beltway_loop* loop, int fd, beltway_readable_handler handler, void* context) {
  return with("beltway_loop_when_readable", loop, handler,
              [&](beltway::EventLoop& at) { at.when_readable(fd, [handler, context, fd] { handler(context, fd); }); });
}

beltway_status beltway_loop_on_message(beltway_loop* loop, beltway_consumer* consumer, beltway_outcome_handler handler,
                                       void* context) {
  if (consumer == nullptr) return fail_by_null("beltway_loop_on_message", "consumer");
  return with("beltway_loop_on_message", loop, handler, [&](beltway::EventLoop& at) {
    at.on_message(consumer->consumer, [handler, context](beltway::Result<beltway::Message> received) {
      handler(context, beltway::c::status_of(received.status()), received ? beltway::c::c(&*received) : nullptr);
    });
  });
}

void beltway_loop_forget(beltway_loop* loop, int fd) {
  if (loop != nullptr) loop->loop.forget(fd);
}

beltway_status beltway_loop_run(beltway_loop* loop, int64_t timeout_us, const beltway_stop* stop) {
  if (loop == nullptr) return fail_by_null("beltway_loop_run", "loop");
  return guarded([&] { return beltway::c::status_of(loop->loop.run(beltway::c::until(timeout_us, stop))); });
}

void beltway_loop_stop(beltway_loop* loop) {
  if (loop != nullptr) loop->loop.stop();
}
