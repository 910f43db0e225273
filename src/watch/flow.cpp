// Sums and differences.
#include "watch/flow.hpp"

namespace beltway::watch {

Flow flow_of(const QueueSnapshot& snapshot) noexcept {
  const QueueTotals& gone = snapshot.totals;
  Flow flow{gone.messages_in, gone.bytes_in, gone.messages_out, gone.bytes_out,
            gone.refused,     gone.lost,     gone.wakes,        gone.sleeps};
  for (const ProducerState& producer : snapshot.producers) {
    flow.messages_in += producer.counters.messages;
    flow.bytes_in += producer.counters.bytes;
    flow.refused += producer.counters.refused;
    flow.wakes += producer.counters.wakes;
    flow.sleeps += producer.counters.sleeps;
  }
  for (const ConsumerState& consumer : snapshot.consumers) {
    flow.messages_out += consumer.counters.messages;
    flow.bytes_out += consumer.counters.bytes;
    flow.lost += consumer.counters.lost;
    flow.wakes += consumer.counters.wakes;
    flow.sleeps += consumer.counters.sleeps;
  }
  return flow;
}

FlowRates rates_between(const Flow& before, const Flow& after, std::chrono::duration<double> elapsed) noexcept {
  const auto rate = [&](std::uint64_t Flow::* value) {
    const std::uint64_t from = before.*value;
    const std::uint64_t to = after.*value;
    return to > from && elapsed.count() > 0 ? static_cast<double>(to - from) / elapsed.count() : 0.0;
  };
  return {rate(&Flow::messages_in), rate(&Flow::bytes_in), rate(&Flow::messages_out), rate(&Flow::bytes_out),
          rate(&Flow::refused),     rate(&Flow::lost),     rate(&Flow::wakes),        rate(&Flow::sleeps)};
}

Json to_json(const FlowRates& rates) {
  return {{"messages_in_per_s", rates.messages_in},
          {"bytes_in_per_s", rates.bytes_in},
          {"messages_out_per_s", rates.messages_out},
          {"bytes_out_per_s", rates.bytes_out},
          {"refused_per_s", rates.refused},
          {"lost_per_s", rates.lost},
          {"wakes_per_s", rates.wakes},
          {"sleeps_per_s", rates.sleeps}};
}

}  // namespace beltway::watch
