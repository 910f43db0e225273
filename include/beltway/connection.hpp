// The way to the daemon: declares, opens, lists and removes queues.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/detail/same_library.hpp"
#include "beltway/events.hpp"
#include "beltway/info.hpp"
#include "beltway/options.hpp"
#include "beltway/queue.hpp"
#include "beltway/result.hpp"
#include "beltway/until.hpp"

namespace beltway {

/// A process's control socket to one daemon: declares, opens, lists and removes queues. Messages never go through it.
///
/// Promised: queues and attached endpoints go on while the daemon is away. They keep the connection open as long as they live;
/// copies share the socket. If the socket breaks, the next request connects anew.
/// Thread safety: all members, from several threads at once; requests take turns.
/// Blocking: each call waits for the daemon's answer, at most ConnectionOptions::timeout, also while the daemon restarts. Calls
/// with an Until may wait longer.
/// End: fork(). A child must open its own connection: Error(forked).
/// Errors: all calls throw Error, and those with try_ return it: no_daemon, protocol, no_permission, limit_reached, system, and
/// what each call names.
class Connection {
 public:
  /// Connects, and starts the user's own daemon if none answers (see ConnectionOptions). Registers the process for
  /// membarrier: in a process that already runs several threads the first call takes about 10 ms.
  /// Throws Error(no_daemon, protocol, limit_reached, system).
  static Connection open(const ConnectionOptions& options = {});

  /// Opens the queue if it exists, whatever its options. Makes it with the default options if it does not.
  [[nodiscard]] Queue declare(std::string_view name) const;
  /// Makes the queue, or opens it if it exists with these options; Error(already_exists) names all options that differ.
  /// Error(already_exists), too, for an exclusive queue of another process.
  /// Missing groups of `options.groups` are made; one that exists may be named with its options or without any. An
  /// `evict_after` of 0 asks for none: a queue that exists keeps the one it has.
  [[nodiscard]] Queue declare(std::string_view name, const QueueOptions& options) const;

  struct Declared {
    Queue queue;
    bool created = false;
    std::vector<OptionChange> changed = {};  ///< of a queue that existed
  };
  /// Declares by some of the options only. `said` names them as JSON and OptionChange do: "slots", "evict_after_ms". A queue that
  /// does not exist is made with `options`. One that exists is compared in the options of `said` alone, and its missing groups
  /// are made. `evict_after` is changed to the given value, also that of a group that is named with one. For this the caller
  /// must be the queue's owner or root. A changed time counts at once for consumers that are evictable (EndpointInfo), and for
  /// all that attach later. Throws as declare(), and Error(no_permission); then nothing was made and nothing changed.
  [[nodiscard]] Declared declare_some(std::string_view name, const QueueOptions& options,
                                      const std::vector<std::string>& said) const;

  /// As declare, for messages of type T (see typed.hpp).
  template <class T>
  [[nodiscard]] auto declare(std::string_view name) const;
  template <class T>
  [[nodiscard]] auto declare(std::string_view name, QueueOptions options) const;

  /// As the calls of the same name without try_, with the Error as a value instead of an exception. They wait as long.
  static Result<Connection, Error> try_open(const ConnectionOptions& options = {}) noexcept;
  [[nodiscard]] Result<Queue, Error> try_declare(std::string_view name) const noexcept;
  [[nodiscard]] Result<Queue, Error> try_declare(std::string_view name, const QueueOptions& options) const noexcept;
  template <class T>
  [[nodiscard]] auto try_declare(std::string_view name) const noexcept;
  template <class T>
  [[nodiscard]] auto try_declare(std::string_view name, QueueOptions options) const noexcept;
  [[nodiscard]] Result<Queue, Error> try_open_queue(std::string_view name) const noexcept;
  [[nodiscard]] Result<Queue, Error> try_open_queue(std::string_view name, const Until& until) const noexcept;
  template <class T>
  [[nodiscard]] auto try_open_queue(std::string_view name) const noexcept;
  template <class T>
  [[nodiscard]] auto try_open_queue(std::string_view name, const Until& until) const noexcept;
  [[nodiscard]] Result<void, Error> try_remove(std::string_view name, const RemoveOptions& options = {}) const noexcept;
  [[nodiscard]] Result<std::vector<QueueInfo>, Error> try_list() const noexcept;
  [[nodiscard]] Result<QueueInfo, Error> try_describe(std::string_view name) const noexcept;

  /// Opens an existing queue; Error(not_found).
  [[nodiscard]] Queue open_queue(std::string_view name) const;

  /// Waits until a process has declared the queue, then opens it. Asks the daemon now and then, with pauses of a few
  /// milliseconds. Throws as open_queue(name): Error(not_found) when the time is over, Error(no_daemon) if the daemon did not
  /// answer by then. Error(interrupted) once a stop is requested. The daemon gets at least 100 ms for an answer.
  [[nodiscard]] Queue open_queue(std::string_view name, const Until& until) const;

  /// As above, for messages of type T; Error(wrong_type) if the queue has another one.
  template <class T>
  [[nodiscard]] auto open_queue(std::string_view name) const;
  template <class T>
  [[nodiscard]] auto open_queue(std::string_view name, const Until& until) const;

  /// Removes the queue: attached processes get Status::removed, its memory is freed when the last one has detached.
  /// Owner and root only. Error(misuse) names the queues that send their dead letters to it, unless `options.force`.
  void remove(std::string_view name, const RemoveOptions& options = {}) const;

  /// The queues that the caller may read or write, by name.
  [[nodiscard]] std::vector<QueueInfo> list() const;
  [[nodiscard]] QueueInfo describe(std::string_view name) const;

  /// What the daemon has seen, from that sequence number on: at most `count` events, the oldest first. It remembers the last
  /// k_max_events, also if it is started again. Shows the events of the queues that the caller may read or write. Asks once and
  /// does not wait: to follow the events, ask again now and then, with EventPage::next. Error(protocol): the daemon is older and
  /// has no events.
  [[nodiscard]] EventPage events(std::uint64_t since = 0, std::uint32_t count = k_max_events_per_request) const;
  [[nodiscard]] Result<EventPage, Error> try_events(std::uint64_t since = 0,
                                                    std::uint32_t count = k_max_events_per_request) const noexcept;

  /// A daemon of an older version does not say whose it is.
  static constexpr std::uint32_t k_unknown_uid = 0xffffffff;

  /// A queue that the daemon keeps for another version of beltwayd: no process can attach to it meanwhile.
  struct HeldQueue {
    std::string name;    ///< empty: not even that can be read
    std::string layout;  ///< of its memory, e.g. "1.1"
    std::string why;     ///< why the daemon that runs cannot use it
  };
  struct DaemonInfo {
    std::string version;
    std::string layout;  ///< of the shared memory that it makes, e.g. "2.0"; empty: a daemon of version 0.1
    int pid = 0;
    std::uint32_t uid = k_unknown_uid;  ///< the daemon's user
    std::string socket;                 ///< where it listens first
    std::string log;                    ///< the file that it logs to; empty: its standard error
    std::uint64_t log_lost = 0;  ///< lines of its log that were dropped: the log was not read, or the disk was full
    std::string asked;  ///< the socket that this connection uses: another listen socket of the same daemon, maybe
    /// More daemons of the caller's user: what is published there does not come here.
    std::vector<OtherDaemon> others = {};
    std::string passed_over = {};  ///< the newer program that was to run in its place, and why it does not; empty: none
    std::vector<HeldQueue> held = {};  ///< those that the caller may see, at most 32
  };
  /// Asks the daemon for a sign of life: which program answers, and what it cannot do. Checks whether the caller's user has
  /// other daemons.
  [[nodiscard]] DaemonInfo ping() const;
  [[nodiscard]] Result<DaemonInfo, Error> try_ping() const noexcept;

 private:
  explicit Connection(std::shared_ptr<client::Session> session) noexcept : session_(std::move(session)) {}
  std::shared_ptr<client::Session> session_;
};

}  // namespace beltway
