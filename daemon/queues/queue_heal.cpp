// Heals the shared memory of a queue after a program wrote over it. See queue.hpp.
#include <spdlog/spdlog.h>

#include "queues/queue.hpp"
#include "queues/restore.hpp"
#include "ring/groups.hpp"

namespace beltway::daemon {

recovery::Living Queue::living() const noexcept {
  recovery::Living living;
  for (unsigned place = 0; place < record_.endpoints.size(); ++place) {
    const EndpointRecord& endpoint = record_.endpoints[place];
    if (endpoint.attached) living.add(owner_of(place), endpoint.group);
  }
  return living;
}

void Queue::heal(std::string_view when) noexcept {
  const unsigned restored = restore_words(memory_, record_);
  const recovery::HealCounts counts = recovery::heal(memory_, living());
  tell_of_disorder(when, restored, counts);
  if (restored != 0 || counts.claims + counts.released != 0 || counts.disorder()) ring::wake_all_sleepers(memory_);
}

void Queue::tell_of_disorder(std::string_view when, unsigned restored, const recovery::HealCounts& counts) noexcept {
  if (restored == 0 && !counts.disorder()) return;
  try {
    spdlog::warn(
        "queue {}: its shared memory was in disorder ({}); healed: {} slots without a message, {} lease words, {} "
        "other words, "
        "{} words of the daemon. A program uses one Producer or Consumer from two threads at once, or writes over "
        "memory that is "
        "not its own",
        record_.name, when, counts.holes, counts.released, counts.words, restored);
    StoredEvent repaired = event("repaired",
                                 "a program wrote over memory that is not its own, or uses one endpoint from two "
                                 "threads at once: " +
                                     std::to_string(counts.words + restored) + " words healed");
    repaired.event.voided = counts.holes;
    repaired.event.released = counts.released;
    tell(std::move(repaired));
  } catch (const std::exception&) {  // no memory for the line of the log
  }
}

}  // namespace beltway::daemon
