// The receiving end of a queue.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "beltway/detail/caught.hpp"
#include "beltway/detail/inline_receive.hpp"
#include "beltway/info.hpp"
#include "beltway/message.hpp"
#include "beltway/options.hpp"
#include "beltway/result.hpp"
#include "beltway/status.hpp"
#include "beltway/until.hpp"

namespace beltway {

namespace endpoint {
class Reattachment;
}
namespace detail {
struct ConsumerCoreDeleter {
  void operator()(InlineReceiver* core) const noexcept;
};
struct ReattachmentDeleter {
  void operator()(endpoint::Reattachment* reattachment) const noexcept;
};
}  // namespace detail

/// One attached consumer: an endpoint of a named group (competing) or of a private group (sees everything).
///
/// Promised: messages come in the queue's one order. A private group gets each message once. A named group gets each message at
/// least once: after a nack, a drop without an ack or a death the message comes again. A lossy consumer learns what it lost.
/// Thread safety: one thread at a time, as a Producer. Other threads may call interrupt(), request a stop, and end messages of
/// named groups. Different Consumer objects are independent.
/// Blocking: calls with try_ never block. The others wait as long as their Until says; without one until a message comes.
/// End: the end of the stream, removal and eviction, each as a Status. Messages in the ring come before the end of the stream
/// and before removal. Made by Queue::consumer(). Destroying it detaches, once its last message has ended.
/// Errors: a Status, in a Result. Error(forked) in a forked child, Error(misuse) for two threads at once.
class Consumer {
 public:
  Consumer(Consumer&&) noexcept = default;
  Consumer& operator=(Consumer&&) noexcept = default;
  ~Consumer() = default;

  /// A message if there is one. Never blocks. Status::empty, end_of_stream, prefetch_limit, removed or evicted otherwise.
  /// What is in the ring is delivered before end_of_stream and removed are told.
  /// Throws Error(forked) in a forked child.
  [[gnu::always_inline]] Result<Message> try_receive() {
    {
      const detail::DebugSingleUse<detail::InlineReceiver> use(core_.get());
      detail::InlineReceiver::View view;
      if (core_->try_next(view)) [[likely]]
        return received(view);
    }
    return try_receive_slowly();
  }

  /// Waits for a message: forever, for a duration, until a stop is requested. Adds Status::timeout, stopped (also while
  /// messages are there) and interrupted (see Until, and interrupt()). pthread_cancel() ends no wait.
  /// At the prefetch limit it waits for an ack or nack from another thread.
  [[gnu::always_inline]] Result<Message> receive() {
    {
      const detail::DebugSingleUse<detail::InlineReceiver> use(core_.get());
      detail::InlineReceiver::View view;
      if (take(view)) return received(view);
    }
    return receive_slowly({});
  }
  [[gnu::always_inline]] Result<Message> receive(const Until& until) {
    {
      const detail::DebugSingleUse<detail::InlineReceiver> use(core_.get());
      if (until.stop().stop_requested()) [[unlikely]]
        return Status::stopped;
      detail::InlineReceiver::View view;
      if (take(view)) return received(view);
    }
    return receive_slowly(until);
  }

  /// Fills `out` from its start with what is there, at most out.size() messages. Never blocks. Elements of `out` that
  /// still hold messages are released first. Cheaper a message than try_receive(). Returns how many, or why there is none.
  Result<std::size_t> try_receive_batch(std::span<Message> out);

  /// Waits for at least one message, then takes what is there.
  Result<std::size_t> receive_batch(std::span<Message> out, const Until& until = {});

  /// Calls `handler(Message&)` for each message until `until` is over, also while messages keep coming, or no more messages
  /// come. Returns why it ended. An exception of the handler gives the message back to a named group and leaves.
  template <class Handler>
  Status consume(Handler&& handler, const Until& until = {}) {
    for (;;) {
      Result<Message> received = receive(until);
      if (!received) return received.status();
      detail::UnwindGuard give_back([&]() noexcept { received->nack(); });
      handler(*received);
      give_back.dismiss();
      if (until.is_over()) return until.stop().stop_requested() ? Status::stopped : Status::timeout;
    }
  }

  /// A descriptor for poll, epoll, Asio or any event loop, valid as long as this Consumer. The first call puts the
  /// endpoint into event mode. It is readable whenever a try may find a message, the end of the stream or
  /// the removal. It stays readable until a try has found nothing. So a level-triggered loop calls try_receive() any
  /// number of times for each time that it is readable; an edge-triggered one until it finds nothing.
  /// Readable without a message is possible and harmless. Do not read from it. The whole contract: event_loop.hpp.
  /// Throws Error(forked).
  [[nodiscard]] int poll_fd();

  /// Ends the call that waits now, or the next one that has to wait, once, with Status::interrupted. In event mode the
  /// descriptor becomes readable, and the next try that finds nothing says interrupted. From any thread and from signal
  /// handlers, as long as the Consumer is neither moved nor destroyed. No effect in a forked child.
  void interrupt() const noexcept;

  /// `Result<Message> received = co_await consumer.next(loop)`: waits for a message in a coroutine, through poll_fd(). Defined
  /// in beltway/coroutine.hpp, which says what `loop` may be. Status ok, end_of_stream, removed or evicted.
  template <class Loop>
  [[nodiscard]] auto next(Loop& loop);

  /// What this endpoint has counted so far. Cheap; same thread as the rest. Throws Error(forked).
  [[nodiscard]] ConsumerCounters counters() const;

  /// How often it has gone on as a new endpoint after an eviction: see ConsumerOptions::reattach. counters() and index() are
  /// those of the new endpoint.
  [[nodiscard]] std::uint64_t reattached() const noexcept;

  /// The endpoint's index among the queue's consumers, 0 to max_consumers - 1.
  [[nodiscard]] unsigned index() const noexcept;

  /// The queue's name, and the group's (empty: private).
  [[nodiscard]] const std::string& queue_name() const noexcept;
  [[nodiscard]] const std::string& group() const noexcept;

  explicit Consumer(endpoint::ConsumerCore* core, endpoint::Reattachment* reattachment = nullptr) noexcept;

 private:
  /// The next message of a private group, after a moment of spinning if need be.
  [[nodiscard, gnu::always_inline]] bool take(detail::InlineReceiver::View& view) noexcept {
    if (core_->try_next(view)) [[likely]]
      return true;
    // A second call of try_next(), at another address: the processor predicts each address by its own history of results.
    return await_next() && core_->try_next(view);
  }
  [[nodiscard, gnu::always_inline]] Result<Message> received(const detail::InlineReceiver::View& view) noexcept {
    return Message(core_.get(), view.data, view.position, 0, view.size, view.producer, 0, view.properties_bytes);
  }
  /// Spins for a moment, with a private group. True if something is there.
  [[nodiscard]] bool await_next() noexcept;
  [[nodiscard]] Result<Message> try_receive_slowly();
  [[nodiscard]] Result<Message> receive_slowly(const Until& until);
  [[nodiscard]] endpoint::ConsumerCore& core() const noexcept;
  /// Calls `receive(core)`; after an eviction it attaches again and calls once more, if the options say so.
  template <class Receive>
  auto receive_or_reattach(const Receive& receive) -> decltype(receive(core()));

  std::unique_ptr<detail::InlineReceiver, detail::ConsumerCoreDeleter> core_;
  std::unique_ptr<endpoint::Reattachment, detail::ReattachmentDeleter> reattachment_;  // null without the option
};

}  // namespace beltway
