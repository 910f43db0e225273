// Watches processes that hold endpoints for which no connection answers: after a restart of the daemon, until they
// reconnect. That a process ended is the occasion to check, not the proof (a number may have been given out again).
// Ownership: pidfds. Thread safety: the daemon's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <set>

#include "os/fd.hpp"

namespace beltway::daemon {

/// Readable when the process has ended. Empty if there is none, or none that this process can see, or if the kernel or a
/// sandbox refuses.
[[nodiscard]] os::Fd open_process(int pid) noexcept;

/// The same for the process that connected `socket`, also if it is of another pid namespace (SO_PEERPIDFD, Linux 6.5). Where
/// the kernel cannot: by its number `pid`. Empty also if it has ended already.
[[nodiscard]] os::Fd open_peer_process(int socket, int pid) noexcept;

class ProcessWatch {
 public:
  /// `ended` is called for each process that ends, from within the io_context.
  ProcessWatch(boost::asio::io_context& io, std::function<void()> ended) : io_(io), ended_(std::move(ended)) {}

  /// Watches these and no others. Processes that have ended already are left out: check their locks at once.
  void watch(const std::set<int>& processes);

 private:
  boost::asio::io_context& io_;
  std::function<void()> ended_;
  std::map<int, boost::asio::posix::stream_descriptor> watched_;
};

}  // namespace beltway::daemon
