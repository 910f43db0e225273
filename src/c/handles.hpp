// What the handles of the C API are, and the structs of its users that are C++ objects at the same time.
//
// A beltway_message is a Message, a beltway_loan a Loan, and a beltway_bytes a Bytes: the same bytes, so that no call copies
// them, and a batch is an array of them. All zeroes is an empty object. So their layouts are a part of the ABI; the asserts
// below and tests/c keep them.
#pragma once

#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <stop_token>

#include "beltway/beltway.h"
#include "beltway/bytes.hpp"
#include "beltway/connection.hpp"
#include "beltway/consumer.hpp"
#include "beltway/event_loop.hpp"
#include "beltway/message.hpp"
#include "beltway/producer.hpp"
#include "beltway/queue.hpp"
#include "beltway/stop.hpp"
#include "beltway/until.hpp"
#include "c/shown.hpp"

struct beltway_connection {
  beltway::Connection link;
};
struct beltway_queue {
  beltway::Queue queue;
  /// The queue's options in C, made by the first call that asks for them.
  mutable std::once_flag shows_options = {};
  mutable beltway::c::Arena arena = {};
  mutable const beltway_queue_options* options = nullptr;
};
struct beltway_producer {
  beltway::Producer producer;
};
struct beltway_consumer {
  beltway::Consumer consumer;
};
struct beltway_loop {
  beltway::EventLoop loop;
};
struct beltway_stop {
  std::stop_source source;
  std::optional<beltway::StopOn> signals = {};
  /// Passes a stop of `signals` on to `source`.
  struct Request {
    std::stop_source* source;
    void operator()() const noexcept { source->request_stop(); }
  };
  std::optional<std::stop_callback<Request>> pass_on = {};
};

namespace beltway::c {

template <class Cpp, class C>
constexpr bool is_same_shape = sizeof(Cpp) == sizeof(C) && alignof(Cpp) == alignof(C);
static_assert(is_same_shape<Message, beltway_message> && std::is_standard_layout_v<Message>);
static_assert(is_same_shape<Loan, beltway_loan> && std::is_standard_layout_v<Loan>);
static_assert(is_same_shape<Bytes, beltway_bytes> && std::is_standard_layout_v<Bytes>);

[[nodiscard]] inline Message& cpp(beltway_message* message) noexcept { return *reinterpret_cast<Message*>(message); }
[[nodiscard]] inline const Message& cpp(const beltway_message* message) noexcept {
  return *reinterpret_cast<const Message*>(message);
}
[[nodiscard]] inline beltway_message* c(Message* message) noexcept {
  return reinterpret_cast<beltway_message*>(message);
}
[[nodiscard]] inline std::span<Message> cpp(beltway_message* messages, std::size_t count) noexcept {
  return {reinterpret_cast<Message*>(messages), count};
}
[[nodiscard]] inline Loan& cpp(beltway_loan* loan) noexcept { return *reinterpret_cast<Loan*>(loan); }
[[nodiscard]] inline std::span<const Bytes> cpp(const beltway_bytes* bytes, std::size_t count) noexcept {
  return {reinterpret_cast<const Bytes*>(bytes), count};
}

/// As the waiting calls have it. `stop` may be null.
[[nodiscard]] Until until(std::int64_t timeout_us, const beltway_stop* stop);

}  // namespace beltway::c
