// Properties: what a message says about itself beside its payload.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "beltway/limits.hpp"

namespace beltway {

/// An application header: a name and a value that mean something to the programs of one queue. Any bytes.
struct MessageHeader {
  std::string_view name{};
  std::string_view value{};
};

/// A time of CLOCK_REALTIME, in nanoseconds since 1970.
using PublishTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Why a message was moved to a dead letter queue (QueueOptions::dead_letter).
enum class DeadLetterReason : std::uint8_t {
  rejected = 1,             ///< by Message::reject()
  too_many_deliveries = 2,  ///< it failed max_deliveries times
  expired = 3,              ///< it was older than its ttl
  lease_over = 4,           ///< it failed max_deliveries times, at last since a consumer held it beyond lease_timeout
};

/// "rejected", "too_many_deliveries", "expired" or "lease_over"; "unknown" for a reason that this library does not know.
[[nodiscard]] constexpr std::string_view to_string(DeadLetterReason reason) noexcept {
  constexpr std::array<std::string_view, 4> k_texts{"rejected", "too_many_deliveries", "expired", "lease_over"};
  const auto index = static_cast<std::size_t>(reason) - 1;
  return index < k_texts.size() ? k_texts[index] : "unknown";
}

/// What a message in a dead letter queue says about its failure. A view, as Properties.
///
/// A consumer that dies in the middle of a move leaves the message twice: `queue`, `group` and `position` are the same then.
struct DeadLetter {
  DeadLetterReason reason{};
  unsigned deliveries = 0;     ///< how often it was delivered in that group; above 255: 255
  std::uint64_t position = 0;  ///< Message::position() in that queue
  PublishTime first_time{};    ///< when it first became a dead letter; a dead letter that fails again keeps it
  PublishTime last_time{};     ///< when it last became one
  std::string_view queue{};    ///< where it failed
  std::string_view group{};
};

/// What a producer says about a message. Views: the texts must live until the call that takes them returns.
///
/// An empty field is absent, and costs no byte. Beltway stores the fields, and reads none of them but `ttl`.
/// Limits: each text k_max_property_bytes; k_max_headers headers, a name k_max_header_name_bytes, all names and values together
/// k_max_headers_bytes. A call that takes larger ones returns Status::too_large or throws Error(too_large), which names the field
/// and its limit. Properties and payload together must fit the queue: see Producer::max_message_bytes().
struct Properties {
  std::string_view key{};             ///< what the message is about: a customer, a device, a topic
  std::string_view correlation_id{};  ///< which request the message answers
  std::string_view reply_to{};        ///< the queue that an answer goes to
  std::string_view content_type{};    ///< of the payload: "application/json"
  /// The trace that the message belongs to, as text: a W3C traceparent ("00-...-...-01"), or the identifier of a trace alone.
  std::string_view trace_id{};
  /// In their order. Two headers may have the same name.
  std::span<const MessageHeader> headers{};
  /// Zero: none. `now`: the time of the publish, or of a loan's commit, as the clock says right before the claim.
  PublishTime publish_time{};

  /// How long the message may wait for its delivery, from its publish or from its loan's commit on. An older message is not
  /// delivered: see QueueOptions::ttl, which also counts; the earlier end decides. 0: no time of its own. Below 0: it has expired
  /// already. More than k_max_ttl_ms counts as that.
  std::chrono::microseconds ttl{0};
  /// Not null: the message is a dead letter. Beltway says so of messages that it moves; a program that forwards a dead letter
  /// may keep it.
  const DeadLetter* dead_letter = nullptr;

  static constexpr PublishTime now = PublishTime::max();

  /// True if all fields are absent. A message that is published with such properties has none.
  [[nodiscard]] constexpr bool empty() const noexcept {
    return key.empty() && correlation_id.empty() && reply_to.empty() && content_type.empty() && trace_id.empty() &&
           headers.empty() && publish_time == PublishTime{} && ttl.count() == 0 && dead_letter == nullptr;
  }
};

/// The properties of a received message, read in place.
///
/// Promised: the constructor reads each length once, checks it, and keeps it, so no text lies outside of the block. A peer that
/// has the right to publish may rewrite the bytes of the texts at any time, as it may rewrite the payload.
/// Fields that this library does not know are passed over.
/// Thread safety: as a value. No member blocks, allocates or throws.
class PropertiesView {
 public:
  /// All fields are absent.
  PropertiesView() noexcept {}
  /// Of a block as it lies before a payload; empty: all fields are absent. The bytes must live as long as the view is used.
  explicit PropertiesView(std::span<const std::byte> block) noexcept;

  [[nodiscard]] std::string_view key() const noexcept { return texts_[0]; }
  [[nodiscard]] std::string_view correlation_id() const noexcept { return texts_[1]; }
  [[nodiscard]] std::string_view reply_to() const noexcept { return texts_[2]; }
  [[nodiscard]] std::string_view content_type() const noexcept { return texts_[3]; }
  [[nodiscard]] std::string_view trace_id() const noexcept { return texts_[4]; }
  /// Zero: none.
  [[nodiscard]] PublishTime publish_time() const noexcept { return publish_time_; }
  /// When the message expires by Properties::ttl. Nothing: it does not.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> expires_at() const noexcept { return expires_at_; }

  /// In the order of the producer. They lie in this object, so it must have a name.
  [[nodiscard]] std::span<const MessageHeader> headers() const& noexcept { return {headers_.data(), header_count_}; }
  std::span<const MessageHeader> headers() const&& = delete;
  /// The value of the first header of that name.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;

  /// Of a dead letter; null: it is none. It lies in this object, so that must have a name.
  [[nodiscard]] const DeadLetter* dead_letter() const& noexcept { return is_dead_letter_ ? &dead_letter_ : nullptr; }
  const DeadLetter* dead_letter() const&& = delete;

  /// True if the block made no sense from some field on: that field and those behind it count as absent.
  [[nodiscard]] bool is_damaged() const noexcept { return is_damaged_; }

  /// The same fields without the ttl, to be published again. They point into this object, which must live until then.
  operator Properties() const& noexcept {  // NOLINT(google-explicit-constructor): to forward a message
    return {.key = key(),
            .correlation_id = correlation_id(),
            .reply_to = reply_to(),
            .content_type = content_type(),
            .trace_id = trace_id(),
            .headers = headers(),
            .publish_time = publish_time_,
            .dead_letter = dead_letter()};
  }
  operator Properties() const&& = delete;

 private:
  struct Reader;
  void read_dead_letter(Reader& reader) noexcept;

  std::array<std::string_view, 5> texts_;
  PublishTime publish_time_{};
  std::optional<std::chrono::steady_clock::time_point> expires_at_{};
  unsigned header_count_ = 0;
  bool is_damaged_ = false;
  bool is_dead_letter_ = false;
  union {  // Not initialised: only if is_dead_letter_.
    DeadLetter dead_letter_;
  };
  union {  // Not initialised: only header_count_ of them exist.
    std::array<MessageHeader, k_max_headers> headers_;
  };
};

}  // namespace beltway
