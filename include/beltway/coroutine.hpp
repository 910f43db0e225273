// Receiving and publishing in C++20 coroutines of any library, with nothing but the standard library:
//
//   beltway::Result<beltway::Message> order = co_await in.next(loop);
//   beltway::Status status  = co_await out.send(loop, "message");
//   beltway::Status status  = co_await out.send(loop, "message", {.key = "order-7"});
//
// All that the library's event loop must offer is a callback for a readable descriptor (see EventSource). beltway::EventLoop is
// one; an adapter for another has about ten lines. Boost.Asio users take asio.hpp: it does more.
//
// At once if a message is there, without suspending. Otherwise the coroutine is resumed by the loop, in the loop's thread. A
// coroutine that is destroyed while it waits forgets the descriptor; no message is lost: it is taken when the
// coroutine is about to be resumed. One coroutine at a time may wait for an endpoint.
//
// Thread safety: as the endpoint; so the loop's callbacks run in the thread that uses it.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <coroutine>
#include <exception>
#include <utility>

#include "beltway/bytes.hpp"
#include "beltway/consumer.hpp"
#include "beltway/detail/caught.hpp"
#include "beltway/message.hpp"
#include "beltway/producer.hpp"
#include "beltway/properties.hpp"
#include "beltway/status.hpp"

namespace beltway {

/// An event loop as this header needs it:
///   loop.when_readable(fd, callback)   calls the copyable `callback()` once, later and not inside this call, when `fd` is
///                                      readable; one callback a descriptor at a time; may throw
///   loop.forget(fd)                    drops that callback if it has not been called; does not throw
template <class Loop>
concept EventSource = requires(Loop& loop, int fd) {
  loop.when_readable(fd, [] {});
  loop.forget(fd);
};

/// What `co_await` waits on: an attempt that is made again each time that the endpoint's descriptor is readable.
/// Suspends the coroutine and never blocks a thread. Thread safety: that of its endpoint and its loop. Destroying a suspended
/// coroutine forgets the descriptor; no message is lost. An exception of the attempt or of the loop leaves the `co_await`.
template <EventSource Loop, class Attempt>
class [[nodiscard]] EndpointAwaiter {
 public:
  EndpointAwaiter(Loop& loop, Attempt attempt) : loop_(loop), attempt_(std::move(attempt)) {}
  EndpointAwaiter(const EndpointAwaiter&) = delete;
  EndpointAwaiter& operator=(const EndpointAwaiter&) = delete;
  ~EndpointAwaiter() {
    if (waits_) loop_.forget(fd_);
  }

  bool await_ready() { return attempt_.over(); }
  void await_suspend(std::coroutine_handle<> coroutine) {
    coroutine_ = coroutine;
    wait();
  }
  auto await_resume() {
    if (error_) std::rethrow_exception(error_);
    return std::move(attempt_.result);
  }

 private:
  void wait() {
    fd_ = attempt_.endpoint->poll_fd();
    loop_.when_readable(fd_, [this] { again(); });
    waits_ = true;
  }
  void again() {
    waits_ = false;
    bool over = true;
    // An exception belongs to the coroutine, not to the loop.
    std::exception_ptr exception = detail::caught([&] {
      over = attempt_.over();
      if (!over) wait();
    });
    if (!over && exception == nullptr) return;
    error_ = std::move(exception);
    coroutine_.resume();  // destroys this
  }

  Loop& loop_;
  Attempt attempt_;
  std::coroutine_handle<> coroutine_;
  std::exception_ptr error_;
  int fd_ = -1;
  bool waits_ = false;
};

namespace detail {

struct NextAttempt {
  bool over() {
    result = endpoint->try_receive();
    return result.status() != Status::empty && result.status() != Status::prefetch_limit;
  }
  Consumer* endpoint;
  Result<Message> result = Status::empty;
};

struct SendAttempt {
  bool over() { return (result = endpoint->try_publish(message)) != Status::full; }
  Producer* endpoint;
  Bytes message;
  Status result = Status::full;
};

struct SendWithPropertiesAttempt {
  bool over() { return (result = endpoint->try_publish(message, properties)) != Status::full; }
  Producer* endpoint;
  Bytes message;
  Properties properties;
  Status result = Status::full;
};

}  // namespace detail

template <class Loop>
auto Consumer::next(Loop& loop) {
  return EndpointAwaiter<Loop, detail::NextAttempt>(loop, {this});
}

template <class Loop>
auto Producer::send(Loop& loop, Bytes message) {
  return EndpointAwaiter<Loop, detail::SendAttempt>(loop, {this, message});
}

template <class Loop>
auto Producer::send(Loop& loop, Bytes message, const Properties& properties) {
  return EndpointAwaiter<Loop, detail::SendWithPropertiesAttempt>(loop, {this, message, properties});
}

}  // namespace beltway
