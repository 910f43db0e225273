// A producer of JavaScript: try calls, and the wait for room.
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "node/endpoints.hpp"
#include "node/js_info.hpp"
#include "node/js_properties.hpp"
#include "node/napi.hpp"
#include "node/readiness.hpp"

namespace beltway::node {

namespace {

/// What a try says to the JavaScript side.
enum Outcome : std::int32_t { k_full = 0, k_published = 1, k_duplicate = 2 };

class ProducerEndpoint {
 public:
  ProducerEndpoint(Environment& environment, Producer producer)
      : environment_(environment.shared_from_this()), readiness_(environment), producer_(std::move(producer)) {}

  [[nodiscard]] Producer& producer() {
    if (!producer_)
      throw Error(Errc::misuse, "publish: this producer was closed: call queue.producer() for another one");
    return *producer_;
  }
  [[nodiscard]] Readiness& readiness() noexcept { return readiness_; }
  void close() noexcept {
    readiness_.close();
    producer_.reset();
  }

  Outcome try_publish(Bytes message) {
    const Status status = producer().try_publish(message);
    if (status == Status::ok) [[likely]]
      return k_published;
    return outcome_of(status, [&] { producer_->publish(message); });
  }
  Outcome try_publish(Bytes message, const PublishOptions& options) {
    const Status status = producer().try_publish(message, options);
    return outcome_of(status, [&] { static_cast<void>(producer_->publish(message, options)); });
  }
  /// How many of `array` from `first` on were published; 0: there is no room.
  std::size_t try_publish_many(napi_env env, napi_value array, std::uint32_t first);

  /// Where JavaScript lays messages end to end, and their sizes. The memory must stay as long as this object.
  void set_pack(std::span<const std::byte> bytes, std::span<const std::byte> sizes) noexcept {
    pack_ = bytes;
    sizes_ = {reinterpret_cast<const std::uint32_t*>(sizes.data()), sizes.size() / sizeof(std::uint32_t)};
  }
  /// How many of the first `count` messages there were published; 0: there is no room.
  std::size_t try_publish_packed(std::size_t count);
  /// The same of messages of `size` bytes each that lie end to end in `bytes`, from the one with the number `first` on.
  /// Requires a size of 1 at least.
  std::size_t try_publish_equal(Bytes bytes, std::size_t size, std::size_t first);

 private:
  static constexpr std::uint32_t k_block = 64;

  /// `blocking` throws the Error of what no try can help, with the library's own text.
  template <class Blocking>
  static Outcome outcome_of(Status status, const Blocking& blocking) {
    switch (status) {
      case Status::ok: return k_published;
      case Status::duplicate: return k_duplicate;
      case Status::too_large:
      case Status::removed:
      case Status::evicted: blocking(); return k_published;
      default: return k_full;
    }
  }
  std::size_t try_publish_block(napi_env env, napi_value array, std::uint32_t first, std::uint32_t count);
  /// Publishes `message_at(0)` to `message_at(count - 1)`, which it asks for in their order.
  template <class MessageAt>
  std::size_t try_publish_each(std::size_t count, const MessageAt& message_at);
  std::size_t try_publish_batch(std::span<const Bytes> messages) {
    const Result<std::size_t> published = producer().try_publish_batch(messages);
    if (published) return *published;
    return outcome_of(published.status(), [&] { producer_->publish(messages[0]); }) == k_published ? 1 : 0;
  }

  std::shared_ptr<Environment> environment_;
  Readiness readiness_;
  std::optional<Producer> producer_;
  std::span<const std::byte> pack_;
  std::span<const std::uint32_t> sizes_;
};

// Scopes, so that a long array keeps no handle of each element.
std::size_t ProducerEndpoint::try_publish_many(napi_env env, napi_value array, std::uint32_t first) {
  std::uint32_t size = 0;
  check(env, napi_get_array_length(env, array, &size));
  std::size_t published = 0;
  while (first + published < size) {
    const auto begin = static_cast<std::uint32_t>(first + published);
    const std::uint32_t count = std::min(k_block, size - begin);
    napi_handle_scope scope = nullptr;
    check(env, napi_open_handle_scope(env, &scope));
    std::size_t done = 0;
    try {
      done = try_publish_block(env, array, begin, count);
    } catch (const Error&) {
      napi_close_handle_scope(env, scope);
      if (published == 0) throw;
      return published;  // the next call says it
    } catch (...) {
      napi_close_handle_scope(env, scope);
      throw;
    }
    napi_close_handle_scope(env, scope);
    published += done;
    if (done < count) break;
  }
  return published;
}

std::size_t ProducerEndpoint::try_publish_block(napi_env env, napi_value array, std::uint32_t first,
                                                std::uint32_t count) {
  std::array<std::optional<BytesOf>, k_block> owners;
  std::array<Bytes, k_block> messages;
  // All elements first: a getter among them is a call into JavaScript, which may move or free the bytes of others.
  std::array<napi_value, k_block> elements{};
  for (std::uint32_t i = 0; i < count; ++i) elements[i] = element_of(env, array, first + i);
  for (std::uint32_t i = 0; i < count; ++i) messages[i] = owners[i].emplace(env, elements[i]).bytes();
  return try_publish_batch(std::span(messages).first(count));
}

std::size_t ProducerEndpoint::try_publish_packed(std::size_t count) {
  std::size_t offset = 0;
  return try_publish_each(std::min(count, sizes_.size()), [&](std::size_t index) {
    const std::size_t begin = offset;
    const std::size_t size = std::min<std::size_t>(sizes_[index], pack_.size() - begin);
    offset += size;
    return Bytes(pack_.data() + begin, size);
  });
}

std::size_t ProducerEndpoint::try_publish_equal(Bytes bytes, std::size_t size, std::size_t first) {
  const std::size_t count = bytes.size() / size;
  if (first >= count) return 0;
  return try_publish_each(count - first,
                          [&](std::size_t index) { return Bytes(bytes.data() + (first + index) * size, size); });
}

template <class MessageAt>
std::size_t ProducerEndpoint::try_publish_each(std::size_t count, const MessageAt& message_at) {
  std::array<Bytes, k_block> messages;
  std::size_t done = 0;
  while (done < count) {
    const std::size_t block = std::min<std::size_t>(k_block, count - done);
    for (std::size_t i = 0; i < block; ++i) messages[i] = message_at(done + i);
    std::size_t published = 0;
    try {
      published = try_publish_batch(std::span(messages).first(block));
    } catch (const Error&) {
      if (done == 0) throw;
      return done;  // the next call says it
    }
    done += published;
    if (published < block) break;
  }
  return done;
}

ProducerEndpoint& endpoint_of(void* data) noexcept { return *static_cast<ProducerEndpoint*>(data); }

napi_value outcome_to_js(napi_env env, std::int32_t outcome) {
  napi_value value = nullptr;
  napi_create_int32(env, outcome, &value);
  return value;
}

napi_value try_publish(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  const BytesOf message(env, arguments[0]);
  return outcome_to_js(env, endpoint_of(arguments.data).try_publish(message.bytes()));
}

napi_value try_publish_with(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const JsPublishOptions options(env, arguments[1]);
  const BytesOf message(env, arguments[0]);
  return outcome_to_js(env, endpoint_of(arguments.data).try_publish(message.bytes(), options.options()));
}

napi_value try_publish_many(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  if (!is_array(env, arguments[0])) throw Error(Errc::invalid_option, "publishMany: messages takes an array");
  std::uint32_t first = 0;
  check(env, napi_get_value_uint32(env, arguments[1], &first));
  return number_to_js(env, endpoint_of(arguments.data).try_publish_many(env, arguments[0], first));
}

napi_value set_pack(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const auto bytes = writable(env, arguments[0], "a pack");
  endpoint_of(arguments.data).set_pack(bytes, writable(env, arguments[1], "sizes"));
  return nullptr;
}

napi_value try_publish_packed(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  std::uint32_t count = 0;
  check(env, napi_get_value_uint32(env, arguments[0], &count));
  return number_to_js(env, endpoint_of(arguments.data).try_publish_packed(count));
}

/// (bytes, size of a message, the first message that is to be published)
napi_value try_publish_equal(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  const BytesOf bytes(env, arguments[0]);
  const std::uint64_t size = whole_number_of(env, arguments[1], "size");
  const std::uint64_t first = whole_number_of(env, arguments[2], "first");
  if (size == 0) return number_to_js(env, 0);
  return number_to_js(env, endpoint_of(arguments.data).try_publish_equal(bytes.bytes(), size, first));
}

napi_value on_ready(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  endpoint_of(arguments.data).readiness().set_callback(arguments[0]);
  return nullptr;
}

napi_value begin_wait(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  ProducerEndpoint& endpoint = endpoint_of(arguments.data);
  endpoint.readiness().begin(endpoint.producer());
  return nullptr;
}

napi_value end_wait(napi_env env, napi_callback_info info) {
  endpoint_of(Arguments<1>(env, info).data).readiness().end();
  return nullptr;
}

napi_value close(napi_env env, napi_callback_info info) {
  endpoint_of(Arguments<1>(env, info).data).close();
  return nullptr;
}

napi_value counters(napi_env env, napi_callback_info info) {
  return counters_to_js(env, endpoint_of(Arguments<1>(env, info).data).producer().counters());
}

napi_value last_sequence(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  check(env,
        napi_create_bigint_uint64(env, endpoint_of(Arguments<1>(env, info).data).producer().last_sequence(), &value));
  return value;
}

}  // namespace

napi_value producer_to_js(napi_env env, Producer producer) {
  Environment& environment = *Environment::of(env);
  Object object(env);
  object.set("index", producer.index())
      .set("queueName", producer.queue_name())
      .set("maxMessageBytes", std::uint64_t{producer.max_message_bytes()})
      .set("maxInlineBytes", std::uint64_t{producer.max_inline_bytes()});
  auto endpoint = std::make_unique<ProducerEndpoint>(environment, std::move(producer));
  ProducerEndpoint* const data = endpoint.get();
  object.method("tryPublish", guarded<try_publish>, data)
      .method("tryPublishWith", guarded<try_publish_with>, data)
      .method("tryPublishMany", guarded<try_publish_many>, data)
      .method("setPack", guarded<set_pack>, data)
      .method("tryPublishPacked", guarded<try_publish_packed>, data)
      .method("tryPublishEqual", guarded<try_publish_equal>, data)
      .method("onReady", guarded<on_ready>, data)
      .method("beginWait", guarded<begin_wait>, data)
      .method("endWait", guarded<end_wait>, data)
      .method("close", guarded<close>, data)
      .method("counters", guarded<counters>, data)
      .method("lastSequence", guarded<last_sequence>, data);
  const auto destroy = [](napi_env, void* finished, void*) {
    const std::unique_ptr<ProducerEndpoint> owner(static_cast<ProducerEndpoint*>(finished));
    owner->close();
  };
  check(env, napi_wrap(env, object.value(), data, destroy, nullptr, nullptr));
  static_cast<void>(endpoint.release());
  return object.value();
}

}  // namespace beltway::node
