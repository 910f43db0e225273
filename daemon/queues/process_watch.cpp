// See process_watch.hpp.
#include "queues/process_watch.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#ifndef SYS_pidfd_open  // Linux 5.3
#define SYS_pidfd_open 434
#endif
#ifndef SO_PEERPIDFD  // Linux 6.5; Debian 12's headers do not have it
#define SO_PEERPIDFD 77
#endif

namespace beltway::daemon {

using boost::asio::posix::stream_descriptor;

os::Fd open_process(int pid) noexcept {
  return os::Fd(static_cast<int>(pid > 0 ? ::syscall(SYS_pidfd_open, pid, 0) : -1));
}

os::Fd open_peer_process(int socket, int pid) noexcept {
  int process = -1;
  socklen_t size = sizeof process;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &process, &size) == 0) return os::Fd(process);
  // Any other reason: it has ended, and its number may be another's by now.
  const bool refused =
      errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == EPERM || errno == EACCES || errno == ENOSYS;
  return refused ? open_process(pid) : os::Fd();
}

void ProcessWatch::watch(const std::set<int>& processes) {
  std::erase_if(watched_, [&](const auto& entry) { return !processes.contains(entry.first); });
  for (const int pid : processes) {
    if (watched_.contains(pid)) continue;
    os::Fd process = open_process(pid);
    if (!process) continue;
    const auto made = watched_.emplace(pid, stream_descriptor(io_, process.release())).first;
    made->second.async_wait(stream_descriptor::wait_read, [this](boost::system::error_code error) {
      if (!error) ended_();
    });
  }
}

}  // namespace beltway::daemon
