// The calls of a message.
#include "beltway/message.hpp"

#include <chrono>

#include "c/handles.hpp"
#include "c/last_error.hpp"

using beltway::c::cpp;
using beltway::c::fail_by_null;

namespace beltway::c {

namespace {

/// `end()` returns whether the message was still ours. 1, 0, or -1 for what it throws.
template <class End>
int ended(const End& end) {
  int was_ours = -1;
  guarded([&] {
    was_ours = end() ? 1 : 0;
    return BELTWAY_OK;
  });
  return was_ours;
}

}  // namespace

}  // namespace beltway::c

int beltway_ack(beltway_message* message) {
  if (message == nullptr) [[unlikely]]
    return fail_by_null("beltway_ack", "message");
  return cpp(message).ack() ? 1 : 0;
}

size_t beltway_ack_batch(beltway_message* messages, size_t count) {
  return messages == nullptr ? 0 : beltway::ack_batch(cpp(messages, count));
}

int beltway_nack(beltway_message* message) {
  if (message == nullptr) return fail_by_null("beltway_nack", "message");
  return cpp(message).nack() ? 1 : 0;
}

int beltway_nack_after(beltway_message* message, int64_t delay_us) {
  if (message == nullptr) return fail_by_null("beltway_nack_after", "message");
  return beltway::c::ended([&] { return cpp(message).nack(std::chrono::microseconds(delay_us)); });
}

int beltway_reject(beltway_message* message) {
  if (message == nullptr) return fail_by_null("beltway_reject", "message");
  return beltway::c::ended([&] { return cpp(message).reject(); });
}

void beltway_message_drop(beltway_message* message) {
  if (message != nullptr) cpp(message) = beltway::Message();
}

bool beltway_extend(beltway_message* message) { return message != nullptr && cpp(message).extend(); }

bool beltway_still_held(const beltway_message* message) { return message != nullptr && cpp(message).still_held(); }

int64_t beltway_message_age_us(const beltway_message* message) {
  if (message == nullptr) return BELTWAY_UNSET;
  const auto age = cpp(message).age();
  return age ? age->count() : BELTWAY_UNSET;
}

int64_t beltway_message_published_at_ns(const beltway_message* message) {
  if (message == nullptr) return BELTWAY_UNSET;
  const auto time = cpp(message).published_at();
  return time ? time->time_since_epoch().count() : BELTWAY_UNSET;
}
