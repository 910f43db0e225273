// A declared queue, and the endpoints made on it.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/consumer.hpp"
#include "beltway/info.hpp"
#include "beltway/options.hpp"
#include "beltway/producer.hpp"
#include "beltway/result.hpp"
#include "beltway/status.hpp"
#include "beltway/until.hpp"

namespace beltway::client {
class Session;
}  // namespace beltway::client

namespace beltway {

/// A handle of one queue: attaches producers and consumers, makes and removes groups, describes the queue.
///
/// Promised: it names the queue by a number that is never used again. Holds no shared memory itself; copies are cheap and refer
/// to the same queue. Endpoints do not need it after their attach.
/// Thread safety: all const members, from several threads at once.
/// Blocking: each call is a request to the daemon (tens of microseconds), as Connection says. Calls with an Until wait longer.
/// End: the removal of the queue. Later calls throw Error(removed), also if a new queue has the same name.
/// Errors: all calls throw Error, and those with try_ return it: no_permission, removed, those of Connection, and what each
/// call names.
class Queue {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const QueueOptions& options() const noexcept { return options_; }

  /// Attaches a producer. Needs the right to write. Error(limit_reached) if max_producers are attached.
  [[nodiscard]] Producer producer(const ProducerOptions& options = {}) const;

  /// Attaches a consumer. Needs the right to read. Error(limit_reached) if max_consumers are attached,
  /// Error(not_found) for a group that does not exist (unless create_group).
  [[nodiscard]] Consumer consumer(const ConsumerOptions& options = {}) const;

  /// As producer() and consumer(), with the Error as a value instead of an exception. They wait as long.
  [[nodiscard]] Result<Producer, Error> try_producer(const ProducerOptions& options = {}) const noexcept;
  [[nodiscard]] Result<Consumer, Error> try_consumer(const ConsumerOptions& options = {}) const noexcept;
  /// Wait until at least `count` consumers (producers) are attached, of all groups and processes. Evicted ones and those whose
  /// process has lost its daemon connection do not count. Ask the daemon now and then, with pauses of a few milliseconds.
  /// Return ok, timeout or stopped, also if the daemon is silent; it gets at least 100 ms to answer. Throw Error(removed) once
  /// the queue is gone.
  Status wait_for_consumers(unsigned count, const Until& until = {}) const;
  Status wait_for_producers(unsigned count, const Until& until = {}) const;
  /// As above, with the Error as a value. The Status may still be timeout or stopped.
  Result<Status, Error> try_wait_for_consumers(unsigned count, const Until& until = {}) const noexcept;
  Result<Status, Error> try_wait_for_producers(unsigned count, const Until& until = {}) const noexcept;

  /// Makes a named group that keeps messages from now on, consumers or not. Needs the right to read; options of its own
  /// only the owner and root may give it. No effect if it exists; Error(already_exists) if with other options.
  void add_group(const NamedGroup& group, Start start = Start::latest) const;
  Result<void, Error> try_add_group(const NamedGroup& group, Start start = Start::latest) const noexcept;
  /// Removes a named group; its consumers get Status::removed. Owner and root only. Error(misuse) for the last group of a queue
  /// that others send their dead letters to, unless `options.force`.
  void remove_group(std::string_view group, const RemoveOptions& options = {}) const;
  /// Acknowledges all messages of the group that no consumer holds, and heals the queue's shared memory where a program left
  /// disorder. The result names the messages that are left and their holders: the ring has no more room than before while its
  /// oldest message is held. Owner and root only.
  PurgeResult purge(std::string_view group) const;

  /// Pauses a named group: its consumers get no messages until resume_group(), and wait as if there were none. Messages that they
  /// hold stay theirs. The group keeps its messages, so producers wait when the ring is full. No effect if it is paused. The
  /// pause outlives all processes, the daemon included. Owner and root only; Error(not_found) for a group that does not exist.
  void pause_group(std::string_view group) const;
  /// No effect if the group is not paused. Owner and root only; Error(not_found).
  void resume_group(std::string_view group) const;
  /// Lets a named group begin elsewhere, with its consumers attached. `oldest`: at the oldest message in the ring, `latest`:
  /// behind the newest. Messages before are acknowledged. Messages from there on are delivered, also those that were acknowledged
  /// already, as long as no producer has used their slots again. A message that a consumer holds stays with it, and comes again
  /// only if the consumer gives it back. An acknowledgement during the call may count as before or after it. Owner and root only;
  /// Error(not_found).
  ResetResult reset_group(std::string_view group, Start to) const;
  /// As above, at a position. Error(invalid_option) if the ring does not have it any more, or not yet.
  ResetResult reset_group(std::string_view group, std::uint64_t position) const;
  /// As above, at the first message that was published at that time or later; behind the newest if all are older. The daemon
  /// finds it by the stamps (QueueOptions::stamps): Error(invalid_option) if no message in the ring has one. A stamp may be late
  /// by the few milliseconds of a coarse clock.
  ResetResult reset_group(std::string_view group, PublishTime published) const;

  /// Evicts a consumer, named by its index in QueueInfo::endpoints: its messages go to the other consumers of its group, and it
  /// holds up nobody any more. Its calls return Status::evicted. No effect if it is evicted already. Its process may be stopped.
  /// Owner and root only. Error(not_found): there is no such consumer. Error(misuse): it attached while evict_after was 0, so
  /// that nothing but the end of its process can end its acknowledgements; the error says what to do.
  void evict(unsigned consumer) const;
  [[nodiscard]] Result<void, Error> try_evict(unsigned consumer) const noexcept;

  /// Acknowledges one message of a named group that no consumer holds: the group loses it. Owner and root only. Error(not_found):
  /// no such group, or the group needs no message at that position. Error(misuse): an endpoint holds it; the error names it.
  void ack_message(std::string_view group, std::uint64_t position) const;
  /// Moves one message of a named group that no consumer holds to another queue, with its properties: publishes it there, then
  /// acknowledges it here. Meanwhile no consumer gets it. Waits while the target is full, for 30 s at most. Returns ok; or
  /// timeout, stopped: the target stayed full, and the message is where it was. If the process ends in between, the message
  /// stays, and may be in both queues.
  /// Owner and root of this queue only, with the right to write to the target. Errors as ack_message(), those of
  /// Queue::producer(), and Error(too_large).
  [[nodiscard]] Status move_message(std::string_view group, std::uint64_t position, const Queue& target,
                                    const Until& until = {}) const;

  /// What the daemon knows now.
  [[nodiscard]] QueueInfo describe() const;
  [[nodiscard]] Result<QueueInfo, Error> try_describe() const noexcept;
  /// Description and state, read from the shared memory without taking part. Needs the right to read.
  [[nodiscard]] QueueSnapshot snapshot() const;
  /// Copies of up to `count` messages of `group` that are still there, the oldest first (an empty group: of the whole ring),
  /// each cut to `max_bytes`; nothing is taken. Needs the right to read.
  [[nodiscard]] std::vector<PeekedMessage> peek(std::size_t count, std::size_t max_bytes = 65536,
                                                std::string_view group = {}) const;
  /// As above, from any position on: the copies of a page do not begin with all that lies before it.
  [[nodiscard]] std::vector<PeekedMessage> peek(const PeekOptions& options) const;

  Queue(std::shared_ptr<client::Session> session, QueueInfo info);

 private:
  std::shared_ptr<client::Session> session_;
  std::string name_;
  std::uint64_t id_ = 0;
  QueueOptions options_;
};

}  // namespace beltway
