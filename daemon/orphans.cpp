// See orphans.hpp.
#include "orphans.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open  // Linux 5.3
#define SYS_pidfd_open 434
#endif

namespace beltway::daemon {

using boost::asio::posix::stream_descriptor;

Fd open_process(int pid) noexcept { return Fd(static_cast<int>(pid > 0 ? ::syscall(SYS_pidfd_open, pid, 0) : -1)); }

void Orphans::watch(const std::set<int>& processes) {
  std::erase_if(watched_, [&](const auto& entry) { return !processes.contains(entry.first); });
  for (const int pid : processes) {
    if (watched_.contains(pid)) continue;
    Fd process = open_process(pid);
    if (!process) continue;
    const auto made = watched_.emplace(pid, stream_descriptor(io_, process.release())).first;
    made->second.async_wait(stream_descriptor::wait_read, [this](boost::system::error_code error) {
      if (!error) ended_();
    });
  }
}

}  // namespace beltway::daemon
