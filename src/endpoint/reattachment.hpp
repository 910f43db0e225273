// A consumer that goes on after an eviction (ConsumerOptions::reattach): it attaches again, as a new endpoint, and replaces its
// core.
//
// The old core stays until its last message has ended, and its place stays taken so long. A private consumer goes on behind the
// last position that it has read, or at the oldest one that is still there. The descriptor of event mode moves to the new core,
// so an event loop notices nothing.
//
// Thread safety: go_on() belongs to the consumer's thread; interrupt() may be called from any thread and from signal handlers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "beltway/consumer.hpp"
#include "beltway/options.hpp"
#include "beltway/status.hpp"
#include "endpoint/attachment.hpp"

namespace beltway::endpoint {

class Reattachment {
 public:
  using CorePointer = std::unique_ptr<detail::InlineReceiver, detail::ConsumerCoreDeleter>;

  /// `core`: the first one. `attach` asks the daemon for a place under the same options, and throws Error.
  Reattachment(ConsumerCore* core, const ConsumerOptions& options, std::function<Attachment()> attach)
      : core_(core), options_(options), attach_(std::move(attach)) {}

  /// Attaches again and replaces `core`, whose consumer was evicted. Status::ok; Status::removed if queue or group is gone.
  /// Throws Error if the attach fails otherwise: then `core` stays, and a later call tries again.
  [[nodiscard]] Status go_on(CorePointer& core);
  void interrupt() noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  std::atomic<ConsumerCore*> core_;
  std::atomic<unsigned> interrupting_ = 0;  // calls of interrupt() that use core_
  const ConsumerOptions options_;
  const std::function<Attachment()> attach_;
  std::uint64_t count_ = 0;
};

}  // namespace beltway::endpoint
