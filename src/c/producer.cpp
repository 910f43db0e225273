// The calls of a producer. beltway_publish() and beltway_try_publish() are the inline fast path of Producer and a call around it.
#include "beltway/producer.hpp"

#include <algorithm>
#include <utility>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/publish_options.hpp"
#include "c/structs.hpp"

using beltway::Bytes;
using beltway::c::fail_by_null;
using beltway::c::guarded;
using beltway::c::PublishOptionsOf;
using beltway::c::status_of;

namespace beltway::c {

namespace {

[[gnu::cold]] beltway_status fail_by_nulls(const char* call, const beltway_producer* producer) noexcept {
  return fail_by_null(call, producer == nullptr ? "producer" : "data");
}

/// True if a call may use the arguments.
[[gnu::always_inline]] inline bool is_usable(const beltway_producer* producer, const void* data,
                                             std::size_t size) noexcept {
  return producer != nullptr && (data != nullptr || size == 0);
}

/// True if a call may use the parts of a message.
bool are_usable(const beltway_producer* producer, const beltway_bytes* parts, std::size_t count) noexcept {
  return is_usable(producer, parts, count) && std::all_of(parts, parts + count, [](const beltway_bytes& part) {
           return part.data != nullptr || part.size == 0;
         });
}

/// What a call that waits without a limit returns.
beltway_status tell(std::uint64_t position, std::uint64_t* wanted) noexcept {
  if (wanted != nullptr) *wanted = position;
  return BELTWAY_OK;
}
beltway_status tell(const Result<std::uint64_t>& published, std::uint64_t* position) noexcept {
  return published ? tell(*published, position) : status_of(published.status());
}

/// True if the writer that this thread is in has given up.
constinit thread_local bool gave_up = false;

auto writer_of(beltway_writer write, void* context) noexcept {
  return [write, context](std::span<std::byte> place) {
    const bool outer = std::exchange(gave_up, false);  // of a writer that publishes to another queue
    write(context, place.data(), place.size());
    if (std::exchange(gave_up, outer)) throw GaveUp();
  };
}

}  // namespace

}  // namespace beltway::c

using beltway::c::are_usable;
using beltway::c::fail_by_nulls;
using beltway::c::is_usable;
using beltway::c::tell;
using beltway::c::writer_of;

beltway_status beltway_producer_new(const beltway_queue* queue, const beltway_producer_options* options,
                                    beltway_producer** producer) {
  if (queue == nullptr) return fail_by_null("beltway_producer_new", "queue");
  if (producer == nullptr) return fail_by_null("beltway_producer_new", "producer");
  return guarded([&] {
    *producer = new beltway_producer{queue->queue.producer(beltway::c::cpp(options))};
    return BELTWAY_OK;
  });
}

void beltway_producer_free(beltway_producer* producer) { delete producer; }

beltway_status beltway_publish(beltway_producer* producer, const void* data, size_t size) {
  if (!is_usable(producer, data, size)) [[unlikely]]
    return fail_by_nulls("beltway_publish", producer);
  return guarded([&] {
    producer->producer.publish(Bytes(data, size));
    return BELTWAY_OK;
  });
}

beltway_status beltway_try_publish(beltway_producer* producer, const void* data, size_t size) {
  if (!is_usable(producer, data, size)) [[unlikely]]
    return fail_by_nulls("beltway_try_publish", producer);
  return guarded([&] { return status_of(producer->producer.try_publish(Bytes(data, size))); });
}

beltway_status beltway_publish_until(beltway_producer* producer, const void* data, size_t size, int64_t timeout_us,
                                     const beltway_stop* stop) {
  if (!is_usable(producer, data, size)) [[unlikely]]
    return fail_by_nulls("beltway_publish_until", producer);
  return guarded([&] {
    return status_of(producer->producer.publish_until(Bytes(data, size), beltway::c::until(timeout_us, stop)));
  });
}

beltway_status beltway_publish_with(beltway_producer* producer, const void* data, size_t size,
                                    const beltway_publish_options* options, uint64_t* position) {
  if (!is_usable(producer, data, size)) return fail_by_nulls("beltway_publish_with", producer);
  return guarded([&] {
    const PublishOptionsOf wanted(options);
    if (wanted.empty()) return tell(producer->producer.publish(Bytes(data, size)), position);
    return tell(producer->producer.publish(Bytes(data, size), wanted.get()), position);
  });
}

beltway_status beltway_try_publish_with(beltway_producer* producer, const void* data, size_t size,
                                        const beltway_publish_options* options) {
  if (!is_usable(producer, data, size)) return fail_by_nulls("beltway_try_publish_with", producer);
  return guarded([&] {
    const PublishOptionsOf wanted(options);
    return status_of(producer->producer.try_publish(Bytes(data, size), wanted.get()));
  });
}

beltway_status beltway_publish_with_until(beltway_producer* producer, const void* data, size_t size,
                                          const beltway_publish_options* options, int64_t timeout_us,
                                          const beltway_stop* stop) {
  if (!is_usable(producer, data, size)) return fail_by_nulls("beltway_publish_with_until", producer);
  return guarded([&] {
    const PublishOptionsOf wanted(options);
    return status_of(
        producer->producer.publish_until(Bytes(data, size), wanted.get(), beltway::c::until(timeout_us, stop)));
  });
}

beltway_status beltway_publish_parts(beltway_producer* producer, const beltway_bytes* parts, size_t count,
                                     const beltway_properties* properties, uint64_t* position) {
  if (!are_usable(producer, parts, count)) return fail_by_nulls("beltway_publish_parts", producer);
  return guarded([&] {
    const PublishOptionsOf wanted(properties);
    return tell(producer->producer.publish_parts(beltway::c::cpp(parts, count), wanted.properties()), position);
  });
}

beltway_status beltway_try_publish_parts(beltway_producer* producer, const beltway_bytes* parts, size_t count,
                                         const beltway_properties* properties) {
  if (!are_usable(producer, parts, count)) return fail_by_nulls("beltway_try_publish_parts", producer);
  return guarded([&] {
    const PublishOptionsOf wanted(properties);
    return status_of(producer->producer.try_publish_parts(beltway::c::cpp(parts, count), wanted.properties()));
  });
}

beltway_status beltway_publish_parts_until(beltway_producer* producer, const beltway_bytes* parts, size_t count,
                                           const beltway_properties* properties, int64_t timeout_us,
                                           const beltway_stop* stop) {
  if (!are_usable(producer, parts, count)) return fail_by_nulls("beltway_publish_parts_until", producer);
  return guarded([&] {
    const PublishOptionsOf wanted(properties);
    return status_of(producer->producer.publish_parts_until(beltway::c::cpp(parts, count), wanted.properties(),
                                                            beltway::c::until(timeout_us, stop)));
  });
}

void beltway_give_up(void) { beltway::c::gave_up = true; }

beltway_status beltway_publish_writer(beltway_producer* producer, size_t size, beltway_writer write, void* context,
                                      const beltway_publish_options* options, uint64_t* position) {
  if (producer == nullptr || write == nullptr)
    return fail_by_null("beltway_publish_writer", producer == nullptr ? "producer" : "write");
  return guarded([&] {
    const PublishOptionsOf wanted(options);
    if (wanted.empty()) return tell(producer->producer.publish(size, writer_of(write, context)), position);
    return tell(producer->producer.publish(size, writer_of(write, context), wanted.get()), position);
  });
}

beltway_status beltway_try_publish_writer(beltway_producer* producer, size_t size, beltway_writer write, void* context,
                                          const beltway_publish_options* options) {
  if (producer == nullptr || write == nullptr)
    return fail_by_null("beltway_try_publish_writer", producer == nullptr ? "producer" : "write");
  return guarded([&] {
    const PublishOptionsOf wanted(options);
    if (wanted.empty()) return status_of(producer->producer.try_publish(size, writer_of(write, context)));
    return status_of(producer->producer.try_publish(size, writer_of(write, context), wanted.get()));
  });
}

beltway_status beltway_publish_writer_until(beltway_producer* producer, size_t size, beltway_writer write,
                                            void* context, const beltway_publish_options* options, int64_t timeout_us,
                                            const beltway_stop* stop) {
  if (producer == nullptr || write == nullptr)
    return fail_by_null("beltway_publish_writer_until", producer == nullptr ? "producer" : "write");
  return guarded([&] {
    const PublishOptionsOf wanted(options);
    const beltway::Until until = beltway::c::until(timeout_us, stop);
    if (wanted.empty()) return status_of(producer->producer.publish_until(size, writer_of(write, context), until));
    return status_of(producer->producer.publish_until(size, writer_of(write, context), wanted.get(), until));
  });
}
