// The endpoints that are attached to a queue without a daemon, by the identity words that the test has written.
#pragma once

#include "recovery/heal.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::test {

using namespace beltway::ring;

inline recovery::Living living_of(const QueueMemory& memory) noexcept {
  recovery::Living living;
  const auto add = [&](unsigned owner) {
    const Identity identity = Identity::of(memory.endpoint(owner).identity.load_relaxed());
    if ((identity.flags & k_endpoint_attached) != 0) living.add(owner, identity.group);
  };
  for (unsigned i = 0; i < memory.geometry.max_producers; ++i) add(i);
  for (unsigned i = 0; i < memory.geometry.max_consumers; ++i) add(k_first_consumer + i);
  return living;
}

/// The same without `owner`, whose death is being repaired.
inline recovery::Living living_without(const QueueMemory& memory, unsigned owner) noexcept {
  recovery::Living living = living_of(memory);
  living.remove(owner);
  return living;
}

}  // namespace beltway::test
