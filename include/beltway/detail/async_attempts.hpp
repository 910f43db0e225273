// What the operations of asio.hpp do, without the loop: each is tried again until it need not wait, then its handler gets the
// outcome.
//
// Thread safety: the pump of its endpoint runs it, one thread at a time.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <span>
#include <utility>

#include "beltway/bytes.hpp"
#include "beltway/consumer.hpp"
#include "beltway/message.hpp"
#include "beltway/producer.hpp"
#include "beltway/properties.hpp"
#include "beltway/status.hpp"
#include "beltway/status_error_code.hpp"

namespace beltway::detail {

using boost::system::error_code;

template <class Result>
struct AsyncOutcome {
  template <class Handler>
  void deliver(Handler& handler) {
    std::move(handler)(error, std::move(result));
  }
  error_code error = {};
  Result result = {};
};

struct AsyncVoidOutcome {
  template <class Handler>
  void deliver(Handler& handler) {
    std::move(handler)(error);
  }
  error_code error = {};
};

[[nodiscard]] inline bool must_wait(Status status) noexcept {
  return status == Status::empty || status == Status::prefetch_limit || status == Status::full;
}

struct AsyncReceive : AsyncOutcome<Message> {
  bool attempt() {
    Result<Message> received = consumer->try_receive();
    error = received.status();
    if (received) result = std::move(*received);
    return !must_wait(received.status());
  }
  Consumer* consumer;
};

struct AsyncReceiveBatch : AsyncOutcome<std::size_t> {
  bool attempt() {
    const Result<std::size_t> batch = consumer->try_receive_batch(out);
    error = batch.status();
    result = batch.value_or(0);
    return !must_wait(batch.status());
  }
  Consumer* consumer;
  std::span<Message> out;
};

struct AsyncPublish : AsyncVoidOutcome {
  bool attempt() {
    const Status status = producer->try_publish(message);
    error = status;
    return !must_wait(status);
  }
  Producer* producer;
  Bytes message;
};

struct AsyncPublishWithProperties : AsyncVoidOutcome {
  bool attempt() {
    const Status status = producer->try_publish(message, properties);
    error = status;
    return !must_wait(status);
  }
  Producer* producer;
  Bytes message;
  Properties properties;
};

struct AsyncLoanOutcome : AsyncOutcome<Loan> {
  bool take(Result<Loan> lent) {
    error = lent.status();
    if (lent) result = std::move(*lent);
    return !must_wait(lent.status());
  }
};

struct AsyncLoan : AsyncLoanOutcome {
  bool attempt() { return take(producer->try_loan(size)); }
  Producer* producer;
  std::size_t size;
};

struct AsyncLoanWithProperties : AsyncLoanOutcome {
  bool attempt() { return take(producer->try_loan(size, properties)); }
  Producer* producer;
  std::size_t size;
  Properties properties;
};

}  // namespace beltway::detail
