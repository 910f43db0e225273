// One end of the socket between a process and the daemon: sends and receives one JSON message at a time, with
// descriptors. SOCK_SEQPACKET keeps the boundaries of messages; SCM_RIGHTS carries the descriptors.
//
// A message is a JSON object whose field `fds` says how many descriptors came with it (missing: none). What arrives is
// input from a stranger: descriptors are owned before anything is read, and everything that is not exactly
// one object of at most k_max_protocol_bytes with the announced descriptors is refused.
//
// Ownership: a Channel owns its socket, a Packet its descriptors. Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/deadline.hpp"
#include "os/descriptor_message.hpp"
#include "os/fd.hpp"
#include "os/fork_section.hpp"
#include "os/mark.hpp"

namespace beltway::client {

struct Packet {
  nlohmann::json body;
  std::vector<os::Fd> descriptors;  ///< without a number: Arrivals took it
};

enum class ChannelStatus {
  ok,
  would_block,  ///< nothing to receive, no room to send: poll
  closed,       ///< the peer is gone
};

/// Takes descriptors as they arrive. Both are called inside a ForkSection: see there for what they must not do.
class Arrivals {
 public:
  Arrivals() = default;
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;
  virtual ~Arrivals() = default;

  /// The descriptors of one message. Those that it takes, or closes, it replaces by -1.
  virtual void arrived(std::span<int> descriptors, const os::ForkSection& section) noexcept = 0;
  /// This process has no room for all that came; they are closed.
  virtual void had_no_room() noexcept = 0;
};

class Channel {
 public:
  Channel() noexcept = default;
  /// Throws Error(system).
  explicit Channel(os::Fd socket) {
    os::mark_descriptor(socket.get(), "open a connection");
    socket_ = os::MarkedFd(std::move(socket));
  }

  /// Neither blocks. try_send throws Error(protocol) for a body beyond k_max_protocol_bytes and Error(limit_reached) when
  /// the kernel lets no more descriptors be under way. try_receive throws Error(protocol) for anything that is no
  /// message, and Error(limit_reached) when this process has no room for the descriptors. With `arrivals`, the message is
  /// received in a ForkSection.
  [[nodiscard]] ChannelStatus try_send(nlohmann::json body, std::span<const int> descriptors = {});
  [[nodiscard]] ChannelStatus try_receive(Packet& packet, Arrivals* arrivals = nullptr);

  /// As above; wait until `deadline`. False: timeout or closed; the socket is of no use afterwards, unless only the caller's
  /// time was over: what was not sent is not sent, and an answer may still come. Time in which this process did not run (it
  /// was stopped, or frozen with others) does not count.
  /// Throw Error(no_daemon) for a peer that the deadline gives up since its process is stopped (know_process()).
  [[nodiscard]] bool send(const nlohmann::json& body, Deadline deadline);
  [[nodiscard]] bool receive(Packet& packet, Deadline deadline, Arrivals* arrivals = nullptr);

  /// The daemon's process, where it is known.
  void know_process(int pid) noexcept { process_ = pid; }

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  /// False, too, if the program has closed the descriptor, with closefrom(3) for example: see mark.hpp.
  [[nodiscard]] bool is_open() const noexcept { return socket_ && socket_.is_there(); }
  /// The peer has closed its end. What it sent before can still be received.
  [[nodiscard]] bool is_cut() const noexcept;
  void close() noexcept { socket_.reset(); }

 private:
  os::MarkedFd socket_;
  int process_ = 0;  ///< 0: not known
};

}  // namespace beltway::client
