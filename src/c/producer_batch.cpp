// Batches and loans of a producer, and what it tells of itself.
#include <string>
#include <utility>

#include "beltway/producer.hpp"
#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/publish_options.hpp"
#include "c/shown_counters.hpp"
#include "c/structs.hpp"

using beltway::c::fail_by_null;
using beltway::c::guarded;
using beltway::c::status_of;

namespace beltway::c {

namespace {

/// True if each message has bytes.
bool have_bytes(std::span<const Bytes> messages) noexcept {
#pragma GCC unroll 8
  for (const Bytes& message : messages) {
    if (message.data() == nullptr && message.size() != 0) [[unlikely]]
      return false;
  }
  return true;
}

/// `publish(batch)` returns how many of the messages were published, or why none was.
template <class Publish>
beltway_status publish_batch(const char* call, beltway_producer* producer, const beltway_bytes* messages,
                             std::size_t count, std::size_t* published, const Publish& publish) {
  if (published != nullptr) *published = 0;
  if (producer == nullptr) return fail_by_null(call, "producer");
  if (messages == nullptr && count != 0) return fail_by_null(call, "messages");
  if (!have_bytes(cpp(messages, count))) [[unlikely]]
    return fail_by_null(call, "messages[...].data");
  return guarded([&] {
    const Result<std::size_t> done = publish(producer->producer, cpp(messages, count));
    if (published != nullptr && done) *published = *done;
    return status_of(done.status());
  });
}

/// What ended a batch that waits without a limit.
[[gnu::cold]] beltway_status fail_in_batch(const Producer& producer, Status status, std::size_t done,
                                           std::size_t count) {
  Errc reason = Errc::interrupted;
  if (status == Status::too_large) reason = Errc::too_large;
  if (status == Status::removed) reason = Errc::removed;
  if (status == Status::evicted) reason = Errc::evicted;
  std::string text = "publish to \"" + producer.queue_name() + "\": " + std::string(to_string(status)) +
                     "; the first " + std::to_string(done) + " of the batch of " + std::to_string(count) +
                     " were published";
  if (reason == Errc::too_large)
    text += "; a message may have at most " + std::to_string(producer.max_message_bytes()) + " bytes";
  return fail(reason, text);
}

/// `lend(producer, properties)` returns a loan or why there is none. NULL properties: none.
template <class Lend>
beltway_status lend(const char* call, beltway_producer* producer, const beltway_properties* properties,
                    beltway_loan* loan, const Lend& lend) {
  if (producer == nullptr) return fail_by_null(call, "producer");
  if (loan == nullptr) return fail_by_null(call, "loan");
  beltway_loan_drop(loan);
  return guarded([&] {
    Result<Loan> lent = [&] {
      if (properties == nullptr) return lend(producer->producer, nullptr);
      const PublishOptionsOf wanted(properties);
      return lend(producer->producer, &wanted.properties());
    }();
    if (lent) cpp(loan) = std::move(*lent);
    return status_of(lent.status());
  });
}

/// It has ended.
void forget(beltway_loan* loan) noexcept {
  loan->data = nullptr;
  loan->size = 0;
}

}  // namespace

}  // namespace beltway::c

using beltway::Bytes;
using beltway::Loan;
using beltway::Producer;
using beltway::Properties;
using beltway::Result;

beltway_status beltway_publish_batch(beltway_producer* producer, const beltway_bytes* messages, size_t count,
                                     size_t* published) {
  size_t all = 0;
  const beltway_status first = beltway::c::publish_batch(
      "beltway_publish_batch", producer, messages, count, &all,
      [](Producer& out, std::span<const Bytes> batch) { return out.publish_batch_until(batch, {}); });
  if (published != nullptr) *published = all;
  if (first == BELTWAY_OK && all == count) [[likely]]
    return BELTWAY_OK;
  if (first == BELTWAY_ERROR) return first;
  return guarded([&] {
    auto status = static_cast<beltway::Status>(first);
    while (status == beltway::Status::ok && all < count) {
      const Result<std::size_t> more =
          producer->producer.publish_batch_until(beltway::c::cpp(messages + all, count - all), {});
      if (more) all += *more;
      if (published != nullptr) *published = all;
      status = more.status();
    }
    if (status == beltway::Status::ok) return BELTWAY_OK;
    return beltway::c::fail_in_batch(producer->producer, status, all, count);
  });
}

beltway_status beltway_try_publish_batch(beltway_producer* producer, const beltway_bytes* messages, size_t count,
                                         size_t* published) {
  return beltway::c::publish_batch(
      "beltway_try_publish_batch", producer, messages, count, published,
      [](Producer& out, std::span<const Bytes> batch) { return out.try_publish_batch(batch); });
}

beltway_status beltway_publish_batch_until(beltway_producer* producer, const beltway_bytes* messages, size_t count,
                                           size_t* published, int64_t timeout_us, const beltway_stop* stop) {
  return beltway::c::publish_batch("beltway_publish_batch_until", producer, messages, count, published,
                                   [&](Producer& out, std::span<const Bytes> batch) {
                                     return out.publish_batch_until(batch, beltway::c::until(timeout_us, stop));
                                   });
}

beltway_status beltway_lend(beltway_producer* producer, size_t size, const beltway_properties* properties,
                            beltway_loan* loan) {
  return beltway::c::lend("beltway_lend", producer, properties, loan,
                          [size](Producer& out, const Properties* with) -> Result<Loan> {
                            return with == nullptr ? out.loan(size) : out.loan(size, *with);
                          });
}

beltway_status beltway_try_lend(beltway_producer* producer, size_t size, const beltway_properties* properties,
                                beltway_loan* loan) {
  return beltway::c::lend("beltway_try_lend", producer, properties, loan,
                          [size](Producer& out, const Properties* with) {
                            return with == nullptr ? out.try_loan(size) : out.try_loan(size, *with);
                          });
}

beltway_status beltway_lend_until(beltway_producer* producer, size_t size, const beltway_properties* properties,
                                  beltway_loan* loan, int64_t timeout_us, const beltway_stop* stop) {
  return beltway::c::lend("beltway_lend_until", producer, properties, loan, [&](Producer& out, const Properties* with) {
    const beltway::Until until = beltway::c::until(timeout_us, stop);
    return with == nullptr ? out.loan_until(size, until) : out.loan_until(size, *with, until);
  });
}

beltway_status beltway_commit(beltway_loan* loan, size_t size, uint64_t* position) {
  if (loan == nullptr) return fail_by_null("beltway_commit", "loan");
  return guarded([&] {
    const std::uint64_t at = beltway::c::cpp(loan).commit(size);
    beltway::c::forget(loan);
    if (position != nullptr) *position = at;
    return BELTWAY_OK;
  });
}

beltway_status beltway_try_commit(beltway_loan* loan, size_t size) {
  if (loan == nullptr) return fail_by_null("beltway_try_commit", "loan");
  return guarded([&] {
    const beltway::Status status = beltway::c::cpp(loan).try_commit(size);
    if (status == beltway::Status::ok) beltway::c::forget(loan);
    return status_of(status);
  });
}

beltway_status beltway_commit_until(beltway_loan* loan, size_t size, int64_t timeout_us, const beltway_stop* stop) {
  if (loan == nullptr) return fail_by_null("beltway_commit_until", "loan");
  return guarded([&] {
    const beltway::Status status = beltway::c::cpp(loan).commit_until(size, beltway::c::until(timeout_us, stop));
    if (status == beltway::Status::ok) beltway::c::forget(loan);
    return status_of(status);
  });
}

void beltway_loan_drop(beltway_loan* loan) {
  if (loan == nullptr || loan->internal_owner == nullptr) return;
  beltway::c::cpp(loan).drop();
  beltway::c::forget(loan);
}

int beltway_producer_poll_fd(beltway_producer* producer) {
  int fd = -1;
  if (producer == nullptr) {
    fail_by_null("beltway_producer_poll_fd", "producer");
    return fd;
  }
  guarded([&] {
    fd = producer->producer.poll_fd();
    return BELTWAY_OK;
  });
  return fd;
}

void beltway_producer_interrupt(const beltway_producer* producer) {
  if (producer != nullptr) producer->producer.interrupt();
}

uint64_t beltway_producer_last_sequence(const beltway_producer* producer) {
  std::uint64_t last = 0;
  if (producer == nullptr) return last;
  guarded([&] {
    last = producer->producer.last_sequence();
    return BELTWAY_OK;
  });
  return last;
}
size_t beltway_producer_max_message_bytes(const beltway_producer* producer) {
  return producer == nullptr ? 0 : producer->producer.max_message_bytes();
}
size_t beltway_producer_max_inline_bytes(const beltway_producer* producer) {
  return producer == nullptr ? 0 : producer->producer.max_inline_bytes();
}
uint32_t beltway_producer_index(const beltway_producer* producer) {
  return producer == nullptr ? 0 : producer->producer.index();
}
const char* beltway_producer_queue_name(const beltway_producer* producer) {
  return producer == nullptr ? "" : producer->producer.queue_name().c_str();
}

beltway_status beltway_producer_get_counters(const beltway_producer* producer, beltway_producer_counters* counters) {
  if (producer == nullptr) return fail_by_null("beltway_producer_get_counters", "producer");
  if (counters == nullptr) return fail_by_null("beltway_producer_get_counters", "counters");
  return guarded([&] {
    beltway::c::fill_known(counters, "beltway_producer_counters",
                           [&](beltway_producer_counters& to) { beltway::c::fill(to, producer->producer.counters()); });
    return BELTWAY_OK;
  });
}
