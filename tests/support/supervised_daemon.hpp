// A daemon with its supervisor, as `beltwayd` runs by default, and what there is to do to both.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "beltway/connection.hpp"
#include "child.hpp"
#include "daemon.hpp"
#include "temp_dir.hpp"

namespace beltway::test {

/// A process that is not ours to reap counts as gone when only its parent's reaping is missing.
[[nodiscard]] bool is_gone(int pid);
/// -1 if there is no such process.
[[nodiscard]] int parent_of(int pid);

/// Supervisor and daemon end with it, however they stand then; SIGTERM to the supervisor must end both with code 0 unless the
/// test has said otherwise.
class SupervisedDaemon {
 public:
  struct Options {
    std::filesystem::path program = test::program("beltwayd");
    std::vector<std::string> arguments = {};
  };
  /// Returns when the daemon answers.
  SupervisedDaemon() : SupervisedDaemon(Options()) {}
  explicit SupervisedDaemon(const Options& options);
  SupervisedDaemon(const SupervisedDaemon&) = delete;
  SupervisedDaemon& operator=(const SupervisedDaemon&) = delete;
  ~SupervisedDaemon();

  [[nodiscard]] std::filesystem::path socket() const { return dir_.socket(); }
  [[nodiscard]] std::string log() const;
  [[nodiscard]] Connection connect(std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
    return Connection::open({.socket = socket(), .start_daemon = false, .timeout = timeout});
  }
  [[nodiscard]] Child& supervisor() noexcept { return supervisor_; }
  /// The daemon's process, as the lock file says: also if it is dead.
  [[nodiscard]] int pid() const;

  /// SIGKILL for the daemon; returns when it is dead.
  void kill_daemon() const;
  /// Another daemon than `before` answers; returns its process.
  int wait_for_another(int before) const;
  void kill_both();

  /// Stops the supervisor, so that the daemon stays dead for as long as a test likes.
  class Gap {
   public:
    explicit Gap(SupervisedDaemon& daemon) : daemon_(daemon) {
      daemon_.supervisor().kill(SIGSTOP);
      daemon_.kill_daemon();
    }
    Gap(const Gap&) = delete;
    Gap& operator=(const Gap&) = delete;
    ~Gap() { daemon_.supervisor().kill(SIGCONT); }

   private:
    SupervisedDaemon& daemon_;
  };

 private:
  TempDir dir_;
  Child supervisor_;
};

}  // namespace beltway::test
