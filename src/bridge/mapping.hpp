// A local message as a message of an engine, and the way back. README.md has the table of fields.
//
// What comes in is hostile: each text is measured against the limits of limits.hpp before anything is made of it. Nothing here
// has a connection, so a fuzz target calls it.
// Thread safety: functions and values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/properties.hpp"
#include "bridge/origin.hpp"
#include "bridge/remote.hpp"

namespace beltway::bridge {

/// The headers that the bridge writes and reads.
inline constexpr std::string_view k_header_prefix = "beltway-";
inline constexpr std::string_view k_origin_header = "beltway-origin";
inline constexpr std::string_view k_stream_header = "beltway-stream";
inline constexpr std::string_view k_key_header = "beltway-key";
inline constexpr std::string_view k_trace_header = "beltway-trace-id";
inline constexpr std::string_view k_time_header = "beltway-publish-time";
/// The name that tracing programs use for a W3C trace.
inline constexpr std::string_view k_traceparent_header = "traceparent";

/// What an outgoing message has besides its properties.
struct Departure {
  Origin origin;          ///< the queue that it leaves
  StreamPlace place;      ///< in the stream of its route
  PublishTime stamped{};  ///< of the queue's stamp; zero: none
  std::chrono::steady_clock::time_point now{};
};

/// Fills `remote` from the properties of a local message. Its former contents are replaced.
void to_remote(const PropertiesView& properties, const Departure& departure, RemoteMessage& remote);

/// An incoming message as it will be published: owns the texts that properties() shows.
class Arrival {
 public:
  /// Nothing: the message does not fit the limits; `why` says which.
  [[nodiscard]] static std::optional<Arrival> read(const RemoteMessage& remote, std::string& why);

  /// Views into this object, valid until it is moved or ends.
  [[nodiscard]] Properties properties() const;
  /// The queues that it has passed. Empty: it comes from no bridge.
  [[nodiscard]] const std::vector<Origin>& path() const noexcept { return path_; }
  [[nodiscard]] const std::optional<StreamPlace>& place() const noexcept { return place_; }
  /// True if it has passed this queue before, or more queues than a message without a loop does.
  [[nodiscard]] bool is_loop(std::uint64_t queue_id) const noexcept;

 private:
  void read_headers(const RemoteMessage& remote);

  std::string key_;
  std::string correlation_id_;
  std::string reply_to_;
  std::string content_type_;
  std::string trace_id_;
  std::vector<RemoteHeader> headers_;
  std::vector<Origin> path_;
  bool has_long_path_ = false;
  std::optional<StreamPlace> place_;
  PublishTime publish_time_{};
  std::chrono::microseconds ttl_{0};
  mutable std::vector<MessageHeader> views_;
};

}  // namespace beltway::bridge
