// The sending end of a queue.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "beltway/bytes.hpp"
#include "beltway/detail/inline_publish.hpp"
#include "beltway/info.hpp"
#include "beltway/options.hpp"
#include "beltway/properties.hpp"
#include "beltway/result.hpp"
#include "beltway/status.hpp"
#include "beltway/until.hpp"

namespace beltway {

template <class T>
class TypedProducer;

}  // namespace beltway

namespace beltway::endpoint {
class ProducerCore;
}  // namespace beltway::endpoint

namespace beltway::detail {

struct ProducerCoreDeleter {
  void operator()(InlinePublisher* core) const noexcept;
};

/// A callback that writes a message into its place, without owning it.
struct Writer {
  void* object;
  void (*call)(void* object, std::span<std::byte> place);
};

}  // namespace beltway::detail

namespace beltway {

/// Memory in the producer's lane, to be written in place and then committed. Move-only.
///
/// Promised: no consumer sees it before its commit, and its place in the order is that of the commit. Its bytes stay writable
/// until then. A process that dies with an open loan leaves no message.
/// Thread safety: as its Producer, in the same thread.
/// Blocking: commit() waits while the ring is full, commit_until() as long as it is told. try_commit() and drop() never block.
/// End: commit, drop() or destruction. It must not outlive its Producer.
/// Errors: commit() throws Error, the others return a Status; Error(misuse) for a loan that has ended, in each of them.
class Loan {
 public:
  Loan() noexcept = default;
  Loan(Loan&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)),
        data_(other.data_),
        size_(other.size_),
        record_(other.record_),
        block_(other.block_) {}
  Loan& operator=(Loan&& other) noexcept {
    if (this != &other) {
      drop();
      core_ = std::exchange(other.core_, nullptr);
      data_ = other.data_;
      size_ = other.size_;
      record_ = other.record_;
      block_ = other.block_;
    }
    return *this;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    if (core_ != nullptr) drop();
  }

  /// The memory to write, aligned to 64 bytes. Its contents are whatever was there before.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Publishes the whole loan, or its first `size` bytes. Waits while the ring is full. Returns the message's position.
  /// A short message is copied into its slot. Throws Error(removed, evicted, interrupted,
  /// misuse: more than was lent, or ended before); the loan stays open if it was interrupted.
  std::uint64_t commit() { return commit(size_); }
  std::uint64_t commit(std::size_t size) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_);
    return put(size);
  }

  /// As commit, without waiting or for as long as `until` allows; the loan stays open unless Status::ok.
  [[nodiscard]] Status try_commit() { return try_commit(size_); }
  [[nodiscard]] Status try_commit(std::size_t size) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_);
    return try_put(size);
  }
  [[nodiscard]] Status commit_until(std::size_t size, const Until& until) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_);
    return put_until(size, until);
  }

  /// Ends the loan without a message.
  void drop() noexcept;

  /// True while the loan is open.
  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  friend class Producer;
  Loan(detail::InlinePublisher* core, std::byte* data, std::size_t size, std::uint64_t record) noexcept
      : core_(core), data_(data), size_(size), record_(record) {}
  std::uint64_t put(std::size_t size);
  Status try_put(std::size_t size);
  Status put_until(std::size_t size, const Until& until);
  /// Publishes its first `size` bytes if nothing is in the way. Throws Error(misuse).
  bool commit_now(std::size_t size);
  [[gnu::noinline]] void commit_slowly(std::size_t size);
  /// Writes a properties block to its beginning, which is no part of bytes() then.
  void begin_with(const std::byte* block, std::size_t bytes, std::uint64_t times) noexcept;
  [[nodiscard]] std::size_t block_bytes() const noexcept { return static_cast<std::uint32_t>(block_); }
  /// Writes the times into the properties that count from the commit.
  void stamp() noexcept;

  [[nodiscard]] endpoint::ProducerCore& core() const noexcept;

  detail::InlinePublisher* core_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t record_ = 0;
  std::uint64_t block_ =
      0;  // bytes of the properties right before data_, and the times that the commit writes: see Loan::stamp()
};

/// What one publish may ask for, beside its bytes.
struct PublishOptions {
  /// Named producers only: a number that must be above that of each message that the name has published; gaps are allowed. A
  /// number that is not above gets Status::duplicate. 0: none.
  std::uint64_t sequence = 0;
  Properties properties = {};
};

/// One attached producer.
///
/// Thread safety: one thread at a time; between two calls it may be handed on to another thread, as a strand, a pool or a
/// coroutine does. Two threads at once are a misuse, which throws Error(misuse) where it is noticed: always where a call
/// waits, and in programs compiled without NDEBUG at most calls. Different Producer objects are independent, also of one queue.
/// Made by Queue::producer(). Destroying it detaches; what was published stays.
///
/// Each way to publish has three forms. The blocking form (`publish`) waits while a reliable group holds the ring or the lane
/// full, returns the message's position and throws Error(removed, evicted, too_large, interrupted, forked). The try form
/// never blocks, the `_until` form waits as long as it is told; both return a Status (ok, full, timeout, stopped, interrupted,
/// too_large, removed, evicted) and have published nothing unless it is ok.
///
/// pthread_cancel() ends no call: it takes effect at the thread's next cancellation point afterwards.
class Producer {
 public:
  Producer(Producer&&) noexcept = default;
  Producer& operator=(Producer&&) noexcept = default;
  ~Producer() = default;

  /// Copies `message` into the queue: into its slot if it has at most slot_bytes - 16 bytes, else into the lane.
  [[gnu::always_inline]] std::uint64_t publish(Bytes message) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    const detail::InlinePublisher::Outcome put = core_->try_publish(message);
    if (put == detail::InlinePublisher::Outcome::published) [[likely]]
      return core_->last();
    return publish_slowly(put, message);
  }
  [[nodiscard, gnu::always_inline]] Status try_publish(Bytes message) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    const detail::InlinePublisher::Outcome put = core_->try_publish(message);
    if (put == detail::InlinePublisher::Outcome::published) [[likely]]
      return Status::ok;
    return try_publish_slowly(put, message);
  }
  [[nodiscard]] Status publish_until(Bytes message, const Until& until);

  /// As above, with properties, which lie before the payload: both together must fit the slot or the lane.
  /// Properties beyond their limits: Status::too_large or Error(too_large), which names the field. Empty ones: none.
  std::uint64_t publish(Bytes message, const Properties& properties);
  [[nodiscard]] Status try_publish(Bytes message, const Properties& properties);
  [[nodiscard]] Status publish_until(Bytes message, const Properties& properties, const Until& until);

  /// As publish, with options. A sequence number needs a named producer (ProducerOptions::name), else Error(misuse). A number
  /// that is not above last_sequence() publishes nothing and returns Status::duplicate. The queue stores the number together with
  /// the message: a producer that was killed, and starts again under its name, publishes no message twice if it gives each
  /// message the same number again.
  Result<std::uint64_t> publish(Bytes message, const PublishOptions& options);
  [[nodiscard]] Status try_publish(Bytes message, const PublishOptions& options);
  [[nodiscard]] Status publish_until(Bytes message, const PublishOptions& options, const Until& until);
  /// The highest sequence number that this producer's name has published; 0: none, or no name. Throws Error(forked).
  [[nodiscard]] std::uint64_t last_sequence() const;

  /// One message from several parts, laid end to end.
  std::uint64_t publish_parts(std::span<const Bytes> parts);
  std::uint64_t publish_parts(std::initializer_list<Bytes> parts) {
    return publish_parts(std::span<const Bytes>(parts.begin(), parts.size()));
  }
  [[nodiscard]] Status try_publish_parts(std::span<const Bytes> parts);
  [[nodiscard]] Status publish_parts_until(std::span<const Bytes> parts, const Until& until);
  std::uint64_t publish_parts(std::span<const Bytes> parts, const Properties& properties);
  std::uint64_t publish_parts(std::initializer_list<Bytes> parts, const Properties& properties) {
    return publish_parts(std::span<const Bytes>(parts.begin(), parts.size()), properties);
  }
  [[nodiscard]] Status try_publish_parts(std::span<const Bytes> parts, const Properties& properties);
  [[nodiscard]] Status publish_parts_until(std::span<const Bytes> parts, const Properties& properties,
                                           const Until& until);

  /// Lets `write(std::span<std::byte>)` write `size` bytes straight into their place. A small message is written while its
  /// slot is claimed, and all positions behind it wait: the callback must be short, and must not touch this queue. If it
  /// throws, the position is skipped by all groups and the exception goes on.
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  std::uint64_t publish(std::size_t size, Write&& write) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    const detail::InlinePublisher::Outcome put = core_->try_publish(size, fill_of(size, write));
    if (put == detail::InlinePublisher::Outcome::published) [[likely]]
      return core_->last();
    return finish_publish<Write>(put, size, std::forward<Write>(write));
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  [[nodiscard]] Status try_publish(std::size_t size, Write&& write) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    const detail::InlinePublisher::Outcome put = core_->try_publish(size, fill_of(size, write));
    if (put == detail::InlinePublisher::Outcome::published) [[likely]]
      return Status::ok;
    return finish_try_publish<Write>(put, size, std::forward<Write>(write));
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  [[nodiscard]] Status publish_until(std::size_t size, Write&& write, const Until& until) {
    return publish_writer_until(size, writer_of(write), until);
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  std::uint64_t publish(std::size_t size, const Properties& properties, Write&& write) {
    return publish_writer(size, properties, writer_of(write));
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  [[nodiscard]] Status try_publish(std::size_t size, const Properties& properties, Write&& write) {
    return try_publish_writer(size, properties, writer_of(write));
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  [[nodiscard]] Status publish_until(std::size_t size, const Properties& properties, Write&& write,
                                     const Until& until) {
    return publish_writer_until(size, properties, writer_of(write), until);
  }
  /// Likewise, with options. A callback that throws leaves its sequence number unused.
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  Result<std::uint64_t> publish(std::size_t size, Write&& write, const PublishOptions& options) {
    return publish_writer(size, writer_of(write), options);
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  [[nodiscard]] Status try_publish(std::size_t size, Write&& write, const PublishOptions& options) {
    return try_publish_writer(size, writer_of(write), options);
  }
  template <class Write>
    requires std::is_invocable_v<Write&, std::span<std::byte>>
  [[nodiscard]] Status publish_until(std::size_t size, Write&& write, const PublishOptions& options,
                                     const Until& until) {
    return publish_writer_until(size, writer_of(write), options, until);
  }

  /// Publishes all messages in order; wakes sleepers once. Cheaper a message than publish(). The try and `_until` forms return
  /// how many were published, as write() does: fewer than all if something came in between, which the next call says; a Status
  /// if that comes before the first. No messages at all are 0 messages published. The error of publish_batch() says how many.
  void publish_batch(std::span<const Bytes> messages);
  Result<std::size_t> try_publish_batch(std::span<const Bytes> messages);
  Result<std::size_t> publish_batch_until(std::span<const Bytes> messages, const Until& until);

  /// Lends `size` bytes of the lane, to be written in place and then committed:
  ///
  ///   beltway::Loan image = out.loan(size);
  ///   camera.read(image.bytes());
  ///   image.commit();
  ///
  /// `loan` waits for room as publish() does and throws as it does; `loan_until` and `try_loan` return a Status instead (full,
  /// timeout, stopped, interrupted, too_large, removed, evicted). Several loans may be open and commit in any order. An open
  /// loan holds the lane's bytes behind it. No call waits for memory that open loans of the same producer hold: `loan` and
  /// `loan_until` throw Error(limit_reached) then.
  Loan loan(std::size_t size) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    return lend(size);
  }
  Result<Loan> loan_until(std::size_t size, const Until& until) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    return lend_until(size, until);
  }
  Result<Loan> try_loan(std::size_t size) {
    const detail::DebugSingleUse<detail::InlinePublisher> use(core_.get());
    return try_lend(size);
  }
  /// As above, for a message with properties, which are written now: afterwards their texts may go.
  Loan loan(std::size_t size, const Properties& properties);
  Result<Loan> loan_until(std::size_t size, const Properties& properties, const Until& until);
  Result<Loan> try_loan(std::size_t size, const Properties& properties);

  /// As Consumer::poll_fd(): readable when a try that failed with Status::full may succeed; after a full ring or lane, when a
  /// good part of it (a quarter) is free.
  [[nodiscard]] int poll_fd();

  /// Ends the call that waits now, or the next one that has to wait, once: with Status::interrupted, or Error(interrupted) of a
  /// call that returns no Status. In event mode the descriptor becomes readable, and the next try that finds the queue full
  /// says interrupted. From any thread and from signal handlers, as long as the Producer is neither moved nor destroyed. No
  /// effect in a forked child.
  void interrupt() const noexcept;

  /// `Status status = co_await producer.send(loop, message)`: publishes in a coroutine and waits for room through poll_fd().
  /// The bytes must stay until then. Defined in beltway/coroutine.hpp. Status ok, too_large, removed or evicted.
  template <class Loop>
  [[nodiscard]] auto send(Loop& loop, Bytes message);
  /// As above, with properties. They are copied, their views are not: texts, headers and dead letter must stay as the bytes do.
  template <class Loop>
  [[nodiscard]] auto send(Loop& loop, Bytes message, const Properties& properties);

  /// Bytes of the largest message and loan that this queue takes.
  [[nodiscard]] std::size_t max_message_bytes() const noexcept;
  /// Bytes of the largest message that lies in its slot.
  [[nodiscard]] std::size_t max_inline_bytes() const noexcept;

  /// What this endpoint has counted so far. Cheap; same thread as the rest. Throws Error(forked).
  [[nodiscard]] ProducerCounters counters() const;

  /// The endpoint's index among the queue's producers, 0 to max_producers - 1; Message::producer() shows it.
  [[nodiscard]] unsigned index() const noexcept;
  [[nodiscard]] const std::string& queue_name() const noexcept;

  explicit Producer(endpoint::ProducerCore* core) noexcept;

 private:
  friend class Loan;
  template <class T>
  friend class TypedProducer;

  /// As publish_batch, for messages of a batch of `batch_size` whose first `published_before` are published already.
  void publish_part_of_batch(std::span<const Bytes> messages, std::size_t published_before, std::size_t batch_size);
  template <class Write>
  static detail::Writer writer_of(Write& write) noexcept {
    return {const_cast<void*>(static_cast<const void*>(&write)),
            [](void* object, std::span<std::byte> place) { (*static_cast<Write*>(object))(place); }};
  }
  template <class Write>
  [[gnu::always_inline]] static auto fill_of(std::size_t size, Write& write) noexcept {
    return [size, &write](std::byte* place) noexcept(std::is_nothrow_invocable_v<Write&, std::span<std::byte>>) {
      write(std::span<std::byte>(place, size));
    };
  }
  /// What is left to do after an attempt at once. A temporary callback is moved: so it need not lie in memory when the message is
  /// published inline.
  template <class Write>
  using Passed = std::conditional_t<std::is_move_constructible_v<Write>, Write, Write&>;
  template <class Write>
  [[gnu::noinline, gnu::cold]] std::uint64_t finish_publish(detail::InlinePublisher::Outcome put, std::size_t size,
                                                            Passed<Write> write) {
    return publish_writer(put, size, writer_of(write));
  }
  template <class Write>
  [[nodiscard, gnu::noinline, gnu::cold]] Status finish_try_publish(detail::InlinePublisher::Outcome put,
                                                                    std::size_t size, Passed<Write> write) {
    return try_publish_writer(put, size, writer_of(write));
  }
  Loan lend(std::size_t size);
  Result<Loan> lend_until(std::size_t size, const Until& until);
  Result<Loan> try_lend(std::size_t size);
  [[gnu::noinline]] Loan loan_slowly(std::size_t size);
  /// What is left to do after an attempt at once.
  std::uint64_t publish_slowly(detail::InlinePublisher::Outcome put, Bytes message);
  [[nodiscard]] Status try_publish_slowly(detail::InlinePublisher::Outcome put, Bytes message);
  std::uint64_t publish_writer(detail::InlinePublisher::Outcome put, std::size_t size, detail::Writer writer);
  [[nodiscard]] Status try_publish_writer(detail::InlinePublisher::Outcome put, std::size_t size,
                                          detail::Writer writer);
  [[nodiscard]] Status publish_writer_until(std::size_t size, detail::Writer writer, const Until& until);
  std::uint64_t publish_writer(std::size_t size, const Properties& properties, detail::Writer writer);
  [[nodiscard]] Status try_publish_writer(std::size_t size, const Properties& properties, detail::Writer writer);
  [[nodiscard]] Status publish_writer_until(std::size_t size, const Properties& properties, detail::Writer writer,
                                            const Until& until);
  Result<std::uint64_t> publish_writer(std::size_t size, detail::Writer writer, const PublishOptions& options);
  [[nodiscard]] Status try_publish_writer(std::size_t size, detail::Writer writer, const PublishOptions& options);
  [[nodiscard]] Status publish_writer_until(std::size_t size, detail::Writer writer, const PublishOptions& options,
                                            const Until& until);
  [[nodiscard]] endpoint::ProducerCore& core() const noexcept;

  std::unique_ptr<detail::InlinePublisher, detail::ProducerCoreDeleter> core_;
};

}  // namespace beltway
