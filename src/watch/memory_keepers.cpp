// See memory_keepers.hpp.
#include "watch/memory_keepers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

#include "watch/look_budget.hpp"
#include "watch/process_info.hpp"

namespace beltway::watch {

namespace {

namespace fs = std::filesystem;

/// The part of a processor that these looks may take: one goes through the mappings of all processes.
constexpr std::int64_t k_one_part_of = 200;

std::optional<int> process_number(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? std::optional(pid) : std::nullopt;
}

std::string maps_of(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::string maps = read_text(folder + "/maps");
  if (!maps.empty() || !has_threads(pid)) return maps;
  // Its first thread has ended; the others still have the memory.
  std::error_code failed;
  for (fs::directory_iterator thread(folder + "/task", failed), end; !failed && thread != end;
       thread.increment(failed)) {
    maps = read_text((thread->path() / "maps").string());
    if (!maps.empty()) break;
  }
  return maps;
}

bool is_of_our_namespace(int pid) {
  std::error_code failed;
  const fs::path theirs = fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/pid", failed);
  return !failed && theirs == fs::read_symlink("/proc/self/ns/pid", failed) && !failed;
}

/// Of each process that may be looked into: how often it maps the memory. The daemon is left out. Nothing: the daemon was not
/// seen, so its numbers of processes may not be ours.
std::optional<std::map<int, unsigned>> mappings_of(const void* control) {
  const std::vector<MappedFile> own = parse_shared_mappings(read_text("/proc/self/maps"), control);
  if (own.size() != 1) return std::nullopt;
  std::map<int, unsigned> mappings;
  bool daemon_is_seen = false;
  std::error_code failed;
  for (fs::directory_iterator each("/proc", failed), end; !failed && each != end; each.increment(failed)) {
    const std::optional<int> pid = process_number(each->path());
    if (!pid) continue;
    const std::vector<MappedFile> files = parse_shared_mappings(maps_of(*pid));
    const auto count = std::ranges::count_if(
        files, [&own](const MappedFile& file) { return file.writable && file.file == own.front().file; });
    if (count == 0) continue;
    const std::optional<ProcessInfo> process = process_info(*pid);
    if (process && process->name.starts_with("beltwayd")) {
      daemon_is_seen = daemon_is_seen || is_of_our_namespace(*pid);
    } else {
      mappings[*pid] = static_cast<unsigned>(count);
    }
  }
  return daemon_is_seen ? std::optional(mappings) : std::nullopt;
}

}  // namespace

std::vector<MappedFile> parse_shared_mappings(const std::string& maps, const void* at) {
  std::vector<MappedFile> files;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    char dash = 0;
    std::string rights;
    std::string device;
    std::string inode;
    words >> std::hex >> begin >> dash >> end >> rights >> offset >> device >> inode;
    if (!words || rights.size() < 4 || rights[3] != 's' || offset != 0) continue;
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    if (at != nullptr && (address < begin || address >= end)) continue;
    files.push_back({device + " " + inode, rights[1] == 'w'});
  }
  return files;
}

std::vector<int> keepers_among(const std::map<int, unsigned>& mappings, const QueueInfo& queue) {
  std::map<int, unsigned> endpoints;
  for (const EndpointInfo& endpoint : queue.endpoints) {
    if (endpoint.pid <= 0) return {};  // any of the processes may be that one
    ++endpoints[endpoint.pid];
  }
  std::vector<int> keepers;
  for (const auto& [pid, count] : mappings) {
    const auto known = endpoints.find(pid);
    if (known == endpoints.end() || count > known->second) keepers.push_back(pid);
  }
  return keepers;
}

const std::vector<int>& MemoryKeepers::look(const void* control, const QueueInfo& queue, Nanoseconds now) {
  if (now < due_at_) return told_;
  const Nanoseconds before = LookBudget::used();
  const auto mappings = mappings_of(control);
  std::vector<int> found = mappings ? keepers_among(*mappings, queue) : std::vector<int>();
  told_.clear();
  std::ranges::set_intersection(found, found_, std::back_inserter(told_));
  found_ = std::move(found);
  // The first two looks follow each other at once.
  if (++looks_ > 1) due_at_ = now + (LookBudget::used() - before) * k_one_part_of;
  return told_;
}

}  // namespace beltway::watch
