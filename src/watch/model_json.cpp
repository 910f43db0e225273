// The model as JSON. See json.hpp.
#include <optional>
#include <string>
#include <utility>

#include "watch/bridges.hpp"
#include "watch/json.hpp"
#include "watch/process_info.hpp"
#include "watch/verdicts.hpp"

namespace beltway::watch {

namespace {

Json or_null(const std::optional<Nanoseconds>& time) { return time ? Json(time->count()) : Json(nullptr); }
template <class Number>
Json or_null(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}
Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json to_json(const GroupView& group) {
  return {{"name", group.name},
          {"lag", group.lag},
          {"in_per_s", group.in_per_s},
          {"out_per_s", group.out_per_s},
          {"delay_ns", or_null(group.delay)},
          {"time_to_full_ns", or_null(group.time_to_full)},
          {"oldest_age_ns", or_null(group.oldest_age)},
          {"consumers", group.consumers},
          {"paused", group.paused}};
}

Json to_json(const std::vector<HistoryPoint>& points) {
  Json list = Json::array();
  for (const HistoryPoint& point : points) {
    list.push_back({{"at_s", point.at_s},
                    {"in_per_s", point.in_per_s},
                    {"out_per_s", point.out_per_s},
                    {"lag", point.lag},
                    {"oldest_age_s", point.oldest_age_s}});
  }
  return list;
}

Json to_json(const EndpointView& endpoint) {
  return {{"role", endpoint.info.producer ? "producer" : "consumer"},
          {"index", endpoint.info.index},
          {"messages_per_s", endpoint.messages_per_s},
          {"wakes_per_message", endpoint.wakes_per_message},
          {"busy", endpoint.busy},
          {"held", endpoint.held}};
}

Json to_json(const RingStrip& strip) {
  Json cells = Json::array();
  for (const SlotLook look : strip.cells) cells.push_back(name_of(look));
  Json floors = Json::array();
  for (const RingStrip::Floor& floor : strip.floors) {
    floors.push_back({{"group", or_null(floor.group)},
                      {"consumer", floor.group.empty() ? Json(floor.consumer) : Json(nullptr)},
                      {"position", floor.position}});
  }
  return {{"first", strip.never_used != 0 ? 0 : strip.first},
          {"never_used", strip.never_used},
          {"slots_per_cell", strip.slots_per_cell},
          {"cells", std::move(cells)},
          {"floors", std::move(floors)}};
}

Json to_json(const AgeCounts& ages) {
  return {{"group", or_null(ages.group)},
          {"consumer", ages.group.empty() ? Json(ages.consumer) : Json(nullptr)},
          {"counts", ages.counts}};
}

Json remedies_json(const std::vector<Remedy>& remedies) {
  Json list = Json::array();
  for (const Remedy& remedy : remedies) list.push_back({{"command", remedy.command}, {"effect", remedy.effect}});
  return list;
}

/// A verdict in the shape of a cause of `show`.
Json cause_json(const Verdict& verdict) {
  Json json{{"cause", verdict.kind},
            {"blocks", verdict.blocks},
            {"group", or_null(verdict.group)},
            {"producer", or_null(verdict.producer)},
            {"consumer", or_null(verdict.consumer)},
            {"pid", or_null(verdict.pid)}};
  json["run_state"] = verdict.pid ? Json(name_of(process_info(*verdict.pid))) : Json(nullptr);
  json["position"] = or_null(verdict.position);
  json["for_ns"] = or_null(verdict.waited);
  json["text"] = sentence_of(verdict);
  json["remedies"] = remedies_json(verdict.remedies);
  json["severity"] = name_of(verdict.severity);
  json["since_ns"] = or_null(verdict.since);
  json["since_is_least"] = verdict.since_is_least;
  json["evidence"] = or_null(verdict.evidence);
  json["forecast"] = or_null(verdict.forecast);
  return json;
}

}  // namespace

Json to_json(const Verdict& verdict) {
  return {{"kind", verdict.kind},
          {"severity", name_of(verdict.severity)},
          {"queue", or_null(verdict.queue)},
          {"subject", verdict.subject},
          {"cause", verdict.cause},
          {"evidence", or_null(verdict.evidence)},
          {"since_ns", or_null(verdict.since)},
          {"since_is_least", verdict.since_is_least},
          {"forecast", or_null(verdict.forecast)},
          {"group", or_null(verdict.group)},
          {"producer", or_null(verdict.producer)},
          {"consumer", or_null(verdict.consumer)},
          {"pid", or_null(verdict.pid)},
          {"position", or_null(verdict.position)},
          {"text", text_of(verdict)},
          {"remedies", remedies_json(verdict.remedies)}};
}

Json to_json(const std::vector<Verdict>& verdicts) {
  Json list = Json::array();
  for (const Verdict& verdict : verdicts) list.push_back(to_json(verdict));
  return list;
}

Json causes_json(const std::vector<Verdict>& verdicts) {
  Json list = Json::array();
  for (const Verdict& verdict : verdicts) list.push_back(cause_json(verdict));
  return list;
}

Json to_json(const Rates& rates) {
  return {{"in_per_s", rates.in},
          {"out_per_s", rates.out},
          {"bytes_in_per_s", rates.bytes_in},
          {"bytes_out_per_s", rates.bytes_out},
          {"redelivered_per_s", rates.redelivered},
          {"dead_lettered_per_s", rates.dead_lettered},
          {"lost_per_s", rates.lost}};
}

Json to_json(const QueueView& view) {
  Json routes = Json::array();
  for (const RouteView& route : view.routes) routes.push_back(route_json(route));
  Json groups = Json::array();
  for (const GroupView& group : view.groups) groups.push_back(to_json(group));
  return {{"name", view.info.name},
          {"id", view.info.id},
          {"owner_uid", view.info.owner_uid},
          {"slots", view.info.options.slots},
          {"shared_bytes", view.info.shared_bytes},
          {"readable", view.readable},
          {"why_unreadable", or_null(view.why_unreadable)},
          {"removed", view.removed},
          {"position", view.position},
          {"used", view.used},
          {"parked", view.parked},
          {"lag", view.lag},
          {"rates", to_json(view.rates)},
          {"delay_ns", or_null(view.delay)},
          {"oldest_age_ns", or_null(view.oldest_age)},
          {"producers", view.producers},
          {"consumers", view.consumers},
          {"groups", std::move(groups)},
          {"history", to_json(view.history)},
          {"routes", std::move(routes)},
          {"severity", view.severity() ? Json(name_of(*view.severity())) : Json(nullptr)},
          {"verdicts", to_json(view.verdicts)}};
}

Json to_json(const Fleet& fleet) {
  Json bridges = Json::array();
  for (const BridgeView& bridge : fleet.bridges) bridges.push_back(to_json(bridge));
  Json queues = Json::array();
  for (const QueueView& view : fleet.queues) queues.push_back(to_json(view));
  return {{"daemon", to_json(fleet.daemon)},
          {"daemon_answers", fleet.daemon_answers},
          {"daemon_gone_for_ns", or_null(fleet.daemon_gone_for)},
          {"queues", std::move(queues)},
          {"bridges", std::move(bridges)},
          {"verdicts", to_json(fleet.verdicts)},
          {"rates", to_json(fleet.rates)},
          {"shared_bytes", fleet.shared_bytes}};
}

Json to_json(const QueueDetail& detail) {
  Json json = to_json(detail.snapshot);
  json["causes"] = causes_json(detail.view.verdicts);
  json["view"] = to_json(detail.view);
  json["view"].erase("history");
  json["endpoints_view"] = Json::array();
  for (const EndpointView& endpoint : detail.endpoints) json["endpoints_view"].push_back(to_json(endpoint));
  json["strip"] = to_json(detail.strip);
  json["history"] = to_json(detail.view.history);
  json["age_counts"] = Json::array();
  for (const AgeCounts& ages : detail.ages) json["age_counts"].push_back(to_json(ages));
  return json;
}

std::string_view name_of(SlotLook look) noexcept {
  switch (look) {
    case SlotLook::free: return "free";
    case SlotLook::claimed: return "claimed";
    case SlotLook::waiting: return "waiting";
    case SlotLook::leased: return "leased";
    case SlotLook::acknowledged: return "acknowledged";
    case SlotLook::delayed: return "delayed";
    case SlotLook::parked: return "parked";
    case SlotLook::voided: return "voided";
    case SlotLook::lane: return "lane";
  }
  return "unknown";
}

}  // namespace beltway::watch
