#include "os/memory_probe.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

#include "beltway/error.hpp"

namespace beltway::os {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_unlimited = std::numeric_limits<std::uint64_t>::max();

/// The first number of a file that holds one; nothing for "max", and for a file that is not there.
std::optional<std::uint64_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// The number behind `key` in a file of "key number" lines.
std::optional<std::uint64_t> read_field(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return std::nullopt;
}

struct FileNames {
  const char* limit;
  const char* throttle;  // beyond it all processes of the group are slowed down; null: there is no such file
  const char* use;
  const char* droppable;
};
constexpr FileNames k_version_2{"memory.max", "memory.high", "memory.current", "inactive_file"};
constexpr FileNames k_version_1{"memory.limit_in_bytes", nullptr, "memory.usage_in_bytes", "total_inactive_file"};

std::uint64_t left_in(const fs::path& group, const FileNames& names) {
  auto limit = read_number(group / names.limit);
  if (names.throttle != nullptr) {
    if (const auto high = read_number(group / names.throttle)) limit = limit ? std::min(*limit, *high) : *high;
  }
  const auto use = read_number(group / names.use);
  if (!limit || !use) return k_unlimited;
  const std::uint64_t droppable = read_field(group / "memory.stat", names.droppable).value_or(0);
  const std::uint64_t held = *use - std::min(*use, droppable);
  return *limit - std::min(*limit, held);
}

/// `path` is as /proc/self/cgroup has it; in a container it may name directories that are not mounted there: those are
/// skipped, and the mount's root, which is the container's own cgroup, is always read.
std::uint64_t left_up_the_tree(const fs::path& mount, const fs::path& path, const FileNames& names) {
  std::uint64_t least = left_in(mount, names);
  fs::path group = mount;
  for (const fs::path& part : path.relative_path()) {
    if (part == "..") return least;
    group /= part;
    least = std::min(least, left_in(group, names));
  }
  return least;
}

std::uint64_t left_in_cgroups(const MemorySources& sources) {
  std::uint64_t least = k_unlimited;
  std::ifstream file(sources.proc / "self" / "cgroup");
  for (std::string line; std::getline(file, line);) {  // hierarchy:controllers:path
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path path = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min({least, left_up_the_tree(sources.cgroups, path, k_version_2),
                        left_up_the_tree(sources.cgroups / "unified", path, k_version_2)});
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      least = std::min(least, left_up_the_tree(sources.cgroups / "memory", path, k_version_1));
    }
  }
  return least;
}

}  // namespace

std::uint64_t available_memory_bytes(const MemorySources& sources) {
  std::uint64_t machine = k_unlimited;
  if (const auto kib = read_field(sources.proc / "meminfo", "MemAvailable:")) machine = *kib * 1024;
  return std::min(machine, left_in_cgroups(sources));
}

namespace {

bool leaves_reserve(std::uint64_t available, std::uint64_t bytes) noexcept {
  return available >= bytes && available - bytes >= k_memory_reserve_bytes;
}

[[noreturn]] void refuse(std::uint64_t bytes, const std::string& context, std::uint64_t available,
                         std::uint64_t promised) {
  const std::string others =
      promised == 0 ? "" : ", of which " + std::to_string(promised) + " are promised to producers that attach now";
  throw Error(Errc::limit_reached, context + ": needs " + std::to_string(bytes) + " bytes of memory, " +
                                       std::to_string(available) + " are available here" + others +
                                       "; free some, raise the memory cgroup's limit, or choose fewer slots or "
                                       "smaller lanes");
}

}  // namespace

MemoryFit memory_fit(std::uint64_t bytes, std::uint64_t promised, const MemorySources& sources) {
  const std::uint64_t available = available_memory_bytes(sources);
  if (!leaves_reserve(available, bytes)) return MemoryFit::too_little;
  return leaves_reserve(available - bytes, promised) ? MemoryFit::fits : MemoryFit::promised;
}

void require_memory(std::uint64_t bytes, const std::string& context, std::uint64_t promised,
                    const MemorySources& sources) {
  const std::uint64_t available = available_memory_bytes(sources);
  if (!leaves_reserve(available, bytes)) refuse(bytes, context, available, 0);
  if (!leaves_reserve(available - bytes, promised)) refuse(bytes, context, available, promised);
}

std::uint64_t fill_step_bytes(std::uint64_t missing, const std::string& context, const MemorySources& sources) {
  const std::uint64_t available = available_memory_bytes(sources);
  if (!leaves_reserve(available, missing)) refuse(missing, context, available, 0);
  const std::uint64_t share = (available - k_memory_reserve_bytes) / k_max_producers / k_lane_granule_bytes;
  return std::min(missing, std::max(share * k_lane_granule_bytes, k_shortest_fill_step_bytes));
}

}  // namespace beltway::os
