// What systemd does for a service with a descriptor store, by systemd's own rules (systemd.service(5), sd_notify(3)):
//   - a stored descriptor whose other end is gone (POLLHUP, POLLERR) is dropped, unless it came with FDPOLL=0;
//   - FDNAME= has 1 to 255 printable ASCII characters and no colon; what is stored under no or a bad name is "stored";
//   - beyond FileDescriptorStoreMax= descriptors are dropped, and no process is told;
//   - FDSTOREREMOVE=1 removes all of that name;
//   - the service is started with its sockets first, then the stored ones, latest first; $LISTEN_FDNAMES names them;
//   - only the main process is heard (NotifyAccess=main).
// Ownership: the socket, the store, the service's process, a thread that reads from start() or hear() on: until then a test
// may fork. Thread safety: all members, by a mutex.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "child.hpp"
#include "os/fd.hpp"
#include "temp_dir.hpp"

namespace beltway::test {

using namespace beltway::os;

class FakeSystemd {
 public:
  /// `command`: the service. `limit`: FileDescriptorStoreMax=.
  explicit FakeSystemd(std::vector<std::string> command, std::size_t limit = 1000);
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;
  ~FakeSystemd();

  /// A socket unit: a listening SOCK_SEQPACKET socket that the service is started with.
  void listen_at(const std::filesystem::path& path);
  /// Starts the service, and returns when it has said READY=1.
  void start();
  [[nodiscard]] Child& service() { return *service_; }
  [[nodiscard]] std::map<std::string, int> stored();
  /// How often the service has said WATCHDOG=1, and the last WATCHDOG_USEC= of it.
  [[nodiscard]] int signs_of_life();
  [[nodiscard]] std::string watchdog_time();
  /// WatchdogSec= of the unit, in $WATCHDOG_USEC. `process`: $WATCHDOG_PID instead of the service's own. Before start().
  void watch(std::string time_us, std::string process = "$$");
  /// A copy of the first descriptor of that name. Throws std::out_of_range.
  [[nodiscard]] Fd copy_of(const std::string& name);
  /// Stores that descriptor instead of all of that name.
  void replace(const std::string& name, Fd descriptor);
  /// Drops all of that name.
  void lose(const std::string& name);
  [[nodiscard]] std::string log() const;
  /// Takes the test's process for the service: for tests of the rules themselves.
  void hear(pid_t process);
  [[nodiscard]] std::filesystem::path notify_socket() const { return dir_.path() / "notify"; }

 private:
  struct Stored {
    std::string name;
    Fd descriptor;
    bool polled;
  };
  void begin_to_read();
  void read_all(const std::stop_token& stop);
  void receive();
  void drop_hung_up();

  TempDir dir_;
  std::vector<std::string> command_;
  std::size_t limit_;
  Fd notify_;
  Fd socket_;
  std::mutex mutex_;
  std::vector<Stored> store_;
  bool ready_ = false;
  int signs_of_life_ = 0;
  std::string watchdog_time_;
  std::string watchdog_;  // what the shell sets
  pid_t main_ = -1;
  std::optional<Child> service_;
  std::jthread reader_;
};

}  // namespace beltway::test
