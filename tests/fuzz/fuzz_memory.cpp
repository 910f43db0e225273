// Attach, receive, publish, repair and inspect over shared memory that a neighbour scribbles over: the input chooses who the
// neighbour is, what it writes, and what the honest ones do meanwhile.
//
// The sanitizers see what leaves its memory, -timeout what does not come back.
#include <fuzzer/FuzzedDataProvider.h>

#include <optional>
#include <utility>

#include "client/inspect.hpp"
#include "hostile/honest.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/live_groups.hpp"
#include "watch/watched_queue.hpp"

namespace {

using namespace beltway;
using namespace beltway::ring;
using test::Honest;
using test::LocalQueue;
using test::Neighbour;
using test::Scribbler;

constexpr int k_most_steps = 100;

wire::Description describe(const QueueOptions& options) {
  wire::Description description;
  description.info.options = options;
  description.group_indexes = {0};
  for (unsigned i = 0; i < options.max_producers + options.max_consumers; ++i) {
    EndpointInfo endpoint;
    endpoint.producer = i < options.max_producers;
    endpoint.index = endpoint.producer ? i : i - options.max_producers;
    if (!endpoint.producer && i % 2 == 0) endpoint.group = "workers";
    description.info.endpoints.push_back(std::move(endpoint));
  }
  return description;
}

/// Two samples and looks, as an operator's screen takes them.
void watch_queue(const QueueMemory& memory, const QueueOptions& options) {
  beltway::watch::WatchedQueue queue(describe(options), {});
  beltway::watch::QueueView view;
  queue.describe(describe(options), view);
  queue.open({.memory = memory, .ring = {}, .heap = {}, .control = {}});
  for (int sample = 0; sample < 2; ++sample) {
    const auto time = beltway::watch::SampleTime::now();
    queue.read(time, view);
    queue.look(time, view);
    static_cast<void>(queue.detail(time, view, 16));
  }
}

void inspect(const QueueMemory& memory, const QueueOptions& options) {
  static_cast<void>(client::take_snapshot(memory, describe(options)));
  static_cast<void>(client::copy_messages(memory, 100, 65536, std::nullopt));
  static_cast<void>(client::copy_messages(memory, 100, 64, 0));
  static_cast<void>(client::copy_messages(memory, 100, 64, 0, ring::load_tail(memory) / 2));
  watch_queue(memory, options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto numbers = [&](std::uint64_t limit) {
    return limit == 0 ? input.ConsumeIntegral<std::uint64_t>()
                      : input.ConsumeIntegralInRange<std::uint64_t>(0, limit - 1);
  };
  const QueueOptions options = test::hostile_options(input.ConsumeBool() ? 2 : 1);
  // A producer as neighbour needs a place beside the honest one.
  const Neighbour neighbour =
      options.max_producers == 2 && input.ConsumeBool() ? Neighbour::producer : Neighbour::consumer;
  LocalQueue queue(options, wrap(input.ConsumeIntegral<std::uint64_t>()));
  Scribbler scribbler(queue.memory(), neighbour, numbers);
  std::optional<Honest> honest(queue);
  for (int step = 0; step < k_most_steps && input.remaining_bytes() != 0; ++step) {
    switch (input.ConsumeIntegralInRange(0, 9)) {
      case 0:
      case 1:
      case 2: scribbler.scribble(); break;
      case 3: inspect(queue.memory(), options); break;
      case 4: static_cast<void>(purge(queue.memory(), 0)); break;
      case 6: static_cast<void>(reset(queue.memory(), 0, wrap(numbers(0)))); break;
      case 5:
        honest.reset();  // detach and repair
        honest.emplace(queue);
        break;
      default: honest->call(scribbler); break;
    }
  }
  inspect(queue.memory(), options);
  return 0;
}
