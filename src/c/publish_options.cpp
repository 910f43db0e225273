#include "c/publish_options.hpp"

#include <string>
#include <string_view>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/structs.hpp"

namespace beltway::c {

namespace {

std::string_view view(const beltway_text& text) {
  if (text.data == nullptr && text.size != 0) {
    throw Error(Errc::invalid_option, "beltway_text: `data` is NULL with a size of " + std::to_string(text.size) +
                                          "; an empty text has size 0");
  }
  return {text.data, text.size};
}
beltway_text text_of(std::string_view view) noexcept { return {view.data(), view.size()}; }

std::int64_t nanoseconds(PublishTime time) noexcept { return time.time_since_epoch().count(); }
PublishTime time_of(std::int64_t nanoseconds) noexcept { return PublishTime(std::chrono::nanoseconds(nanoseconds)); }

static_assert(PublishTime::max().time_since_epoch().count() == BELTWAY_PUBLISH_TIME_NOW);
static_assert(static_cast<int>(DeadLetterReason::rejected) == BELTWAY_REJECTED &&
              static_cast<int>(DeadLetterReason::too_many_deliveries) == BELTWAY_TOO_MANY_DELIVERIES &&
              static_cast<int>(DeadLetterReason::expired) == BELTWAY_EXPIRED &&
              static_cast<int>(DeadLetterReason::lease_over) == BELTWAY_LEASE_OVER);

}  // namespace

PublishOptionsOf::PublishOptionsOf(const beltway_publish_options* given) {
  if (given == nullptr) return;
  const beltway_publish_options options = taken(given, BELTWAY_PUBLISH_OPTIONS_INIT, "beltway_publish_options");
  options_.sequence = options.sequence;
  take(options.properties);
}

void PublishOptionsOf::take(const beltway_properties* given) {
  if (given == nullptr) return;
  const beltway_properties from = taken(given, BELTWAY_PROPERTIES_INIT, "beltway_properties");
  if (from.header_count > k_max_headers) {
    throw Error(Errc::too_large, "publish with " + std::to_string(from.header_count) + " headers; at most " +
                                     std::to_string(k_max_headers) + " are possible: put the rest into the payload");
  }
  if (from.headers == nullptr && from.header_count != 0) {
    throw Error(Errc::invalid_option, "beltway_properties: `headers` is NULL with a header_count that is not 0");
  }
  for (std::size_t i = 0; i < from.header_count; ++i) {
    headers_[i] = {.name = view(from.headers[i].name), .value = view(from.headers[i].value)};
  }
  options_.properties = {.key = view(from.key),
                         .correlation_id = view(from.correlation_id),
                         .reply_to = view(from.reply_to),
                         .content_type = view(from.content_type),
                         .trace_id = view(from.trace_id),
                         .headers = {headers_.data(), from.header_count},
                         .publish_time = time_of(from.publish_time_ns),
                         .ttl = std::chrono::microseconds(from.ttl_us)};
  if (from.dead_letter == nullptr) return;
  const beltway_dead_letter& letter = *from.dead_letter;
  dead_letter_ = {.reason = static_cast<DeadLetterReason>(number_of(letter.reason)),
                  .deliveries = letter.deliveries,
                  .position = letter.position,
                  .first_time = time_of(letter.first_time_ns),
                  .last_time = time_of(letter.last_time_ns),
                  .queue = view(letter.queue),
                  .group = view(letter.group)};
  options_.properties.dead_letter = &dead_letter_;
}

void fill(beltway_received_properties& to, const PropertiesView& from) noexcept {
  to.key = text_of(from.key());
  to.correlation_id = text_of(from.correlation_id());
  to.reply_to = text_of(from.reply_to());
  to.content_type = text_of(from.content_type());
  to.trace_id = text_of(from.trace_id());
  to.publish_time_ns = nanoseconds(from.publish_time());
  const auto end = from.expires_at();
  to.expires_at_ns = end ? std::chrono::nanoseconds(end->time_since_epoch()).count() : BELTWAY_UNSET;
  to.is_damaged = from.is_damaged();
  const DeadLetter* const letter = from.dead_letter();
  to.is_dead_letter = letter != nullptr;
  if (letter != nullptr) {
    to.dead_letter = {.reason = static_cast<beltway_dead_letter_reason>(letter->reason),
                      .deliveries = letter->deliveries,
                      .position = letter->position,
                      .first_time_ns = nanoseconds(letter->first_time),
                      .last_time_ns = nanoseconds(letter->last_time),
                      .queue = text_of(letter->queue),
                      .group = text_of(letter->group)};
  }
  to.header_count = 0;
  for (const MessageHeader& header : from.headers()) {
    to.headers[to.header_count++] = {.name = text_of(header.name), .value = text_of(header.value)};
  }
}

}  // namespace beltway::c

beltway_status beltway_message_properties(const beltway_message* message, beltway_received_properties* properties) {
  if (message == nullptr) return beltway::c::fail_by_null("beltway_message_properties", "message");
  if (properties == nullptr) return beltway::c::fail_by_null("beltway_message_properties", "properties");
  return beltway::c::guarded([&] {
    beltway::c::fill_known(properties, "beltway_received_properties", [&](beltway_received_properties& to) {
      beltway::c::fill(to, beltway::c::cpp(message).properties());
    });
    return BELTWAY_OK;
  });
}
