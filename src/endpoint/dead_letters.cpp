// See dead_letters.hpp.
#include "endpoint/dead_letters.hpp"

#include <chrono>

#include "endpoint/properties_block.hpp"

namespace beltway::endpoint {

namespace {
/// Thrown while a message is written, so that the claim is taken back.
struct NotOurs {};
}  // namespace

DeadLetterReason reason_of(ring::FailReason reason) noexcept { return static_cast<DeadLetterReason>(reason); }

Move try_move(Producer& out, const ring::SlotView& view, DeadLetter letter, const ring::NamedReader& reader,
              Status& status) {
  const PropertiesView before(std::span<const std::byte>(view.data - view.properties_bytes, view.properties_bytes));
  letter.last_time = PublishTime(std::chrono::nanoseconds(static_cast<std::int64_t>(publish_time_now())));
  letter.first_time = before.dead_letter() != nullptr ? before.dead_letter()->first_time : letter.last_time;
  Properties properties = before;
  properties.dead_letter = &letter;
  const auto write = [&](std::span<std::byte> place) {
    detail::copy_racing(place.data(), view.data, view.size);
    // A late holder may have copied bytes that are another message's by now.
    ring::acquire_fence();
    if (!reader.is_ours(view.position, view.tries)) throw NotOurs();
  };
  try {
    status = out.try_publish(view.size, properties, write);
  } catch (const NotOurs&) {
    return Move::not_ours;
  }
  return status == Status::ok ? Move::done : Move::not_now;
}

}  // namespace beltway::endpoint
