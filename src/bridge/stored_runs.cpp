#include "bridge/stored_runs.hpp"

#include <algorithm>
#include <iterator>

#include "bridge/bridge_limits.hpp"

namespace beltway::bridge {

namespace {

constexpr std::uint64_t end_of(std::uint64_t value) noexcept { return value >> StoredRuns::k_length_bits; }
constexpr std::uint64_t length_of(std::uint64_t value) noexcept { return value & StoredRuns::k_max_length; }

}  // namespace

void StoredRuns::restore(std::size_t index, std::uint64_t value) {
  registers_.at(index) = value;
  const std::uint64_t end = end_of(value);
  // Another program may have published under the name: no run begins below 1.
  if (end > 0) insert(end - std::min(length_of(value), end - 1), end);
}

bool StoredRuns::has(std::uint64_t sequence) const {
  const auto after = runs_.upper_bound(sequence);
  return after != runs_.begin() && std::prev(after)->second >= sequence;
}

std::pair<std::uint64_t, std::uint64_t> StoredRuns::run_with(std::uint64_t sequence) const {
  std::uint64_t first = sequence;
  std::uint64_t last = sequence;
  const auto after = runs_.upper_bound(sequence);
  if (after != runs_.end() && after->first == sequence + 1) last = after->second;
  if (after != runs_.begin() && std::prev(after)->second + 1 == sequence) first = std::prev(after)->first;
  return {first, last};
}

std::optional<StoredRuns::Entry> StoredRuns::entry_for(std::uint64_t sequence) const {
  const std::uint64_t first = run_with(sequence).first;
  std::optional<std::size_t> best;
  bool best_is_in_run = false;
  bool is_above_all = true;
  for (std::size_t i = 0; i < k_registers; ++i) {
    if (!registers_[i]) continue;
    const std::uint64_t end = end_of(*registers_[i]);
    if (end >= sequence) {
      is_above_all = false;
      continue;
    }
    // Best is one whose own run becomes longer: it forgets nothing. Else the one with the older run.
    const bool is_in_run = end >= first;
    const bool is_better = !best || (is_in_run && !best_is_in_run) ||
                           (is_in_run == best_is_in_run && (is_in_run == (end > end_of(*registers_[*best]))));
    if (!is_better) continue;
    best = i;
    best_is_in_run = is_in_run;
  }
  if (!best) return std::nullopt;
  // A register's run is forgotten only for a newer one.
  if (!best_is_in_run && !is_above_all && *registers_[*best] != 0) return std::nullopt;
  return Entry{*best, sequence << k_length_bits | std::min(sequence - first, k_max_length)};
}

void StoredRuns::add(std::uint64_t sequence, const std::optional<Entry>& entry) {
  if (entry) registers_.at(entry->index) = entry->value;
  insert(sequence, sequence);
}

void StoredRuns::insert(std::uint64_t first, std::uint64_t last) {
  auto next = runs_.upper_bound(first);
  if (next != runs_.begin() && std::prev(next)->second + 1 >= first) {
    next = std::prev(next);
    first = next->first;
  }
  while (next != runs_.end() && next->first <= last + 1) {
    last = std::max(last, next->second);
    next = runs_.erase(next);
  }
  runs_.emplace_hint(next, first, last);
  if (runs_.size() > k_max_runs) runs_.erase(runs_.begin());
}

}  // namespace beltway::bridge
