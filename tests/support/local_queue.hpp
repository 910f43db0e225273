// A queue over plain memory of this process, without a daemon: endpoints are made by hand, and detach is a repair, as
// the daemon would run it. All endpoints share one mapping, so that ThreadSanitizer sees their races.
//
// Thread safety: making and killing endpoints one thread at a time; the endpoints as they say.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "beltway/options.hpp"
#include "endpoint/attachment.hpp"
#include "recovery/heal.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

class LocalQueue {
 public:
  /// `first`: the position of the first message, so that tests can start just below a wrap.
  explicit LocalQueue(const QueueOptions& options = {}, Position first = 0);
  ~LocalQueue();
  LocalQueue(const LocalQueue&) = delete;
  LocalQueue& operator=(const LocalQueue&) = delete;

  /// Attach at the lowest free index. Its destruction detaches, with a repair.
  [[nodiscard]] Producer producer(const ProducerOptions& options = {});
  [[nodiscard]] Consumer consumer(const ConsumerOptions& options = {});

  /// The attachment alone, for tests of the parts. The caller ends it with detach() or by its `hold`.
  [[nodiscard]] Attachment attach_producer();
  [[nodiscard]] Attachment attach_consumer(const ConsumerOptions& options = {});

  void add_group(const std::string& name, Start start = Start::latest);
  /// The index of a named group.
  [[nodiscard]] unsigned group(const std::string& name) const;
  /// What the group does with messages that fail: as the daemon stores it. A new group delivers them again at once.
  void set_redelivery(const std::string& name, Redelivery redelivery);
  /// For consumers that attach from now on. 0: none.
  void set_lease_timeout(const std::string& name, std::uint32_t timeout_ms);
  /// How many of its newest messages the group keeps (0: all), as the daemon stores it on a living queue.
  void set_keeps(const std::string& name, std::uint32_t messages);
  /// Whether producers stamp their messages, and when those of private groups expire: as the daemon stores it, with a notice.
  void set_stamps(Stamps stamps, std::chrono::milliseconds ttl = {});
  /// Likewise: when messages of a named group expire.
  void set_ttl(const std::string& name, std::chrono::milliseconds ttl);
  /// Posts the removal, as the daemon does.
  void remove();
  /// What the daemon does at a purge, at an attach and at its start.
  recovery::HealCounts heal();
  /// What the daemon does when it has proved an endpoint dead.
  void detach(unsigned owner);

  [[nodiscard]] const QueueMemory& memory() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace beltway::test
