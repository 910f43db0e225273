// Spin back-off: a spinning consumer that outruns a stream pauses for a moment, so that its producer gets ahead.
//
// Why: a consumer that has caught up reads the line that the producer is writing, and takes it away. Each message then costs
// both sides several transfers of a line. A consumer some messages behind costs none.
//
// When: only after a stream was recognised. A stream is faster than request and reply can be, and several messages are there at
// once. Request and reply is never delayed. A consumer of batches has caught up when a batch is only partly full.
//
// How long: a BackoffLimit bounds the pause by a time and by a part of the free room, so that neither ring nor
// lane fills up meanwhile.
//
// False alarms: several requests under way resemble a stream. A pause after which no more messages are there than before was
// useless; after each useless pause the next one comes later. A consumer in the way can make a stream so slow that it is not
// recognised: a pause is tried now and then, and repeated only if the stream then becomes fast.
//
// Thread safety: none, it belongs to its consumer's thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ring/layout.hpp"
#include "ring/tuning.hpp"

namespace beltway::waiting {

class StreamBackoff {
 public:
  explicit StreamBackoff(const ring::Geometry& geometry) noexcept
      : slots_(geometry.slots), inline_bytes_(geometry.inline_bytes()), lane_bytes_(geometry.lane_bytes) {}

  /// A consumer has taken all before `read`, of `bytes` in all since it began, and finds nothing there. False: it polls on, and
  /// need not ask the clock.
  [[nodiscard]] bool may_wait(ring::Position read, std::uint64_t bytes) noexcept {
    if (bytes - bytes_ >= taken(read) * ring::k_backoff_min_bytes) return true;
    read_ = read;
    bytes_ = bytes;
    now_ns_ = 0;
    waits_ = 0;
    messages_ = 0;
    paused_ = false;
    return false;
  }
  /// For how long it should not poll from `now_ns` on.
  [[nodiscard]] std::uint64_t wait_ns(ring::Position read, std::uint64_t bytes, std::uint64_t now_ns,
                                      const ring::BackoffLimit& limit) noexcept {
    const std::uint64_t messages = taken(read);
    const std::uint64_t taken_bytes = bytes - bytes_;
    const std::uint64_t stream_ns = messages * ring::k_stream_base_ns + taken_bytes / ring::k_stream_bytes_per_ns;
    const std::uint64_t passed_ns = now_ns - now_ns_;
    const bool streams = now_ns_ != 0 && messages != 0 && passed_ns < stream_ns;
    if (streams && paused_) {  // what helped is tried again at once
      untried_ = tried_ = 0;
      trial_gap_ = ring::k_first_trial_gap;
      useless_streak_ = 0;
    }
    const bool fast = streams || (now_ns_ != 0 && messages != 0 && passed_ns < 2 * stream_ns && is_tried());
    if (paused_ && passed_ns >= 2 * stream_ns) {
      useless_streak_ = std::min(useless_streak_ + 1, ring::k_max_useless_streak);
      skipped_ = ring::k_stream_waits << useless_streak_;
    }
    read_ = read;
    bytes_ = bytes;
    now_ns_ = now_ns;
    waits_ = fast ? waits_ + 1 : 0;
    messages_ = fast ? messages_ + messages : 0;
    if (waits_ == 2 * ring::k_stream_waits) {  // what came together long ago is forgotten
      waits_ /= 2;
      messages_ /= 2;
    }
    paused_ = is_stream() && !is_skipped();
    if (!paused_) return 0;
    // At the pace of the messages since the last wait.
    return std::min(limit.max_ns, room(taken_bytes / messages) / limit.part_of_room * (passed_ns / messages));
  }

 private:
  /// It is a stream. Most have 1.5 messages a wait and more, one in a hundred less than 1.25; requests and replies 1.1 at most.
  [[nodiscard]] bool is_stream() const noexcept {
    return waits_ >= ring::k_stream_waits && messages_ >= waits_ + waits_ / 4;
  }
  [[nodiscard]] bool is_skipped() noexcept {
    if (skipped_ == 0) return false;
    --skipped_;
    return true;
  }
  /// Whether to count what came at more than half of a stream's pace, but not all of it, as one.
  [[nodiscard]] bool is_tried() noexcept {
    if (untried_ != 0) {
      --untried_;
      return false;
    }
    if (!paused_ || ++tried_ <= ring::k_stream_waits) return true;
    trial_gap_ = std::min(2 * trial_gap_, ring::k_max_trial_gap);
    untried_ = trial_gap_;
    tried_ = 0;
    return false;
  }
  [[nodiscard]] std::uint64_t taken(ring::Position read) const noexcept {
    return static_cast<std::uint64_t>(ring::distance(read, read_));
  }
  /// Messages that ring and lane have room for. `message_bytes` come from memory that peers may write.
  [[nodiscard]] std::uint64_t room(std::uint64_t message_bytes) const noexcept {
    return message_bytes <= inline_bytes_ ? slots_ : std::min(slots_, lane_bytes_ / message_bytes);
  }

  const std::uint64_t slots_;
  const std::uint64_t inline_bytes_;
  const std::uint64_t lane_bytes_;
  ring::Position read_ = 0;                            // at the last wait
  std::uint64_t bytes_ = 0;                            // likewise
  std::uint64_t now_ns_ = 0;                           // likewise; 0: there was none yet
  std::uint64_t waits_ = 0;                            // fast ones, in a row
  std::uint64_t messages_ = 0;                         // taken between them
  bool paused_ = false;                                // at the last wait
  unsigned useless_streak_ = 0;                        // pauses, in a row
  std::uint64_t skipped_ = 0;                          // waits to come that are given none for it
  std::uint64_t untried_ = ring::k_first_trial_gap;    // waits before the next trial
  std::uint64_t tried_ = 0;                            // pauses in this one
  std::uint64_t trial_gap_ = ring::k_first_trial_gap;  // before it
};

}  // namespace beltway::waiting
