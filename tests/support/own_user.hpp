// A user of the test's own, for tests that root runs.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace beltway::test {

/// A user id without a passwd entry that no other test on this machine has at the same time: two tests with one user would share
/// daemons and directories. The destructor removes the user's directories in /tmp and /run/user.
/// Thread safety: none.
class OwnUser {
 public:
  /// Throws std::runtime_error if no id is free.
  OwnUser();
  ~OwnUser();
  OwnUser(const OwnUser&) = delete;
  OwnUser& operator=(const OwnUser&) = delete;

  [[nodiscard]] uid_t id() const noexcept { return id_; }
  [[nodiscard]] std::filesystem::path in_tmp() const;
  [[nodiscard]] std::filesystem::path run_user() const;

 private:
  void remove_directories() const noexcept;

  int lock_ = -1;  // a socket whose abstract name has the id: the kernel frees the name when the test ends
  uid_t id_ = 0;
};

}  // namespace beltway::test
