// What a declare has changed, what a purge has left and what a reset has done, as the protocol says it. See protocol.hpp.
#include "wire/json_reader.hpp"
#include "wire/protocol.hpp"

namespace beltway::wire {

json encode(const OptionChange& change) {
  json object{{"option", change.option}, {"from", change.from}, {"to", change.to}};
  if (!change.group.empty()) object["group"] = change.group;
  return object;
}

OptionChange decode_change(const json& object, const std::string& context) {
  const JsonReader fields(object, context + ": change");
  return {.option = fields.text("option"),
          .group = fields.text_or("group", ""),
          .from = fields.text("from"),
          .to = fields.text("to")};
}

json encode(const PurgeResult& result) {
  json holders = json::array();
  for (const PurgeHolder& holder : result.holders) {
    holders.push_back({{"endpoint", holder.producer ? holder.index : holder.index + ring::k_first_consumer},
                       {"pid", static_cast<std::uint32_t>(holder.pid)},
                       {"messages", holder.messages},
                       {"oldest", holder.oldest}});
  }
  return {{"messages", result.purged}, {"left", result.left}, {"used", result.used}, {"holders", std::move(holders)}};
}

PurgeResult decode_purge_result(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  PurgeResult result{.purged = fields.number<std::uint64_t>("messages"),
                     .left = fields.number_or<std::uint64_t>("left", 0),
                     .used = fields.number_or<std::uint64_t>("used", 0),
                     .holders = {}};
  if (!fields.has("holders")) return result;
  for (const json& item : fields.array("holders")) {
    const JsonReader holder(item, context + ": holder");
    const auto owner = holder.number<std::uint8_t>("endpoint");
    const bool producer = owner < ring::k_first_consumer;
    result.holders.push_back({.producer = producer,
                              .index = producer ? owner : owner - ring::k_first_consumer,
                              .pid = static_cast<int>(holder.number<std::uint32_t>("pid")),
                              .messages = holder.number<std::uint64_t>("messages"),
                              .oldest = holder.number<std::uint64_t>("oldest")});
  }
  return result;
}

json encode(const ResetResult& result) {
  return {{"position", result.position},
          {"acknowledged", result.acknowledged},
          {"restored", result.restored},
          {"held", result.held}};
}

ResetResult decode_reset_result(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  return {.position = fields.number<std::uint64_t>("position"),
          .acknowledged = fields.number<std::uint64_t>("acknowledged"),
          .restored = fields.number<std::uint64_t>("restored"),
          .held = fields.number<std::uint64_t>("held")};
}

json encode(const ResetTarget& target) {
  if (target.published_us) return {{"published_us", *target.published_us}};
  return target.position ? json(*target.position) : json(std::string(word_of(target.start)));
}

ResetTarget decode_reset_target(const json& request, const std::string& context) {
  const JsonReader fields(request, context);
  if (fields.value("to").is_number()) return {.position = fields.number<std::uint64_t>("to")};
  if (fields.value("to").is_object()) {
    return {.published_us = JsonReader(fields.value("to"), context).number<std::uint64_t>("published_us")};
  }
  return {.start = fields.word<Start>("to", Words<Start>::all)};
}

}  // namespace beltway::wire
