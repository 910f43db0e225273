// See web_news.hpp.
#include "tool/web/web_news.hpp"

#include <ctime>
#include <utility>

#include "watch/json.hpp"

namespace beltway::tool {

namespace {

using watch::Json;

Json or_null(const std::optional<watch::Nanoseconds>& time) { return time ? Json(time->count()) : Json(nullptr); }

Json row_json(const watch::QueueView& queue) {
  Json groups = Json::array();
  for (const watch::GroupView& group : queue.groups) groups.push_back(group.name);
  return {{"name", queue.info.name},
          {"slots", queue.info.options.slots},
          {"owner_uid", queue.info.owner_uid},
          {"readable", queue.readable},
          {"removed", queue.removed},
          {"position", queue.position},
          {"used", queue.used},
          {"parked", queue.parked},
          {"lag", queue.lag},
          {"rates", watch::to_json(queue.rates)},
          {"delay_ns", or_null(queue.delay)},
          {"oldest_age_ns", or_null(queue.oldest_age)},
          {"producers", queue.producers},
          {"consumers", queue.consumers},
          {"groups", std::move(groups)},
          {"verdicts", watch::to_json(queue.verdicts)}};
}

/// All but the rows, without the closing brace.
std::string head_of(const watch::Fleet& fleet) {
  const Json head{{"at_s", std::time(nullptr)},
                  {"daemon_answers", fleet.daemon_answers},
                  {"daemon_gone_ns", or_null(fleet.daemon_gone_for)},
                  {"daemon",
                   {{"version", fleet.daemon.version},
                    {"pid", fleet.daemon.pid},
                    {"socket", fleet.daemon.socket},
                    {"layout", fleet.daemon.layout}}},
                  {"rates", watch::to_json(fleet.rates)},
                  {"shared_bytes", fleet.shared_bytes},
                  {"verdicts", watch::to_json(fleet.verdicts)}};
  std::string text = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.pop_back();
  return text;
}

WebNews::Text event(const std::string& data) { return std::make_shared<const std::string>("data: " + data + "\n\n"); }

/// [[rate in, rate out, lag], ...], the oldest second first.
Json minute_of(const watch::QueueView& queue) {
  Json points = Json::array();
  for (const watch::HistoryPoint& point : queue.history) {
    points.push_back({point.in_per_s, point.out_per_s, point.lag});
  }
  return points;
}

}  // namespace

WebNews::Text WebNews::update(const watch::Fleet& fleet) {
  fleet_ = &fleet;
  whole_.reset();
  head_ = head_of(fleet) + ",\"server\":" + server_;
  std::string changed;
  std::unordered_map<std::string, std::string> rows;
  for (const watch::QueueView& queue : fleet.queues) {
    std::string row = row_json(queue).dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto before = rows_.find(queue.info.name);
    if (before == rows_.end() || before->second != row) changed += (changed.empty() ? "" : ",") + row;
    rows.emplace(queue.info.name, std::move(row));
  }
  Json gone = Json::array();
  for (const auto& [name, row] : rows_) {
    if (!rows.contains(name)) gone.push_back(name);
  }
  rows_ = std::move(rows);
  return event(head_ + R"(,"rows":[)" + changed + R"(],"gone":)" + gone.dump() + "}");
}

WebNews::Text WebNews::whole() {
  if (whole_ != nullptr) return whole_;
  std::string rows;
  Json minutes = Json::object();
  if (fleet_ != nullptr) {
    for (const watch::QueueView& queue : fleet_->queues) {
      const auto row = rows_.find(queue.info.name);
      if (row == rows_.end()) continue;  // it came after the last sample: the next update tells it
      rows += (rows.empty() ? "" : ",") + row->second;
      minutes[queue.info.name] = minute_of(queue);
    }
  }
  whole_ = event(head_ + R"(,"whole":true,"rows":[)" + rows + R"(],"gone":[],"minutes":)" + minutes.dump() + "}");
  return whole_;
}

}  // namespace beltway::tool
