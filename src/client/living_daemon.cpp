#include "client/living_daemon.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "client/socket_path.hpp"
#include "os/fd.hpp"

namespace beltway::client {

namespace {

namespace fs = std::filesystem;

/// A lock file holds a number and a path.
constexpr std::size_t k_lock_bytes = 4096;

/// A daemon's process is called so, however its program was started.
constexpr const char* k_daemon_name = "beltwayd";

/// The column "Flags" of /proc/net/unix says this of a listening socket (__SO_ACCEPTCON).
constexpr const char* k_listening = "00010000";

std::optional<int> number_in(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The words of /proc/PID/stat behind the program's name: state, parent, ... Empty if there is no such process.
std::string stat_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  return name_end == std::string::npos || name_end + 2 > text.size() ? std::string() : text.substr(name_end + 2);
}

std::string name_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

int parent_of(int pid) {
  std::istringstream words(stat_of(pid));
  char state = 0;
  int parent = 0;
  words >> state >> parent;
  return parent;
}

std::string link_text(const std::string& link) {
  std::array<char, 256> text{};
  const ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

/// "socket:[INODE]" of all sockets that listen at `socket`, as /proc/PID/fd names them.
std::set<std::string> listening_at(const fs::path& socket) {
  std::set<std::string> found;
  std::ifstream table("/proc/net/unix");
  std::string line;
  std::getline(table, line);  // the heading
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string address;
    std::string references;
    std::string protocol;
    std::string flags;
    std::string type;
    std::string state;
    std::string inode;
    std::string path;
    words >> address >> references >> protocol >> flags >> type >> state >> inode >> std::ws;
    std::getline(words, path);
    if (flags == k_listening && path == socket.native()) found.insert("socket:[" + inode + "]");
  }
  return found;
}

bool has_any_open(int pid, const std::set<std::string>& files) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
  DIR* const listing = ::opendir(directory.c_str());
  if (listing == nullptr) return false;
  bool found = false;
  while (const dirent* const entry = ::readdir(listing)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (files.contains(link_text(directory + "/" + entry->d_name))) found = true;
    if (found) break;
  }
  ::closedir(listing);
  return found;
}

/// This user's processes that share this process's files.
std::vector<int> own_processes() {
  std::vector<int> own;
  const std::string files = link_text("/proc/self/ns/mnt");
  DIR* const listing = ::opendir("/proc");
  if (listing == nullptr) return own;
  while (const dirent* const entry = ::readdir(listing)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::optional<int> pid = number_in(entry->d_name);
    struct stat status{};
    const std::string directory = std::string("/proc/") + entry->d_name;
    if (!pid || ::stat(directory.c_str(), &status) != 0 || status.st_uid != ::geteuid()) continue;
    if (link_text(directory + "/ns/mnt") == files) own.push_back(*pid);
  }
  ::closedir(listing);
  return own;
}

bool is_stopped(int pid) {
  const std::string stat = pid > 0 ? stat_of(pid) : std::string();
  return !stat.empty() && (stat[0] == 'T' || stat[0] == 't');
}

std::string process_text(int pid) { return pid > 0 ? "process " + std::to_string(pid) : std::string("a process"); }

}  // namespace

std::optional<LockHolder> lock_holder(const fs::path& socket) {
  const os::Fd lock(::open(lock_path_of(socket).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!lock || ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return std::nullopt;
  std::string text(k_lock_bytes, '\0');
  const ssize_t size = ::pread(lock.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  std::istringstream lines(text);
  std::string pid;
  std::string primary;
  std::getline(lines, pid);
  std::getline(lines, primary);
  return LockHolder{number_in(pid).value_or(0), primary};
}

std::optional<int> find_listener(const fs::path& socket) {
  const std::set<std::string> sockets = listening_at(socket);
  if (sockets.empty()) return std::nullopt;
  std::optional<int> found;
  for (const int pid : own_processes()) {
    if (pid == ::getpid() || pid == ::getppid() || !has_any_open(pid, sockets)) continue;
    // A supervisor holds its daemon's socket, too; the daemon is the one whose parent has it as well.
    if (!found || parent_of(pid) == *found) found = pid;
  }
  return found;
}

std::optional<int> living_daemon(const fs::path& socket) {
  if (const auto holder = lock_holder(socket)) return holder->pid;
  if (const auto pid = find_listener(socket)) return pid;
  // It may have made its listen socket anew meanwhile: first the lock, then the socket, and then it closed the old one.
  const auto holder = lock_holder(socket);
  return holder ? std::optional(holder->pid) : std::nullopt;
}

bool is_stopped_daemon(int pid) {
  // A number of another pid namespace means another process here, or none.
  return is_stopped(pid) && name_of(pid).starts_with(k_daemon_name);
}

int daemon_process(const fs::path& socket, int listener) {
  const auto holder = lock_holder(socket);
  return holder && holder->pid > 0 ? holder->pid : listener;
}

std::string why_unreachable(const fs::path& socket) {
  struct stat status{};
  const int failed = ::lstat(socket.c_str(), &status) == 0 ? 0 : errno;
  const bool in_the_way = failed == 0 && !S_ISSOCK(status.st_mode);
  if (const auto pid = living_daemon(socket)) {
    const std::string text = "a daemon lives there (" + process_text(*pid) + "), but its socket is gone: ";
    if (is_stopped(*pid)) {
      return text + "it was removed or replaced, and the process is stopped; continue it with: kill -CONT " +
             std::to_string(*pid);
    }
    if (in_the_way) return text + "what lies there now is no socket; remove it, and the daemon makes its socket anew";
    return text + "it was removed; the daemon makes it anew as soon as it can, and its log says what is in the way";
  }
  if (failed == EACCES) return "you may not read its directory; ask the operator of the daemon";
  if (failed != 0) return "no daemon answers there";
  if (in_the_way) return "no daemon answers there, and what lies there is no socket; remove it";
  return "no daemon answers there; the socket was left by one that is gone";
}

std::string why_silent(const fs::path& socket, int pid) {
  if (pid <= 0) {
    const auto holder = lock_holder(socket);
    pid = holder ? holder->pid : 0;
  }
  if (pid <= 0) return "is it stopped or busy?";
  const std::string stat = stat_of(pid);
  const std::string process = process_text(pid);
  if (stat.empty() || stat[0] == 'Z' || stat[0] == 'X') {
    return "its " + process + " is gone, and no other has been started in its place; its log says why";
  }
  if (is_stopped(pid)) {
    return "its " + process + " is stopped (a signal, a debugger or a terminal); continue it with: kill -CONT " +
           std::to_string(pid);
  }
  return "its " + process + " is " + (stat[0] == 'D' ? "waiting for a device" : "busy or frozen") + " (state " +
         stat[0] + "); look at it with: ps -o stat,wchan,cmd -p " + std::to_string(pid);
}

}  // namespace beltway::client
