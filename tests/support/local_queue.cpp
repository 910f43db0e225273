// See local_queue.hpp.
#include "local_queue.hpp"

#include <unistd.h>
#include <bit>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "os/kernel.hpp"
#include "os/mark.hpp"
#include "recovery/repair.hpp"
#include "ring/groups.hpp"
#include "ring/queue_setup.hpp"
#include "ring/stamps.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::os;
using namespace beltway::ring;

namespace {

struct Free {
  void operator()(std::byte* memory) const noexcept { std::free(memory); }
};
using Memory = std::unique_ptr<std::byte, Free>;

Memory zeroed(std::size_t size) {
  if (size == 0) return nullptr;
  const std::size_t pages = (size + 4095) / 4096 * 4096;
  Memory memory(static_cast<std::byte*>(std::aligned_alloc(4096, pages)));
  std::memset(memory.get(), 0, pages);
  return memory;
}

Geometry geometry_of(const QueueOptions& options) {
  return {.slots = options.slots,
          .slot_bytes = options.slot_bytes,
          .lane_bytes = options.lane_bytes,
          .max_producers = options.max_producers,
          .max_consumers = options.max_consumers,
          .max_groups = options.max_groups,
          .max_parked = options.max_parked.value_or(options.slots / k_default_parked_part)};
}

}  // namespace

struct LocalQueue::State {
  explicit State(const QueueOptions& options)
      : ring(zeroed(geometry_of(options).ring_bytes())),
        heap(zeroed(geometry_of(options).heap_bytes())),
        control(zeroed(geometry_of(options).control_bytes())) {
    const Geometry geometry = geometry_of(options);
    for (unsigned i = 0; i < k_bells; ++i) bells.push_back(make_bell("a local queue").release());
    memory = {geometry, ring.get(), heap.get(), control.get(), bells.data()};
  }
  ~State() {
    for (const int bell : bells) ::close(bell);
  }

  /// The lowest free owner number from `first` on, now taken.
  unsigned take(unsigned first, unsigned count) {
    for (unsigned owner = first; owner < first + count; ++owner) {
      if (attached[owner]) continue;
      attached[owner] = true;
      return owner;
    }
    throw std::runtime_error("no endpoint left");
  }
  void detach(unsigned owner) {
    const std::lock_guard lock(mutex);
    if (!attached[owner]) return;
    living.remove(owner);
    recovery::repair(memory, owner, living);
    if (owner < k_first_consumer) memory.shared_status().live_producers.fetch_and(~(1ULL << owner));
    wake_all_sleepers(memory);
    memory.endpoint(owner).identity.store_release(0);
    attached[owner] = false;
  }

  Memory ring;
  Memory heap;
  Memory control;
  std::vector<int> bells;
  QueueMemory memory;
  std::mutex mutex;
  bool attached[2 * k_first_consumer] = {};
  recovery::Living living;
  std::vector<std::string> groups;
};

LocalQueue::LocalQueue(const QueueOptions& options, Position first) : state_(std::make_shared<State>(options)) {
  if (!os::register_for_barriers()) throw std::runtime_error("membarrier is not available");
  initialize_queue(state_->memory, 1, options.fence == Fence::symmetric, first);
  for (const NamedGroup& group : options.groups) add_group(group.name);
  if (options.stamps != Stamps::off || options.ttl.count() != 0) {
    set_stamps(options.stamps == Stamps::off ? Stamps::coarse : options.stamps, options.ttl);
    for (const NamedGroup& group : options.groups) set_ttl(group.name, group.options.ttl.value_or(options.ttl));
  }
}
LocalQueue::~LocalQueue() = default;

const QueueMemory& LocalQueue::memory() const noexcept { return state_->memory; }

void LocalQueue::add_group(const std::string& name, Start start) {
  join(state_->memory, static_cast<unsigned>(state_->groups.size()), GroupKind::named, start);
  state_->groups.push_back(name);
}

unsigned LocalQueue::group(const std::string& name) const {
  for (unsigned i = 0; i < state_->groups.size(); ++i) {
    if (state_->groups[i] == name) return i;
  }
  throw std::runtime_error("no group " + name);
}

void LocalQueue::set_redelivery(const std::string& name, Redelivery redelivery) {
  state_->memory.group(group(name)).redelivery.store_relaxed(redelivery.word());
}

void LocalQueue::set_lease_timeout(const std::string& name, std::uint32_t timeout_ms) {
  state_->memory.group(group(name)).times.store_relaxed(GroupTimes{timeout_ms, 0}.word());
}

void LocalQueue::set_keeps(const std::string& name, std::uint32_t messages) {
  state_->memory.group(group(name)).keeps.store_relaxed(messages);
  post_notice(state_->memory, 0);
  wake_all_sleepers(state_->memory);
}

void LocalQueue::set_stamps(Stamps stamps, std::chrono::milliseconds ttl) {
  const QueueMemory& memory = state_->memory;
  if (load_stamping(memory).mode == 0) clear_stamps(memory);
  const Stamping stamping{static_cast<std::uint32_t>(ttl.count()), static_cast<std::uint8_t>(stamps)};
  memory.shared_status().stamping.store_release(stamping.word());
  post_notice(memory, 0);
  wake_all_sleepers(memory);
}

void LocalQueue::set_ttl(const std::string& name, std::chrono::milliseconds ttl) {
  const GroupTimes times{0, static_cast<std::uint32_t>(ttl.count())};
  state_->memory.group(group(name)).times.store_relaxed(times.word());
  post_notice(state_->memory, 0);
  wake_all_sleepers(state_->memory);
}

void LocalQueue::remove() {
  post_notice(state_->memory, k_notice_removed);
  wake_all_sleepers(state_->memory);
}

recovery::HealCounts LocalQueue::heal() {
  const std::lock_guard lock(state_->mutex);
  const recovery::HealCounts counts = recovery::heal(state_->memory, state_->living);
  wake_all_sleepers(state_->memory);
  return counts;
}

void LocalQueue::detach(unsigned owner) { state_->detach(owner); }

Attachment LocalQueue::attach_producer() {
  const std::lock_guard lock(state_->mutex);
  const unsigned owner = state_->take(0, state_->memory.geometry.max_producers);
  state_->living.add(owner);
  state_->memory.endpoint(owner).identity.store_release(Identity{1, 0, k_endpoint_attached}.word());
  state_->memory.shared_status().live_producers.fetch_or(1ULL << owner);
  state_->memory.shared_status().producers_ever.fetch_add(1);
  Attachment attachment;
  attachment.memory = state_->memory;
  attachment.owner = owner;
  attachment.queue_name = "local";
  attachment.hold =
      std::shared_ptr<const void>(nullptr, [state = state_, owner](const void*) { state->detach(owner); });
  return attachment;
}

Attachment LocalQueue::attach_consumer(const ConsumerOptions& options) {
  const std::lock_guard lock(state_->mutex);
  const unsigned owner = state_->take(k_first_consumer, state_->memory.geometry.max_consumers);
  Attachment attachment;
  attachment.memory = state_->memory;
  attachment.owner = owner;
  attachment.queue_name = "local";
  attachment.group_name = options.group;
  attachment.kind = options.lossy           ? GroupKind::lossy
                    : options.group.empty() ? GroupKind::private_reliable
                                            : GroupKind::named;
  if (attachment.kind == GroupKind::named) {
    attachment.group = group(options.group);
  } else {
    attachment.group = state_->memory.geometry.max_groups + owner - k_first_consumer;
    attachment.start = join(state_->memory, attachment.group, attachment.kind, options.start);
  }
  attachment.group_incarnation =
      GroupStateWord::of(state_->memory.group(attachment.group).state.load_acquire()).incarnation;
  const SharedStatus& status = state_->memory.shared_status();
  attachment.producers_ended =
      status.producers_ever.load_relaxed() - static_cast<unsigned>(std::popcount(status.live_producers.load_relaxed()));
  state_->living.add(owner, attachment.group);
  const Identity identity{1, static_cast<std::uint16_t>(attachment.group), k_endpoint_attached};
  state_->memory.endpoint(owner).identity.store_release(identity.word());
  attachment.hold =
      std::shared_ptr<const void>(nullptr, [state = state_, owner](const void*) { state->detach(owner); });
  return attachment;
}

Producer LocalQueue::producer(const ProducerOptions& options) { return make_producer(attach_producer(), options); }
Consumer LocalQueue::consumer(const ConsumerOptions& options) {
  return make_consumer(attach_consumer(options), options);
}

}  // namespace beltway::test
