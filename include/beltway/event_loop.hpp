// A small event loop on epoll with callbacks, for programs that have none, and the contract of poll_fd() for those that have
// one.
//
// The contract of Consumer::poll_fd() and Producer::poll_fd():
// - The first call puts the endpoint into event mode. From then on a try that finds nothing (Status::empty,
//   prefetch_limit or full) arms it: it says that it sleeps, and polls once more. Only arming makes the descriptor quiet, and
//   it costs about a microsecond and three system calls; tries that find something cost none.
// - Readable means: something may have changed since the last try. For a consumer a message, the end of the stream,
//   removal, eviction, or at the prefetch limit an acknowledgement; for a producer a good part (a quarter) of the ring or
//   lane is free, a slot that another was writing is finished, or removal. It stays readable until a try has found nothing.
// - A level-triggered loop (poll, epoll without EPOLLET) may do any number of tries for each time that it is readable. An
//   edge-triggered one must try until nothing is found.
// - A spurious wake (readable, but the try finds nothing) is harmless: the try arms again. It happens when another consumer of
//   the group was faster, after poll_fd() itself, and after blocking calls, which may be mixed in.
// - The end of the stream and removal stay readable, as the end of a file does: stop watching then.
// - Do not read from it, write to it or close it; it ends with its endpoint. Remove it from a loop before that.
//
// Thread safety: one thread at a time, except stop().
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "beltway/consumer.hpp"
#include "beltway/detail/same_library.hpp"
#include "beltway/message.hpp"
#include "beltway/status.hpp"
#include "beltway/until.hpp"

namespace beltway {

/// A loop over epoll that calls handlers for messages and for readable descriptors. Neither copied nor moved.
///
/// Promised: handlers run inside run() only, one at a time. A busy consumer does not starve other descriptors: after
/// detail::k_messages_per_turn messages they get their turn. Handlers may add, replace and forget descriptors, also their own.
/// Thread safety: one thread at a time, except stop().
/// Blocking: run() waits as its Until says. The other members never block.
/// End of run(): no descriptor is left, stop(), a stop request, the deadline, or a signal.
/// Errors: Error(system), Error(misuse). An exception of a handler leaves run(); the loop can go on afterwards.
class EventLoop {
 public:
  using Callback = std::function<void()>;

  /// Throws Error(system).
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Calls `callback` again and again while `fd` is readable (level-triggered), until forget(fd). Replaces what was said of
  /// `fd` before. An exception of a callback leaves run(), and the loop can go on. Throws Error(system).
  void on_readable(int fd, Callback callback) { watch(fd, std::move(callback), false); }

  /// Calls `callback` once, in run(), when `fd` is readable; see also coroutine.hpp. Otherwise as on_readable().
  void when_readable(int fd, Callback callback) { watch(fd, std::move(callback), true); }

  /// Calls `handler(Result<Message>)` for each message, and at last once with the reason why there will be none: end_of_stream,
  /// removed or evicted; then the consumer is forgotten. Calls it with interrupted after Consumer::interrupt(), and goes on.
  /// The consumer must stay where it is until then, or until forget(consumer.poll_fd()).
  template <class Handler>
  void on_message(Consumer& consumer, Handler handler) {
    // Shared, so that a handler may forget its consumer while it runs.
    on_readable(consumer.poll_fd(), [this, &consumer, fd = consumer.poll_fd(), handler = std::move(handler)]() mutable {
      const std::uint64_t registration = registration_of(fd);
      for (unsigned i = 0; i < detail::k_messages_per_turn; ++i) {
        Result<Message> received = consumer.try_receive();
        const Status status = received.status();
        if (status == Status::empty || status == Status::prefetch_limit) return;
        if (status != Status::ok && status != Status::interrupted) forget(fd);
        handler(std::move(received));
        if (registration_of(fd) != registration) return;  // forgotten, perhaps with the consumer
      }
    });
  }

  /// From now on nothing said of `fd` is called. In callbacks, too, of any descriptor; no effect if `fd` is unknown.
  void forget(int fd) noexcept;

  /// Calls callbacks until nothing is left to wait for: Status::ok. Ends earlier with stopped (stop(), or a stop request),
  /// timeout (the deadline) or interrupted (a signal, as Until says). A stop() that was called before also counts if nothing is
  /// left to wait for. Inside of a callback of the same loop: Error(misuse).
  Status run(const Until& until = {});

  /// Makes run(), or the next one, return soon. Any thread, and signal handlers.
  void stop() noexcept;

 private:
  struct Watched {
    Callback callback;  // empty while it is being called
    std::uint64_t registration = 0;
    bool once = false;
    bool active = true;  // false: was called, and may be called again after another when_readable()
  };

  void watch(int fd, Callback callback, bool once);
  void control(int fd, const Watched& watched, bool known);
  [[nodiscard]] std::uint64_t registration_of(int fd) const noexcept;
  [[nodiscard]] bool take_stop() noexcept;
  void call(int fd, std::uint32_t registration);

  std::unordered_map<int, Watched> watched_;
  std::size_t active_ = 0;
  std::uint64_t last_registration_ = 0;
  bool runs_ = false;
  int epoll_ = -1;
  int stop_ = -1;
};

}  // namespace beltway
