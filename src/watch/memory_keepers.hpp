// Processes that keep the memory of a queue without being endpoints: a child that shares the memory of a process that has ended.
// The mapping carries the lock of the endpoint, so the daemon cannot give its place to another one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "beltway/info.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// A line of /proc/PID/maps that shows a shared mapping of a file from its first byte on.
struct MappedFile {
  std::string file;  ///< device and inode
  bool writable = false;
};
/// Parses all lines of /proc/PID/maps. `at`: only the mapping of this address, if it is not null.
[[nodiscard]] std::vector<MappedFile> parse_shared_mappings(const std::string& maps, const void* at = nullptr);

/// Which of those processes are no endpoints. `mappings`: of each process, how often it maps the memory: once for each endpoint.
[[nodiscard]] std::vector<int> keepers_among(const std::map<int, unsigned>& mappings, const QueueInfo& queue);

/// Looks for keepers in /proc. They are only told if two looks have found them: a process may have attached between the daemon's
/// answer and the first look. Thread safety: one thread at a time.
class MemoryKeepers {
 public:
  /// `control`: where the queue's control memory is mapped here. Empty: none, or /proc does not say it. So it is if the processes
  /// or the daemon may not be looked into, or if their numbers are those of another pid namespace.
  [[nodiscard]] const std::vector<int>& look(const void* control, const QueueInfo& queue, Nanoseconds now);

 private:
  std::vector<int> found_;
  std::vector<int> told_;
  unsigned looks_ = 0;
  Nanoseconds due_at_{0};
};

}  // namespace beltway::watch
