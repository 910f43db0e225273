// Consumers and producers as Boost.Asio I/O objects (Boost 1.81 or later).
//
//   beltway::AsyncConsumer orders(io, consumer);
//   orders.async_receive([](auto error, beltway::Message message) { ... });         // or use_future, use_awaitable, deferred
//   beltway::Message message = co_await orders.async_receive();
//
// Operations wait in one line, first come first served, and a single pump serves it: it tries the first, and while that finds
// nothing it waits for the endpoint's poll_fd(). So any number of operations may be outstanding, one message wakes one of
// them, and publishes keep the order in which they were started.
//
// - Where: the pump runs on the object's executor; completion handlers run on their associated executor (default: the
//   object's). An operation never completes inside the call that starts it. One that finds its message there completes in the
//   pump's next turn, without a system call of ours; after k_messages_per_turn of them, other work of the loop is let in.
// - Thread safety: operations may be started and cancelled in any thread. The endpoint itself is used by the pump alone,
//   one thread at a time; do not use it beside that unless the loop is single-threaded. As always, messages of a private
//   consumer must be released where the pump runs: give such a program one thread, or a strand as the object's executor. Keep
//   one operation outstanding on a lossy consumer: the next message overwrites the one before.
// - Cancellation: by slot (each type; per operation), cancel(), or destruction of the object: all complete with
//   asio::error::operation_aborted. A message is taken only for an operation that then completes with it: a cancelled receive
//   loses none. (`a || b` drops the later of two results that complete in the same instant, and so its message, which goes back
//   in a named group. To be exact, cancel with a timer: see examples.)
// - Memory: one allocation an operation, from the handler's associated allocator, by default Asio's recycling one: none
//   in steady state while one is outstanding (more: raise BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE).
// - Lifetime: the Consumer or Producer must outlive the object, stay where it is, and be wrapped once. poll_fd() stays open.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "beltway/bytes.hpp"
#include "beltway/consumer.hpp"
#include "beltway/detail/async_attempts.hpp"
#include "beltway/detail/async_operation_queue.hpp"
#include "beltway/detail/caught.hpp"
#include "beltway/error.hpp"
#include "beltway/message.hpp"
#include "beltway/producer.hpp"
#include "beltway/properties.hpp"
#include "beltway/status.hpp"
#include "beltway/status_error_code.hpp"

namespace beltway {

namespace detail {

namespace asio = boost::asio;
using boost::system::error_code;

/// How the pump lives in an Asio loop.
class AsioLoop {
 public:
  AsioLoop(const asio::any_io_executor& executor, int fd) : executor_(executor), descriptor_(executor, fd) {}
  ~AsioLoop() { release(); }
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  template <class Turn>
  void post(Turn turn) {
    asio::post(executor_, std::move(turn));
  }
  template <class Turn>
  void wait(Turn turn) {
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read, std::move(turn));
  }
  void stop_waiting() {
    error_code ignored;
    static_cast<void>(descriptor_.cancel(ignored));
  }
  void release() {
    if (descriptor_.is_open()) descriptor_.release();  // it is the endpoint's own
  }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  const asio::any_io_executor executor_;
  asio::posix::stream_descriptor descriptor_;
};
using AsioLine = AsyncLine<AsioLoop>;

/// What a cancellation slot calls. By number: the operation may be gone.
struct AsyncCanceller {
  void operator()(asio::cancellation_type_t type) const {
    if (type == asio::cancellation_type::none) return;
    if (const auto alive = line.lock()) alive->cancel(id);
  }
  std::weak_ptr<AsioLine> line;
  std::uint64_t id;
};

/// A handler together with the result that it is to be called with.
template <class Work, class Handler>
struct AsyncCompletion {
  using allocator_type = asio::associated_allocator_t<Handler, asio::recycling_allocator<void>>;
  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return asio::get_associated_allocator(handler, asio::recycling_allocator<void>());
  }
  void operator()() { work.deliver(handler); }

  Handler handler;
  Work work;
};

/// An operation that does `Work` and then calls `Handler`.
template <class Work, class Handler>
class AsyncOperationOf final : public AsyncOperation {
  using Completion = AsyncCompletion<Work, Handler>;
  using Allocator =
      typename std::allocator_traits<typename Completion::allocator_type>::template rebind_alloc<AsyncOperationOf>;
  using Executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

 public:
  static AsyncOperationOf* make(Handler handler, Work work, const asio::any_io_executor& loop) {
    Completion completion{std::move(handler), std::move(work)};
    Allocator allocator(completion.get_allocator());
    AsyncOperationOf* const memory = std::allocator_traits<Allocator>::allocate(allocator, 1);
    return new (memory) AsyncOperationOf(std::move(completion), loop);
  }

  bool attempt() noexcept override {
    bool over = true;
    if (const auto exception = caught([&] { over = completion_.work.attempt(); }); exception != nullptr) {
      const std::error_code code = code_of(exception);
      completion_.work.error = code == std::errc::not_enough_memory ? asio::error::no_memory : error_code(code);
    }
    return over;
  }

  void finish(bool may_run_here) override {
    const bool here = is_loop_;
    const Executor executor = executor_;
    const auto keeps_running = std::move(work_guard_);
    const Allocator allocator(completion_.get_allocator());
    Completion completion = std::move(completion_);
    free(allocator);  // first, so that the handler's next operation finds the memory
    if (!may_run_here) {
      asio::post(executor, std::move(completion));
    } else if (here) {
      completion();
    } else {
      asio::dispatch(executor, std::move(completion));
    }
  }

  void abort() override {
    completion_.work.error = asio::error::operation_aborted;
    finish(false);
  }

  void destroy() noexcept override { free(Allocator(completion_.get_allocator())); }

 private:
  AsyncOperationOf(Completion completion, const asio::any_io_executor& loop)
      : completion_(std::move(completion)), executor_(asio::get_associated_executor(completion_.handler, loop)) {
    if constexpr (std::is_same_v<Executor, asio::any_io_executor>) is_loop_ = executor_ == loop;
    if (!is_loop_) work_guard_.emplace(executor_);
  }
  ~AsyncOperationOf() = default;

  void free(Allocator allocator) noexcept {
    this->~AsyncOperationOf();
    std::allocator_traits<Allocator>::deallocate(allocator, this, 1);
  }

  Completion completion_;
  Executor executor_;
  bool is_loop_ = false;
  std::optional<asio::executor_work_guard<Executor>> work_guard_;  // another loop than ours must not run out of work
};

/// Starts an operation: what async_initiate, and with it every completion token, calls.
template <class Work>
struct AsyncInitiation {
  using executor_type = asio::any_io_executor;
  [[nodiscard]] executor_type get_executor() const noexcept { return line->loop().executor(); }

  template <class Handler, class... Arguments>
  void operator()(Handler&& handler, Arguments... arguments) const {
    auto slot = asio::get_associated_cancellation_slot(handler);
    AsyncOperation* const operation = AsyncOperationOf<Work, std::decay_t<Handler>>::make(
        std::forward<Handler>(handler), Work{{}, arguments...}, line->loop().executor());
    operation->id = line->new_id();
    if (slot.is_connected()) slot.template emplace<AsyncCanceller>(AsyncCanceller{line, operation->id});
    line->push(operation);
  }

  std::shared_ptr<AsioLine> line;
};

/// A completion token, and not properties that are given in its place.
template <class Token>
concept NoProperties = !std::is_same_v<std::remove_cvref_t<Token>, Properties>;

struct AsyncCommit : AsyncVoidOutcome {
  bool attempt() {
    const Status status = loan->try_commit(size);
    error = status;
    return !must_wait(status);
  }
  Loan* loan;
  std::size_t size;
};

}  // namespace detail

/// What both have in common; see the top of this file. Never blocks. A moved-from one may only be destroyed or assigned.
class AsyncEndpoint {
 public:
  using executor_type = boost::asio::any_io_executor;

  AsyncEndpoint(AsyncEndpoint&&) noexcept = default;
  AsyncEndpoint& operator=(AsyncEndpoint&& other) noexcept {
    if (this != &other) {
      if (line_ != nullptr) line_->close();
      line_ = std::move(other.line_);
    }
    return *this;
  }

  [[nodiscard]] executor_type get_executor() const noexcept { return line_->loop().executor(); }
  /// Completes all outstanding operations with operation_aborted, soon and not inside this call. Any thread.
  void cancel() { line_->cancel_all(); }

 protected:
  AsyncEndpoint(const executor_type& executor, int fd) : line_(std::make_shared<detail::AsioLine>(executor, fd)) {}
  ~AsyncEndpoint() {
    if (line_ != nullptr) line_->close();
  }
  template <class Where>
  static executor_type executor_of(Where& where) {
    if constexpr (std::is_convertible_v<Where&, boost::asio::execution_context&>) {
      return where.get_executor();
    } else {
      return where;
    }
  }
  template <class Work, class Signature, class Token, class... Arguments>
  auto start(Token& token, Arguments... arguments) {
    return boost::asio::async_initiate<Token, Signature>(detail::AsyncInitiation<Work>{line_}, token, arguments...);
  }

 private:
  std::shared_ptr<detail::AsioLine> line_;
};

/// A consumer in an Asio program; see the top of this file. Destroying it cancels. Errors of its operations: operation_aborted;
/// Status::end_of_stream, removed, evicted, interrupted (once after interrupt(); nothing is lost); Errc::forked in a child.
class AsyncConsumer : public AsyncEndpoint {
 public:
  /// Puts the consumer into event mode. `where`: an executor, or an execution context such as io_context. Throws Error(system),
  /// and boost::system::system_error if the loop cannot watch the descriptor.
  template <class Where>
  AsyncConsumer(Where&& where, Consumer& consumer)
      : AsyncEndpoint(executor_of(where), consumer.poll_fd()), consumer_(&consumer) {}

  /// Waits for a message: `void(error_code, Message)`. At the prefetch limit it waits for one to be acknowledged.
  template <class Token = boost::asio::deferred_t>
  auto async_receive(Token&& token = Token()) {
    return start<detail::AsyncReceive, void(detail::error_code, Message)>(token, consumer_);
  }

  /// Waits for one message, then fills `out` with what is there: `void(error_code, std::size_t count)`. Elements of `out` that
  /// still hold messages are released. `out` must stay until the operation is complete.
  template <class Token = boost::asio::deferred_t>
  auto async_receive_batch(std::span<Message> out, Token&& token = Token()) {
    return start<detail::AsyncReceiveBatch, void(detail::error_code, std::size_t)>(token, consumer_, out);
  }

 private:
  Consumer* consumer_;
};

/// A producer in an Asio program; see the top of this file. Destroying it cancels. While the queue is full its operations
/// wait. Their errors: Status::too_large, removed, evicted, and interrupted (once after interrupt(); nothing was published);
/// operation_aborted; beltway::Errc::misuse and forked.
class AsyncProducer : public AsyncEndpoint {
 public:
  template <class Where>
  AsyncProducer(Where&& where, Producer& producer)
      : AsyncEndpoint(executor_of(where), producer.poll_fd()), producer_(&producer) {}

  /// Publishes a copy of `message`, whose bytes must stay until the operation is complete: `void(error_code)`. After an error
  /// nothing was published.
  template <detail::NoProperties Token = boost::asio::deferred_t>
  auto async_publish(Bytes message, Token&& token = Token()) {
    return start<detail::AsyncPublish, void(detail::error_code)>(token, producer_, message);
  }
  /// As above, with properties. They are copied when the operation starts, their views are not: texts, headers and dead letter
  /// must stay until the operation is complete.
  template <class Token = boost::asio::deferred_t>
  auto async_publish(Bytes message, const Properties& properties, Token&& token = Token()) {
    return start<detail::AsyncPublishWithProperties, void(detail::error_code)>(token, producer_, message, properties);
  }

  /// Lends `size` bytes of the lane: `void(error_code, Loan)`. Waits for memory that own open loans hold, too.
  template <detail::NoProperties Token = boost::asio::deferred_t>
  auto async_loan(std::size_t size, Token&& token = Token()) {
    return start<detail::AsyncLoan, void(detail::error_code, Loan)>(token, producer_, size);
  }
  /// As above, for a message with properties, which are written when the memory is lent. Their views must stay until then, when
  /// the operation is complete; afterwards they may go.
  template <class Token = boost::asio::deferred_t>
  auto async_loan(std::size_t size, const Properties& properties, Token&& token = Token()) {
    return start<detail::AsyncLoanWithProperties, void(detail::error_code, Loan)>(token, producer_, size, properties);
  }

  /// Publishes the first `size` bytes of a loan of this producer: `void(error_code)`. The loan must stay where it is until the
  /// operation is complete, and is still open after an error.
  template <class Token = boost::asio::deferred_t>
  auto async_commit(Loan& loan, std::size_t size, Token&& token = Token()) {
    return start<detail::AsyncCommit, void(detail::error_code)>(token, &loan, size);
  }

 private:
  Producer* producer_;
};

}  // namespace beltway
