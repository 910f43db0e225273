#include "bridge/status_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace beltway::bridge {

StatusFile::StatusFile(const std::string& name, const std::vector<std::filesystem::path>& directories) {
  for (const std::filesystem::path& directory : directories) {
    if (take(directory, name)) return;
  }
  throw std::runtime_error("no directory for the bridge's status can be written" +
                           (directories.empty() ? std::string() : ": " + directories.front().string()));
}

StatusFile::~StatusFile() {
  std::error_code ignored;
  std::filesystem::remove(status_, ignored);
  std::filesystem::remove(lock_path_, ignored);
}

bool StatusFile::take(const std::filesystem::path& directory, const std::string& name) {
  lock_path_ = directory / watch::bridge_lock_name(name);
  status_ = directory / watch::bridge_status_name(name);
  for (;;) {
    lock_ = os::Fd(open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!lock_) return false;
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(lock_.get(), F_OFD_SETLK, &lock) != 0) {
      throw std::runtime_error("a bridge with the name \"" + name + "\" runs: its lock is " + lock_path_.string() +
                               "; give this one another --name");
    }
    // A bridge that ended meanwhile has removed the file that we opened.
    struct stat ours{};
    struct stat named{};
    const bool is_named = fstat(lock_.get(), &ours) == 0 && stat(lock_path_.c_str(), &named) == 0 &&
                          ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    if (is_named) return true;
  }
}

void StatusFile::write(const watch::BridgeView& bridge) noexcept {
  try {
    const std::string fresh = status_.string() + ".new";
    {
      std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
      file << watch::to_json(bridge).dump(-1, ' ', false, watch::Json::error_handler_t::replace) << '\n';
      if (!file.flush()) return;
    }
    std::filesystem::rename(fresh, status_);
  } catch (const std::exception&) {
    // A full disk hides the status; it stops no message.
  }
}

}  // namespace beltway::bridge
