#include "tool/top/queue_order.hpp"

#include <algorithm>
#include <map>

#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

/// `*` stands for any characters, `?` for one. Takes time proportional to the product of the lengths at most.
bool fits_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_at = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_at = at;
    } else if (in_pattern < pattern.size() && (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

const std::string& owner_name(std::uint32_t uid) {
  static thread_local std::map<std::uint32_t, std::string> names;
  const auto found = names.find(uid);
  return found != names.end() ? found->second : names.emplace(uid, lower(watch::user_name(uid))).first->second;
}

double key_of(const watch::QueueView& queue, QueueSort sort) noexcept {
  switch (sort) {
    case QueueSort::in: return queue.rates.in;
    case QueueSort::out: return queue.rates.out;
    case QueueSort::depth: return depth_of(queue);
    case QueueSort::lag: return static_cast<double>(queue.lag);
    case QueueSort::age: return age_of(queue);
    case QueueSort::consumers: return queue.consumers;
    case QueueSort::memory: return static_cast<double>(queue.info.shared_bytes);
    case QueueSort::trouble:
    case QueueSort::name: break;
  }
  return 0;
}

}  // namespace

std::string_view name_of(QueueSort sort) noexcept {
  return std::find_if(k_queue_sorts.begin(), k_queue_sorts.end(),
                      [sort](const QueueSortName& each) { return each.sort == sort; })
      ->name;
}

std::optional<QueueSort> parse_queue_sort(const std::string& text) {
  const auto found = std::find_if(k_queue_sorts.begin(), k_queue_sorts.end(),
                                  [&text](const QueueSortName& each) { return each.name == text; });
  return found == k_queue_sorts.end() ? std::nullopt : std::optional(found->sort);
}

bool fits(const watch::QueueView& queue, std::string_view filter) {
  if (filter.empty()) return true;
  const std::string wanted = lower(filter);
  const bool is_pattern = wanted.find_first_of("*?") != std::string::npos;
  const auto has = [&](const std::string& text) {
    return is_pattern ? fits_pattern(text, wanted) : text.find(wanted) != std::string::npos;
  };
  if (has(lower(queue.info.name)) || has(owner_name(queue.info.owner_uid))) return true;
  return std::any_of(queue.info.options.groups.begin(), queue.info.options.groups.end(),
                     [&](const NamedGroup& group) { return has(lower(group.name)); });
}

std::vector<const watch::QueueView*> selected_queues(const watch::Fleet& fleet, const QueueSelection& selection) {
  std::vector<const watch::QueueView*> queues;
  for (const watch::QueueView& queue : fleet.queues) {
    if (fits(queue, selection.filter)) queues.push_back(&queue);
  }
  const auto by_name = [](const watch::QueueView* a, const watch::QueueView* b) { return a->info.name < b->info.name; };
  if (selection.sort == QueueSort::name) {
    std::stable_sort(queues.begin(), queues.end(), by_name);
  } else if (selection.sort != QueueSort::trouble) {  // the fleet is sorted by trouble
    std::stable_sort(queues.begin(), queues.end(), [&](const watch::QueueView* a, const watch::QueueView* b) {
      const double first = key_of(*a, selection.sort);
      const double second = key_of(*b, selection.sort);
      return first != second ? first > second : by_name(a, b);
    });
  }
  if (selection.reversed) std::reverse(queues.begin(), queues.end());
  return queues;
}

double depth_of(const watch::QueueView& queue) noexcept {
  const double slots = queue.info.options.slots;
  return slots > 0 ? static_cast<double>(queue.used) / slots : 0;
}

double age_of(const watch::QueueView& queue) noexcept {
  const std::optional<watch::Nanoseconds> age = queue.oldest_age ? queue.oldest_age : queue.delay;
  return age ? std::chrono::duration<double>(*age).count() : 0;
}

}  // namespace beltway::tool
