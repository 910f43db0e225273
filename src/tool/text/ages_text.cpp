// See ages_text.hpp.
#include "tool/text/ages_text.hpp"

#include <ctime>

#include "tool/text/table.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

void add_row(Table& table, const std::string& name, const MessageAges& ages, std::chrono::milliseconds ttl,
             std::uint64_t expired) {
  if (!ages.oldest && ages.delivered == 0 && ttl.count() == 0 && expired == 0) return;
  const auto at_delivery = [&ages](std::chrono::microseconds age) {
    return ages.delivered == 0 ? "-" : format_duration(age);
  };
  table.add({name, ages.oldest ? format_duration(*ages.oldest) : "-", at_delivery(ages.p50), at_delivery(ages.p99),
             at_delivery(ages.max), ttl.count() == 0 ? "never" : format_duration(ttl), format_count(expired)});
}

}  // namespace

std::string ages_text(const QueueSnapshot& snapshot, std::size_t indent, std::size_t width) {
  Table table{"MESSAGES OF", ">OLDEST", ">HALF GOT WITHIN", ">99% WITHIN", ">ALL WITHIN", ">EXPIRE AFTER", ">EXPIRED"};
  for (const GroupState& group : snapshot.groups) {
    add_row(table, "group " + group.name, group.ages, group.ttl, group.expired);
  }
  for (const ConsumerState& consumer : snapshot.consumers) {
    if (!consumer.endpoint.group.empty()) continue;
    add_row(table, "consumer " + std::to_string(consumer.endpoint.index), consumer.ages, snapshot.info.options.ttl,
            consumer.counters.expired);
  }
  return table.empty() ? "" : "\n" + table.text(indent, width);
}

std::optional<PublishTime> parse_time(const std::string& text) {
  for (const char* const format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"}) {
    std::tm parts{};
    parts.tm_isdst = -1;
    const char* const end = ::strptime(text.c_str(), format, &parts);
    if (end == nullptr) continue;
    const std::string_view zone(end);
    if (zone.empty()) return std::chrono::system_clock::from_time_t(std::mktime(&parts));
    if (zone == "Z") return std::chrono::system_clock::from_time_t(::timegm(&parts));
  }
  const std::optional<std::chrono::nanoseconds> age = parse_duration(text);
  // A number without a unit is a position.
  if (!age || text.find_first_not_of("0123456789") == std::string::npos) return std::nullopt;
  return std::chrono::system_clock::now() - *age;
}

}  // namespace beltway::tool
