// How old messages with a stamp were when they were received: a row of bars and three ages for each group and private consumer.
#include <algorithm>
#include <cmath>

#include "tool/text/units.hpp"
#include "tool/top/bars.hpp"
#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_owner_name = 12;
constexpr std::size_t k_age_column = 6;

/// The buckets that any histogram uses.
struct BucketRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

BucketRange used_buckets(const std::vector<watch::AgeCounts>& all) {
  std::size_t first = SIZE_MAX;
  std::size_t end = 0;
  for (const watch::AgeCounts& ages : all) {
    for (std::size_t i = 0; i < ages.counts.size(); ++i) {
      if (ages.counts[i] == 0) continue;
      first = std::min(first, i);
      end = std::max(end, i + 1);
    }
  }
  return end == 0 ? BucketRange{} : BucketRange{first, end - first};
}

const MessageAges* find_ages(const QueueSnapshot& snapshot, const watch::AgeCounts& counts) {
  for (const GroupState& group : snapshot.groups) {
    if (group.name == counts.group) return &group.ages;
  }
  for (const ConsumerState& consumer : snapshot.consumers) {
    if (counts.group.empty() && consumer.endpoint.index == counts.consumer) return &consumer.ages;
  }
  return nullptr;
}

std::string edge_text(std::size_t bucket) { return short_duration(std::ldexp(1e-6, static_cast<int>(bucket))); }

std::string age_row(const watch::AgeCounts& counts, const MessageAges& ages, Charset charset) {
  const std::string owner = counts.group.empty() ? "consumer " + std::to_string(counts.consumer) : counts.group;
  std::string row = "  " + fitted(owner, k_owner_name, charset);
  for (const std::chrono::microseconds age : {ages.p50, ages.p99, ages.max}) {
    row += fitted(short_duration(std::chrono::duration<double>(age).count()), k_age_column, charset, Align::right);
  }
  return row + "  ";
}

}  // namespace

void add_age_lines(std::vector<PageLine>& lines, const watch::QueueDetail& detail, std::size_t width, Charset charset) {
  const BucketRange range = used_buckets(detail.ages);
  if (range.count == 0) return;
  std::string heading = "  " + fitted("AGE WHEN GOT", k_owner_name, charset);
  for (const std::string_view each : {"HALF", "99%", "ALL"})
    heading += fitted(std::string(each), k_age_column, charset, Align::right);
  lines.push_back(
      heading_line(heading + "  FROM " + edge_text(range.first) + " TO " + edge_text(range.first + range.count - 1)));
  for (const watch::AgeCounts& counts : detail.ages) {
    const MessageAges* const ages = find_ages(detail.snapshot, counts);
    if (ages == nullptr) continue;
    std::vector<float> values;
    for (std::size_t i = 0; i < range.count && range.first + i < counts.counts.size(); ++i)
      values.push_back(static_cast<float>(counts.counts[range.first + i]));
    const std::string row = age_row(counts, *ages, charset);
    const std::size_t taken = width_of(row, charset);
    const std::size_t room = width > taken ? width - taken : 0;
    values.resize(std::min(values.size(), room));
    lines.push_back({.spans = {{row}, {sparkline(values, values.size(), charset), {Ink::note}}}});
  }
  lines.emplace_back();
}

}  // namespace beltway::tool
