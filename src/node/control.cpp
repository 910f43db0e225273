#include "node/control.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "beltway/connection.hpp"
#include "beltway/queue.hpp"
#include "node/endpoints.hpp"
#include "node/jobs.hpp"
#include "node/js_info.hpp"
#include "node/js_options.hpp"
#include "node/napi.hpp"

namespace beltway::node {

namespace {

/// What JavaScript holds of a connection or a queue. Empty: closed.
template <class T>
using Handle = std::optional<T>;

template <class T>
napi_value handle_to_js(napi_env env, T object) {
  auto handle = std::make_unique<Handle<T>>(std::move(object));
  napi_value value = nullptr;
  const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Handle<T>*>(data); };
  check(env, napi_create_external(env, handle.get(), destroy, nullptr, &value));
  static_cast<void>(handle.release());
  return value;
}

template <class T>
Handle<T>& handle_of(napi_env env, napi_value value) {
  void* data = nullptr;
  check(env, napi_get_value_external(env, value, &data));
  return *static_cast<Handle<T>*>(data);
}

/// A copy, for a thread of the pool.
Connection connection_of(napi_env env, napi_value value) {
  const Handle<Connection>& handle = handle_of<Connection>(env, value);
  if (!handle) throw Error(Errc::misuse, "this connection was closed: call beltway.connect() for another one");
  return *handle;
}
Queue queue_of(napi_env env, napi_value value) { return *handle_of<Queue>(env, value); }

Answer nothing() { return undefined; }
Answer queue_answer(Queue queue) {
  return [queue = std::move(queue)](napi_env env) { return handle_to_js(env, queue); };
}
/// Of an endpoint: a function object must be copyable, an endpoint is not.
template <class T>
std::shared_ptr<T> shared(T object) {
  return std::make_shared<T>(std::move(object));
}

napi_value connect(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return run_job(env, [options = read_options<ConnectionOptions>(env, arguments[0], "connect")]() -> Answer {
    return [connection = Connection::open(options)](napi_env done) { return handle_to_js(done, connection); };
  });
}

napi_value close(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  handle_of<Connection>(env, arguments[0]).reset();
  return undefined(env);
}

napi_value declare(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  const bool has_options = is_given(env, arguments[2]);
  return run_job(env,
                 [connection = connection_of(env, arguments[0]), name = string_of(env, arguments[1], "declare: name"),
                  options = read_options<QueueOptions>(env, arguments[2], "declare"), has_options] {
                   return queue_answer(has_options ? connection.declare(name, options) : connection.declare(name));
                 });
}

napi_value declare_some(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  std::vector<std::string> said;
  auto options = read_options<QueueOptions>(env, arguments[2], "declareSome", &said);
  return run_job(env,
                 [connection = connection_of(env, arguments[0]), options = std::move(options),
                  name = string_of(env, arguments[1], "declareSome: name"), said = std::move(said)]() -> Answer {
                   return [declared = connection.declare_some(name, options, said)](napi_env done) {
                     return Object(done)
                         .set("queue", handle_to_js(done, declared.queue))
                         .set("created", declared.created)
                         .set("changed", changes_to_js(done, declared.changed))
                         .value();
                   };
                 });
}

napi_value open_queue(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return run_job(
      env, [connection = connection_of(env, arguments[0]), name = string_of(env, arguments[1], "openQueue: name")] {
        return queue_answer(connection.open_queue(name));
      });
}

napi_value remove(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  return run_job(env,
                 [connection = connection_of(env, arguments[0]), name = string_of(env, arguments[1], "remove: name"),
                  force = boolean_of(env, arguments[2], "remove: force")] {
                   connection.remove(name, {.force = force});
                   return nothing();
                 });
}

napi_value list(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return run_job(env, [connection = connection_of(env, arguments[0])]() -> Answer {
    return [queues = connection.list()](napi_env done) {
      return array_of(done, queues, [done](const QueueInfo& each) { return info_to_js(done, each); });
    };
  });
}

napi_value describe(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return run_job(env,
                 [connection = connection_of(env, arguments[0]),
                  name = string_of(env, arguments[1], "describe: name")]() -> Answer {
                   return [queue = connection.describe(name)](napi_env done) { return info_to_js(done, queue); };
                 });
}

napi_value ping(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return run_job(env, [connection = connection_of(env, arguments[0])]() -> Answer {
    return [daemon = connection.ping()](napi_env done) { return daemon_to_js(done, daemon); };
  });
}

/// (connection, since, count); count may be undefined.
napi_value events(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  const std::uint64_t count = is_given(env, arguments[2]) ? whole_number_of(env, arguments[2], "events: count")
                                                          : std::uint64_t{k_max_events_per_request};
  return run_job(
      env,
      [connection = connection_of(env, arguments[0]), since = whole_number_of(env, arguments[1], "events: since"),
       most = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, 0xffffffff))]() -> Answer {
        return [page = connection.events(since, most)](napi_env done) { return events_to_js(done, page); };
      });
}

napi_value queue_facts(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  const Queue queue = queue_of(env, arguments[0]);
  return Object(env)
      .set("name", queue.name())
      .set("id", queue.id())
      .set("options", options_to_js(env, queue.options()))
      .value();
}

napi_value attach_producer(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return run_job(env,
                 [queue = queue_of(env, arguments[0]),
                  options = read_options<ProducerOptions>(env, arguments[1], "producer")]() -> Answer {
                   return [producer = shared(queue.producer(options))](napi_env done) {
                     return producer_to_js(done, std::move(*producer));
                   };
                 });
}

napi_value attach_consumer(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return run_job(env,
                 [queue = queue_of(env, arguments[0]),
                  options = read_options<ConsumerOptions>(env, arguments[1], "consumer")]() -> Answer {
                   return [consumer = shared(queue.consumer(options)), options](napi_env done) {
                     return consumer_to_js(done, std::move(*consumer), options);
                   };
                 });
}

napi_value add_group(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  return run_job(env, [queue = queue_of(env, arguments[0]), group = read_group(env, arguments[1], "addGroup"),
                       start = read_start(env, arguments[2], "addGroup: start")] {
    queue.add_group(group, start);
    return nothing();
  });
}

napi_value remove_group(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  return run_job(env, [queue = queue_of(env, arguments[0]), group = string_of(env, arguments[1], "removeGroup: group"),
                       force = boolean_of(env, arguments[2], "removeGroup: force")] {
    queue.remove_group(group, {.force = force});
    return nothing();
  });
}

napi_value purge(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  return run_job(
      env, [queue = queue_of(env, arguments[0]), group = string_of(env, arguments[1], "purge: group")]() -> Answer {
        return [result = queue.purge(group)](napi_env done) { return purge_to_js(done, result); };
      });
}

napi_value evict(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  // A number that no consumer has stays one.
  const std::uint64_t consumer = whole_number_of(env, arguments[1], "evict: consumer");
  return run_job(env, [queue = queue_of(env, arguments[0]),
                       index = static_cast<unsigned>(std::min<std::uint64_t>(consumer, 0xffffffff))] {
    queue.evict(index);
    return nothing();
  });
}

napi_value ack_message(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  return run_job(env, [queue = queue_of(env, arguments[0]), group = string_of(env, arguments[1], "ackMessage: group"),
                       position = whole_number_of(env, arguments[2], "ackMessage: position")] {
    queue.ack_message(group, position);
    return nothing();
  });
}

/// (queue, group, position, target, timeout in ms); the promise is false if the target stayed full.
napi_value move_message(napi_env env, napi_callback_info info) {
  const Arguments<5> arguments(env, info);
  std::optional<std::chrono::duration<double, std::milli>> timeout;
  if (is_given(env, arguments[4])) timeout.emplace(number_of(env, arguments[4], "moveMessage: timeout"));
  return run_job(env,
                 [queue = queue_of(env, arguments[0]), group = string_of(env, arguments[1], "moveMessage: group"),
                  position = whole_number_of(env, arguments[2], "moveMessage: position"),
                  target = queue_of(env, arguments[3]), timeout]() -> Answer {
                   const Until until = timeout ? Until(*timeout) : Until();
                   const bool is_moved = queue.move_message(group, position, target, until) == Status::ok;
                   return [is_moved](napi_env done) { return to_js(done, is_moved); };
                 });
}

napi_value pause_group(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  return run_job(env, [queue = queue_of(env, arguments[0]), group = string_of(env, arguments[1], "a group's name"),
                       pauses = boolean_of(env, arguments[2], "pauses")] {
    if (pauses) {
      queue.pause_group(group);
    } else {
      queue.resume_group(group);
    }
    return nothing();
  });
}

/// `to`: "oldest", "latest", {position} or {published}.
napi_value reset_group(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  Queue queue = queue_of(env, arguments[0]);
  std::string group = string_of(env, arguments[1], "resetGroup: group");
  std::function<ResetResult(const Queue&)> reset;
  if (type_of(env, arguments[2]) == napi_object) {
    const napi_value position = property_of(env, arguments[2], "position");
    if (is_given(env, position)) {
      reset = [group, at = whole_number_of(env, position, "resetGroup: position")](const Queue& of) {
        return of.reset_group(group, at);
      };
    } else {
      const double time = number_of(env, property_of(env, arguments[2], "published"), "resetGroup: published");
      constexpr double k_limit_ms = 9e12;  // a clock of nanoseconds holds it
      if (!(time >= 0 && time <= k_limit_ms))
        throw Error(Errc::invalid_option, "resetGroup: published takes a Date, or milliseconds since 1970");
      reset = [group, at = PublishTime(std::chrono::milliseconds(static_cast<std::int64_t>(time)))](const Queue& of) {
        return of.reset_group(group, at);
      };
    }
  } else {
    reset = [group, start = read_start(env, arguments[2], "resetGroup: to")](const Queue& of) {
      return of.reset_group(group, start);
    };
  }
  return run_job(env, [queue = std::move(queue), reset = std::move(reset)]() -> Answer {
    return [result = reset(queue)](napi_env done) { return reset_to_js(done, result); };
  });
}

napi_value describe_queue(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return run_job(env, [queue = queue_of(env, arguments[0])]() -> Answer {
    return [description = queue.describe()](napi_env done) { return info_to_js(done, description); };
  });
}

napi_value snapshot(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return run_job(env, [queue = queue_of(env, arguments[0])]() -> Answer {
    return [state = queue.snapshot()](napi_env done) { return snapshot_to_js(done, state); };
  });
}

napi_value peek(napi_env env, napi_callback_info info) {
  const Arguments<5> arguments(env, info);
  PeekOptions options{.count = whole_number_of(env, arguments[1], "peek: count"),
                      .max_bytes = whole_number_of(env, arguments[2], "peek: maxBytes"),
                      .group = string_of(env, arguments[3], "peek: group")};
  if (is_given(env, arguments[4])) options.from = whole_number_of(env, arguments[4], "peek: from");
  return run_job(env, [queue = queue_of(env, arguments[0]), options = std::move(options)]() -> Answer {
    return [messages = queue.peek(options)](napi_env done) { return peeked_to_js(done, messages); };
  });
}

}  // namespace

void add_control_calls(napi_env env, napi_value exports) {
  const auto add = [&](const char* name, napi_callback function) {
    napi_value value = nullptr;
    check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value));
    check(env, napi_set_named_property(env, exports, name, value));
  };
  add("connect", guarded<connect>);
  add("close", guarded<close>);
  add("declare", guarded<declare>);
  add("declareSome", guarded<declare_some>);
  add("openQueue", guarded<open_queue>);
  add("remove", guarded<remove>);
  add("list", guarded<list>);
  add("describe", guarded<describe>);
  add("ping", guarded<ping>);
  add("events", guarded<events>);
  add("queueFacts", guarded<queue_facts>);
  add("attachProducer", guarded<attach_producer>);
  add("attachConsumer", guarded<attach_consumer>);
  add("addGroup", guarded<add_group>);
  add("removeGroup", guarded<remove_group>);
  add("purge", guarded<purge>);
  add("evict", guarded<evict>);
  add("ackMessage", guarded<ack_message>);
  add("moveMessage", guarded<move_message>);
  add("pauseGroup", guarded<pause_group>);
  add("resetGroup", guarded<reset_group>);
  add("describeQueue", guarded<describe_queue>);
  add("snapshot", guarded<snapshot>);
  add("peek", guarded<peek>);
  add("optionNames", guarded<option_names>);
}

}  // namespace beltway::node
