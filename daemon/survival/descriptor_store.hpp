// The daemon's side of a descriptor store: systemd, or our supervisor, holds descriptors for the daemon while it is
// dead, and hands them to the next one. The protocol is sd_notify's: datagrams to $NOTIFY_SOCKET, one name a descriptor.
//
//   FDSTORE=1, FDNAME=<name>, FDPOLL=0   hold this descriptor. FDPOLL=0: also if poll says that its other end is gone
//   FDSTOREREMOVE=1, FDNAME=<name>       forget it
//   READY=1                              the daemon answers
//   WATCHDOG=1                           the daemon's event loop runs (watchdog.hpp)
//   WATCHDOG_USEC=<microseconds>         how often it says so; 0: not at all
//
// A datagram that was sent is delivered even if the daemon is killed in the next instruction. The store says nothing back:
// its limit ($FDSTORE, from systemd 254 and from the supervisor) is kept here, or what is beyond it would be lost silently.
// Names are short, since all of them together must fit one environment variable ($LISTEN_FDNAMES, 128 KiB).
//
// The daemon never waits for a store that does not read (a stopped supervisor, a busy systemd) but for a moment once. What it has
// to say is put aside then, in order, and sent when there is room (see is_behind). Meanwhile no queue is declared: it would not
// outlive the daemon. A store that reads slowly (a machine with more work than processors) is waited for.
//
// Without a store (a bare daemon, or one whose store has gone) nothing is kept and nothing fails.
// Ownership: the notify socket, and what was inherited until it is taken. Thread safety: the daemon's one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "survival/inherit.hpp"

namespace beltway::daemon {

/// Descriptors that a store holds: their names of at most 4 characters and a colon each fit $LISTEN_FDNAMES.
inline constexpr std::size_t k_max_stored = 24'000;
inline constexpr std::size_t k_max_stored_name = 4;

class DescriptorStore {
 public:
  DescriptorStore() = default;
  /// $NOTIFY_SOCKET and what take_inherited() finds. The variables are gone afterwards, but for those of the watchdog: they name
  /// the process that they are for.
  [[nodiscard]] static DescriptorStore from_environment();

  [[nodiscard]] bool is_there() const noexcept { return static_cast<bool>(socket_); }
  /// Also if it has gone since.
  [[nodiscard]] bool was_there() const noexcept { return was_there_; }

  /// What an earlier daemon has stored by that name, if it did. It is still in the store.
  [[nodiscard]] os::Fd take(const std::string& name);
  /// All that is left, to be taken or closed.
  [[nodiscard]] std::vector<NamedFd>& inherited() noexcept { return inherited_; }
  [[nodiscard]] const std::vector<NamedFd>& inherited() const noexcept { return inherited_; }

  /// For a process that execs another daemon in its place, before it has taken anything: that daemon finds the store and
  /// all that was inherited. Turns the watchdog off: that daemon may not know it. Throws as pass_at_exec().
  void hand_on() const;

  /// Throws Error(limit_reached) if there is room for fewer than `count` more descriptors, or if the store is behind and does not
  /// read. Waits while a store that is behind reads, and once for some hundred milliseconds in which it does not.
  void require_room(std::size_t count, const std::string& context);
  /// Has a copy of the descriptor held. `descriptor` must stay open until forget(): see stored(). A store that
  /// does not take it is a store that has gone.
  void keep(const std::string& name, int descriptor) noexcept;
  void forget(const std::string& name) noexcept;
  /// WatchdogSec= of this process's unit; 0: it has no watchdog.
  [[nodiscard]] std::chrono::microseconds watchdog_time() const noexcept { return watchdog_time_; }
  /// WATCHDOG=1. If the store does not read, nothing is put aside: the next call says the same.
  void tell_alive() const noexcept;
  void notify(std::string_view state) noexcept { send({.name = {}, .text = std::string(state), .descriptor = -1}); }

  /// True if something is put aside: catch_up() must be called again.
  [[nodiscard]] bool is_behind() const noexcept { return !aside_.empty(); }
  /// Sends what there is room for. Does not wait.
  void catch_up() noexcept;

  /// All stored descriptors, for a daemon whose store has gone and which passes its queues to another program by exec.
  [[nodiscard]] const std::vector<PassedFd>& stored() const noexcept { return stored_; }

 private:
  struct Datagram {
    std::string name;  ///< of the descriptor; empty: none
    std::string text;
    int descriptor = -1;
  };
  void send(Datagram datagram) noexcept;
  /// Until nothing is put aside, or the store has read nothing for `patience_ms`. Each read begins the time anew.
  void wait_for_store(int patience_ms) noexcept;

  os::Fd socket_;
  std::string address_;  // $NOTIFY_SOCKET as it was
  std::string told_limit_;
  std::chrono::microseconds watchdog_time_{0};
  bool was_there_ = false;
  std::vector<NamedFd> inherited_;
  std::vector<PassedFd> stored_;
  std::size_t limit_ = k_max_stored;
  bool is_silent_ = false;      ///< behind, and waited for in vain since it has read something
  std::deque<Datagram> aside_;  ///< the descriptors are open until forget(), which takes them out of here
};

}  // namespace beltway::daemon
