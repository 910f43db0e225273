// The functions of JavaScript that belong to a consumer.
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "node/consumer_endpoint.hpp"
#include "node/endpoints.hpp"
#include "node/js_info.hpp"
#include "node/napi.hpp"

namespace beltway::node {

namespace {

ConsumerEndpoint& endpoint_of(void* data) noexcept { return *static_cast<ConsumerEndpoint*>(data); }

/// The arguments `slot` and `generation` of a call that ends a message.
HeldMessages::Place place_of(napi_env env, napi_value slot, napi_value generation) {
  HeldMessages::Place place{};
  check(env, napi_get_value_uint32(env, slot, &place.slot));
  check(env, napi_get_value_uint32(env, generation, &place.generation));
  return place;
}

napi_value set_chunk(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  endpoint_of(arguments.data).set_chunk(env, arguments[0], whole_number_of(env, arguments[1], "used"));
  return nullptr;
}

napi_value receive(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  std::uint32_t most = 0;
  check(env, napi_get_value_uint32(env, arguments[0], &most));
  return to_js(env, endpoint_of(arguments.data).receive(most));
}

napi_value receive_into(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const auto target = writable(env, arguments[0], "receiveInto: buffer");
  return to_js(env, endpoint_of(arguments.data).receive_into(target, writable(env, arguments[1], "a head")));
}

napi_value set_batch_memory(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  endpoint_of(arguments.data).batch().set_memory(writable(env, arguments[0], "the memory of a batch"));
  return nullptr;
}

napi_value receive_batch(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  std::uint32_t most = 0;
  check(env, napi_get_value_uint32(env, arguments[0], &most));
  return to_js(env, endpoint_of(arguments.data).receive_batch(most));
}

napi_value ack_batch_of(napi_env env, napi_callback_info info) {
  return number_to_js(env, endpoint_of(Arguments<1>(env, info).data).batch().ack());
}

napi_value ack(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return to_js(env, endpoint_of(arguments.data).take(place_of(env, arguments[0], arguments[1])).ack());
}

napi_value ack_many(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const std::span<std::byte> bytes = writable(env, arguments[0], "places");
  std::uint32_t count = 0;
  check(env, napi_get_value_uint32(env, arguments[1], &count));
  const std::span<const std::uint32_t> places(reinterpret_cast<const std::uint32_t*>(bytes.data()), bytes.size() / 4);
  return number_to_js(env,
                      endpoint_of(arguments.data).ack_many(places.first(std::min<std::size_t>(count, places.size()))));
}

/// The third argument: a delay in milliseconds, or undefined.
napi_value nack(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  ConsumerEndpoint& endpoint = endpoint_of(arguments.data);
  const HeldMessages::Place place = place_of(env, arguments[0], arguments[1]);
  if (!is_given(env, arguments[2])) return to_js(env, endpoint.take(place).nack());
  Message* const message = endpoint.find(place);
  if (message == nullptr) return to_js(env, false);
  // Beyond any range, and not beyond what a count of microseconds holds.
  constexpr double k_limit_ms = 1e12;
  const double delay = std::clamp(number_of(env, arguments[2], "nack: delay"), -k_limit_ms, k_limit_ms);
  const bool done = message->nack(std::chrono::microseconds(std::llround(delay * 1000)));
  static_cast<void>(endpoint.take(place));
  return to_js(env, done);
}

napi_value reject(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return to_js(env, endpoint_of(arguments.data).take(place_of(env, arguments[0], arguments[1])).reject());
}

napi_value extend(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  Message* const message = endpoint_of(arguments.data).find(place_of(env, arguments[0], arguments[1]));
  return to_js(env, message != nullptr && message->extend());
}

napi_value still_held(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const Message* const message = endpoint_of(arguments.data).find(place_of(env, arguments[0], arguments[1]));
  return to_js(env, message != nullptr && message->still_held());
}

napi_value on_ready(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  endpoint_of(arguments.data).readiness().set_callback(arguments[0]);
  return nullptr;
}

napi_value begin_wait(napi_env env, napi_callback_info info) {
  ConsumerEndpoint& endpoint = endpoint_of(Arguments<1>(env, info).data);
  endpoint.readiness().begin(endpoint.consumer());
  return nullptr;
}

napi_value end_wait(napi_env env, napi_callback_info info) {
  endpoint_of(Arguments<1>(env, info).data).readiness().end();
  return nullptr;
}

napi_value acknowledge_received(napi_env env, napi_callback_info info) {
  endpoint_of(Arguments<1>(env, info).data).acknowledge_received();
  return nullptr;
}

napi_value close(napi_env env, napi_callback_info info) {
  endpoint_of(Arguments<1>(env, info).data).close();
  return nullptr;
}

napi_value counters(napi_env env, napi_callback_info info) {
  return counters_to_js(env, endpoint_of(Arguments<1>(env, info).data).consumer().counters());
}

napi_value held(napi_env env, napi_callback_info info) {
  return number_to_js(env, endpoint_of(Arguments<1>(env, info).data).held());
}

napi_value reattached(napi_env env, napi_callback_info info) {
  return number_to_js(env, endpoint_of(Arguments<1>(env, info).data).consumer().reattached());
}

}  // namespace

napi_value consumer_to_js(napi_env env, Consumer consumer, const ConsumerOptions& options) {
  Environment& environment = *Environment::of(env);
  Object object(env);
  object.set("index", consumer.index())
      .set("queueName", consumer.queue_name())
      .set("group", consumer.group())
      .set("oneByOne", !options.group.empty() || options.conflate);
  auto endpoint = std::make_unique<ConsumerEndpoint>(environment, std::move(consumer), options);
  ConsumerEndpoint* const data = endpoint.get();
  object.method("setChunk", guarded<set_chunk>, data)
      .method("receive", guarded<receive>, data)
      .method("receiveInto", guarded<receive_into>, data)
      .method("setBatchMemory", guarded<set_batch_memory>, data)
      .method("receiveBatch", guarded<receive_batch>, data)
      .method("ackBatch", guarded<ack_batch_of>, data)
      .method("ack", guarded<ack>, data)
      .method("ackMany", guarded<ack_many>, data)
      .method("nack", guarded<nack>, data)
      .method("reject", guarded<reject>, data)
      .method("extend", guarded<extend>, data)
      .method("stillHeld", guarded<still_held>, data)
      .method("onReady", guarded<on_ready>, data)
      .method("beginWait", guarded<begin_wait>, data)
      .method("endWait", guarded<end_wait>, data)
      .method("acknowledgeReceived", guarded<acknowledge_received>, data)
      .method("close", guarded<close>, data)
      .method("counters", guarded<counters>, data)
      .method("held", guarded<held>, data)
      .method("reattached", guarded<reattached>, data);
  const auto destroy = [](napi_env, void* finished, void*) {
    const std::unique_ptr<ConsumerEndpoint> owner(static_cast<ConsumerEndpoint*>(finished));
    owner->close();
  };
  check(env, napi_wrap(env, object.value(), data, destroy, nullptr, nullptr));
  static_cast<void>(endpoint.release());
  return object.value();
}

}  // namespace beltway::node
