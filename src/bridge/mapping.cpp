#include "bridge/mapping.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "beltway/limits.hpp"
#include "bridge/plants.hpp"

namespace beltway::bridge {

namespace {

constexpr std::int64_t k_ns_per_s = 1'000'000'000;
/// Seconds since 1970 that a time in nanoseconds can hold.
constexpr std::int64_t k_max_seconds = std::numeric_limits<std::int64_t>::max() / k_ns_per_s;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

/// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".
bool is_traceparent(std::string_view text) {
  constexpr std::string_view k_pattern = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
  const auto fits = [](char c, char wanted) {
    if (wanted == '-') return c == '-';
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  };
  return std::equal(text.begin(), text.end(), k_pattern.begin(), k_pattern.end(), fits);
}

/// The headers that to_remote() writes itself: those of a local message are not sent besides.
bool is_written_by_bridge(std::string_view name) {
  return name == k_origin_header || name == k_stream_header || name == k_key_header || name == k_trace_header ||
         name == k_time_header;
}

void add_header(RemoteMessage& remote, std::string_view name, std::string_view value) {
  remote.headers.push_back({std::string(name), std::string(value)});
}

/// The queues that a local message has passed already, and the one that it leaves now. The first ones give way in a path that is
/// too long; such a message is in a loop, or is refused at the next bridge.
std::vector<Origin> path_with(std::optional<std::string_view> before, const Origin& origin) {
  std::vector<Origin> path;
  if (before) path = read_path(*before).value_or(std::vector<Origin>{});
  if (path.size() == k_max_hops) path.erase(path.begin());
  path.push_back(origin);
  return path;
}

void write_times(const PropertiesView& properties, const Departure& departure, RemoteMessage& remote) {
  const PublishTime time = properties.publish_time() == PublishTime{} ? departure.stamped : properties.publish_time();
  const std::int64_t nanoseconds = time.time_since_epoch().count();
  if (nanoseconds > 0) {
    remote.timestamp_s = nanoseconds / k_ns_per_s;
    add_header(remote, k_time_header, std::to_string(nanoseconds));
  }
  if (const auto end = properties.expires_at()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - departure.now);
    remote.expiration_ms = std::max<std::int64_t>(0, left.count());
  }
}

}  // namespace

void to_remote(const PropertiesView& properties, const Departure& departure, RemoteMessage& remote) {
  remote.content_type = properties.content_type();
  remote.correlation_id = properties.correlation_id();
  remote.reply_to = properties.reply_to();
  remote.routing_key = properties.key();
  remote.exchange.clear();
  remote.timestamp_s.reset();
  remote.expiration_ms.reset();
  remote.headers.clear();
  remote.message_id = text_of({departure.origin});
  const auto headers = properties.headers();
  for (const MessageHeader& header : headers) {
    if (!is_written_by_bridge(header.name)) add_header(remote, header.name, header.value);
  }
  if (!is_planted("loop_without_origin")) {
    add_header(remote, k_origin_header, text_of(path_with(properties.header(k_origin_header), departure.origin)));
  }
  add_header(remote, k_stream_header, text_of(departure.place));
  if (!properties.key().empty()) add_header(remote, k_key_header, properties.key());
  if (!properties.trace_id().empty()) {
    add_header(remote, is_traceparent(properties.trace_id()) ? k_traceparent_header : k_trace_header,
               properties.trace_id());
  }
  write_times(properties, departure, remote);
}

std::optional<Arrival> Arrival::read(const RemoteMessage& remote, std::string& why) {
  Arrival arrival;
  arrival.correlation_id_ = remote.correlation_id;
  arrival.reply_to_ = remote.reply_to;
  arrival.content_type_ = remote.content_type;
  if (!remote.exchange.empty()) arrival.key_ = remote.routing_key;
  if (remote.timestamp_s && *remote.timestamp_s > 0 && *remote.timestamp_s <= k_max_seconds) {
    arrival.publish_time_ = PublishTime(std::chrono::nanoseconds(*remote.timestamp_s * k_ns_per_s));
  }
  if (remote.expiration_ms) {
    // 0 is no ttl of its own for Beltway, and "expired at once" for the engine.
    const std::int64_t left = std::clamp<std::int64_t>(*remote.expiration_ms, 0, k_max_ttl_ms);
    arrival.ttl_ = left == 0 ? std::chrono::microseconds(-1) : std::chrono::milliseconds(left);
  }
  arrival.read_headers(remote);
  for (const std::string* const text :
       {&arrival.key_, &arrival.correlation_id_, &arrival.reply_to_, &arrival.content_type_, &arrival.trace_id_}) {
    if (text->size() <= k_max_property_bytes) continue;
    why = "a property has more than " + std::to_string(k_max_property_bytes) + " bytes";
    return std::nullopt;
  }
  std::size_t bytes = 0;
  for (const RemoteHeader& header : arrival.headers_) {
    bytes += header.name.size() + header.value.size();
    if (header.name.size() <= k_max_header_name_bytes) continue;
    why = "the name of a header has more than " + std::to_string(k_max_header_name_bytes) + " bytes";
    return std::nullopt;
  }
  if (arrival.headers_.size() > k_max_headers || bytes > k_max_headers_bytes) {
    why = "its headers are more than " + std::to_string(k_max_headers) + ", or have more than " +
          std::to_string(k_max_headers_bytes) + " bytes";
    return std::nullopt;
  }
  return arrival;
}

void Arrival::read_headers(const RemoteMessage& remote) {
  for (const RemoteHeader& header : remote.headers) {
    if (header.name == k_origin_header) {
      const auto path = read_path(header.value);
      if (path) path_ = *path;
      has_long_path_ =
          has_long_path_ || static_cast<std::size_t>(std::ranges::count(header.value, ' ')) >= k_max_hops - 1;
      if (path) headers_.push_back(header);
    } else if (header.name == k_stream_header) {
      place_ = read_place(header.value);
    } else if (header.name == k_key_header) {
      key_ = header.value;
    } else if (header.name == k_trace_header || (header.name == k_traceparent_header && is_traceparent(header.value))) {
      trace_id_ = header.value;
    } else if (header.name == k_time_header) {
      const auto time = whole_number(header.value);
      if (time && *time > 0) publish_time_ = PublishTime(std::chrono::nanoseconds(*time));
    } else {
      headers_.push_back(header);
    }
  }
}

Properties Arrival::properties() const {
  views_.clear();
  for (const RemoteHeader& header : headers_) views_.push_back({.name = header.name, .value = header.value});
  return {.key = key_,
          .correlation_id = correlation_id_,
          .reply_to = reply_to_,
          .content_type = content_type_,
          .trace_id = trace_id_,
          .headers = views_,
          .publish_time = publish_time_,
          .ttl = ttl_};
}

bool Arrival::is_loop(std::uint64_t queue_id) const noexcept {
  return has_long_path_ || std::ranges::any_of(path_, [=](const Origin& each) { return each.queue_id == queue_id; });
}

}  // namespace beltway::bridge
