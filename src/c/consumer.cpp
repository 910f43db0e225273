// The calls of a consumer that receive. They are the inline fast path of Consumer and a call around it: the message is made in
// the program's struct.
#include "beltway/consumer.hpp"

#include <memory>
#include <utility>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/shown_counters.hpp"
#include "c/structs.hpp"

using beltway::c::fail_by_null;
using beltway::c::guarded;
using beltway::c::status_of;

namespace beltway::c {

namespace {

/// Makes the message that `receive(consumer)` returns in the program's struct.
template <class Receive>
[[gnu::always_inline]] inline beltway_status receive_into(const char* call, beltway_consumer* consumer,
                                                          beltway_message* message, const Receive& receive) {
  if (consumer == nullptr || message == nullptr) [[unlikely]]
    return fail_by_null(call, consumer == nullptr ? "consumer" : "message");
  if (message->internal_owner != nullptr) [[unlikely]]
    beltway_message_drop(message);
  return guarded([&] {
    Result<Message> received = receive(consumer->consumer);
    if (!received) [[unlikely]]
      return status_of(received.status());
    std::construct_at(&cpp(message), std::move(*received));
    return BELTWAY_OK;
  });
}

/// `receive(consumer, place)` returns how many messages it made there.
template <class Receive>
beltway_status receive_batch(const char* call, beltway_consumer* consumer, beltway_message* messages,
                             std::size_t capacity, std::size_t* count, const Receive& receive) {
  if (count == nullptr) return fail_by_null(call, "count");
  *count = 0;
  if (consumer == nullptr) return fail_by_null(call, "consumer");
  if (messages == nullptr && capacity != 0) return fail_by_null(call, "messages");
  return guarded([&] {
    const Result<std::size_t> received = receive(consumer->consumer, cpp(messages, capacity));
    if (received) *count = *received;
    return status_of(received.status());
  });
}

}  // namespace

}  // namespace beltway::c

using beltway::Consumer;
using beltway::Message;
using beltway::c::receive_batch;
using beltway::c::receive_into;

beltway_status beltway_consumer_new(const beltway_queue* queue, const beltway_consumer_options* options,
                                    beltway_consumer** consumer) {
  if (queue == nullptr) return fail_by_null("beltway_consumer_new", "queue");
  if (consumer == nullptr) return fail_by_null("beltway_consumer_new", "consumer");
  return guarded([&] {
    *consumer = new beltway_consumer{queue->queue.consumer(beltway::c::cpp(options))};
    return BELTWAY_OK;
  });
}

void beltway_consumer_free(beltway_consumer* consumer) { delete consumer; }

beltway_status beltway_receive(beltway_consumer* consumer, beltway_message* message) {
  return receive_into("beltway_receive", consumer, message, [](Consumer& in) { return in.receive(); });
}

beltway_status beltway_try_receive(beltway_consumer* consumer, beltway_message* message) {
  return receive_into("beltway_try_receive", consumer, message, [](Consumer& in) { return in.try_receive(); });
}

beltway_status beltway_receive_until(beltway_consumer* consumer, beltway_message* message, int64_t timeout_us,
                                     const beltway_stop* stop) {
  return receive_into("beltway_receive_until", consumer, message,
                      [&](Consumer& in) { return in.receive(beltway::c::until(timeout_us, stop)); });
}

beltway_status beltway_receive_batch(beltway_consumer* consumer, beltway_message* messages, size_t capacity,
                                     size_t* count) {
  return receive_batch("beltway_receive_batch", consumer, messages, capacity, count,
                       [](Consumer& in, std::span<Message> out) { return in.receive_batch(out); });
}

beltway_status beltway_try_receive_batch(beltway_consumer* consumer, beltway_message* messages, size_t capacity,
                                         size_t* count) {
  return receive_batch("beltway_try_receive_batch", consumer, messages, capacity, count,
                       [](Consumer& in, std::span<Message> out) { return in.try_receive_batch(out); });
}

beltway_status beltway_receive_batch_until(beltway_consumer* consumer, beltway_message* messages, size_t capacity,
                                           size_t* count, int64_t timeout_us, const beltway_stop* stop) {
  return receive_batch(
      "beltway_receive_batch_until", consumer, messages, capacity, count,
      [&](Consumer& in, std::span<Message> out) { return in.receive_batch(out, beltway::c::until(timeout_us, stop)); });
}

beltway_status beltway_consume(beltway_consumer* consumer, beltway_message_handler handler, void* context,
                               int64_t timeout_us, const beltway_stop* stop) {
  if (consumer == nullptr) return fail_by_null("beltway_consume", "consumer");
  if (handler == nullptr) return fail_by_null("beltway_consume", "handler");
  return guarded([&] {
    const beltway::Until until = beltway::c::until(timeout_us, stop);
    for (;;) {
      beltway::Result<Message> received = consumer->consumer.receive(until);
      if (!received) return status_of(received.status());
      if (handler(context, beltway::c::c(&*received)) != 0) return BELTWAY_OK;
      if (until.is_over()) return until.stop().stop_requested() ? BELTWAY_STOPPED : BELTWAY_TIMEOUT;
    }
  });
}

int beltway_consumer_poll_fd(beltway_consumer* consumer) {
  int fd = -1;
  if (consumer == nullptr) {
    fail_by_null("beltway_consumer_poll_fd", "consumer");
    return fd;
  }
  guarded([&] {
    fd = consumer->consumer.poll_fd();
    return BELTWAY_OK;
  });
  return fd;
}

void beltway_consumer_interrupt(const beltway_consumer* consumer) {
  if (consumer != nullptr) consumer->consumer.interrupt();
}

uint32_t beltway_consumer_index(const beltway_consumer* consumer) {
  return consumer == nullptr ? 0 : consumer->consumer.index();
}
uint64_t beltway_consumer_reattached(const beltway_consumer* consumer) {
  return consumer == nullptr ? 0 : consumer->consumer.reattached();
}
const char* beltway_consumer_queue_name(const beltway_consumer* consumer) {
  return consumer == nullptr ? "" : consumer->consumer.queue_name().c_str();
}
const char* beltway_consumer_group(const beltway_consumer* consumer) {
  return consumer == nullptr ? "" : consumer->consumer.group().c_str();
}

beltway_status beltway_consumer_get_counters(const beltway_consumer* consumer, beltway_consumer_counters* counters) {
  if (consumer == nullptr) return fail_by_null("beltway_consumer_get_counters", "consumer");
  if (counters == nullptr) return fail_by_null("beltway_consumer_get_counters", "counters");
  return guarded([&] {
    beltway::c::fill_known(counters, "beltway_consumer_counters",
                           [&](beltway_consumer_counters& to) { beltway::c::fill(to, consumer->consumer.counters()); });
    return BELTWAY_OK;
  });
}
