// The endpoints of a queue: gives places to processes, proves deaths, frees places. See queue.hpp.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <cassert>

#include <algorithm>
#include <bit>
#include <cassert>

#include "os/kernel.hpp"
#include "queues/death_log.hpp"
#include "queues/queue.hpp"
#include "queues/restore.hpp"
#include "recovery/repair.hpp"
#include "ring/groups.hpp"
#include "ring/sequence_record.hpp"
#include "ring/stamps.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

using wire::AttachRequest;
using wire::Role;

namespace {

ring::GroupKind kind_of(const AttachRequest& request) noexcept {
  if (!request.consumer.group.empty()) return ring::GroupKind::named;
  return request.consumer.lossy ? ring::GroupKind::lossy : ring::GroupKind::private_reliable;
}

}  // namespace

AttachGrant Queue::attach(const Peer& peer, std::uint64_t session, const AttachRequest& request) {
  const std::string context = wire::error_subject("attach", record_.name);
  const bool reads = request.role != Role::producer;
  AttachGrant grant;
  const auto own = [&grant](os::Fd descriptor) {
    grant.borrowed.push_back(descriptor.get());
    grant.owned.push_back(std::move(descriptor));
  };
  store_clock_offset();
  // A new endpoint begins where `tail` and the groups say; a single producer never reads anything else.
  if (request.role != Role::inspector && !is_large()) heal("at an attach");
  // Each step that can fail comes before each step that other processes can see.
  const unsigned group = request.role == Role::consumer ? group_for(request) : 0;
  const std::optional<std::uint32_t> name = name_for(request, context);
  std::optional<Place> place;
  os::Fd ring = reads ? os::open_segment_anew(own_.ring.get(), os::Access::read_only, context) : os::Fd();
  os::Fd heap = reads && own_.heap ? os::open_segment_anew(own_.heap.get(), os::Access::read_only, context) : os::Fd();
  if (request.role == Role::inspector) {
    own(os::open_segment_anew(own_.control.get(), os::Access::read_only, context));
  } else {
    place = take_place(request.role, context);
    grant.borrowed.push_back(place->control.get());
  }
  if (reads) {
    own(std::move(ring));
    if (heap) own(std::move(heap));
  } else {
    grant.borrowed.push_back(own_.ring.get());
    if (own_.heap) grant.borrowed.push_back(own_.heap.get());
  }
  if (request.bells) {
    grant.reply.bells = static_cast<std::uint32_t>(bell_numbers_.size());
    grant.borrowed.insert(grant.borrowed.end(), bell_numbers_.begin(), bell_numbers_.end());
  }
  if (!place) return grant;
  // Only now: an attach that fails uses up no name.
  if (name && *name == record_.producer_names.size()) record_.producer_names.push_back(request.producer.name);

  if (!request.barriers) make_symmetric();
  scan_rest_of_lanes();
  keep_lane_of(place->index);
  EndpointRecord& endpoint = record_.endpoints[place->index];
  assert(!endpoint.attached);  // each incarnation of a place ends before the next begins
  endpoint = {.attached = true,
              .incarnation = endpoint.incarnation + 1,
              .pid = peer.pid,
              .command = command_of(peer.pid),
              .uid = peer.uid,
              .session = session,
              .name = name,
              .prefetch = request.consumer.prefetch,
              .group = request.role == Role::consumer ? group_of(*place, request, group) : 0,
              .kind = kind_of(request)};
  endpoint.evictable = request.role == Role::consumer && is_evictable(record_, endpoint);
  save();  // if this daemon dies now, the next one knows the endpoint, finds no lock, and repairs
  grant.reply.endpoint = owner_of(place->index);
  grant.reply.incarnation = endpoint.incarnation;
  grant.reply.sequence_record = name;
  if (request.role == Role::consumer) {
    ring::clear_ages(memory_.age_histogram(place->index - geometry_.max_producers));
    enter_group(endpoint, request.consumer.start, grant.reply);
  } else {
    ring::SharedStatus& shared_status = memory_.shared_status();
    // The live bit comes first: a consumer that sees the new producers_ever must also see the live bit (ConsumerCore::why_empty).
    shared_status.live_producers.fetch_or(1ULL << place->index);
    shared_status.producers_ever.fetch_add(1);
  }
  const ring::Identity identity{endpoint.incarnation, static_cast<std::uint16_t>(endpoint.group),
                                ring::k_endpoint_attached};
  memory_.endpoint(owner_of(place->index)).identity.store_relaxed(identity.word());
  grant.owned.push_back(std::move(place->control));
  tell(event_of_endpoint(place->index, "attached"));
  return grant;
}

std::optional<std::uint32_t> Queue::name_for(const AttachRequest& request, const std::string& context) {
  const std::string& name = request.producer.name;
  if (request.role != Role::producer || name.empty()) return std::nullopt;
  const auto& names = record_.producer_names;
  const auto index = static_cast<std::uint32_t>(std::ranges::find(names, name) - names.begin());
  if (index == names.size()) {
    if (names.size() == k_max_producer_names) {
      throw Error(Errc::limit_reached, context + ": the queue knows " + std::to_string(k_max_producer_names) +
                                           " names of producers, and \"" + name +
                                           "\" is none of them; use one of them, or make the queue anew");
    }
    return index;
  }
  for (unsigned place = 0; place < geometry_.max_producers; ++place) {
    const EndpointRecord& endpoint = record_.endpoints[place];
    if (!endpoint.attached || endpoint.name != index || reap_if_dead(place)) continue;
    throw Error(Errc::already_exists, context + ": process " + std::to_string(endpoint.pid) + " (" + endpoint.command +
                                          ") publishes as \"" + name + "\"; end it, or take another name");
  }
  return index;
}

unsigned Queue::group_for(const AttachRequest& request) {
  if (request.consumer.group.empty()) return 0;
  if (request.consumer.create_group) add_groups({request.consumer.group}, request.consumer.start, "attach");
  return group_or_throw(request.consumer.group, "attach");
}

unsigned Queue::group_of(const Place& place, const AttachRequest& request, unsigned named) const noexcept {
  return request.consumer.group.empty() ? geometry_.max_groups + place.index - geometry_.max_producers : named;
}

void Queue::enter_group(const EndpointRecord& endpoint, Start start, wire::AttachReply& reply) noexcept {
  if (endpoint.kind == ring::GroupKind::named) {
    const GroupRecord& group = record_.groups[endpoint.group];
    reply.group_incarnation = group.incarnation;
    reply.dead_letter = group.options.dead_letter.value_or(record_.options.dead_letter);
  } else {
    reply.start = ring::join(memory_, endpoint.group, endpoint.kind, start);
    reply.group_incarnation = ring::GroupStateWord::of(memory_.group(endpoint.group).state.load_relaxed()).incarnation;
  }
  count_unread();
  reply.group = endpoint.group;
  reply.kind = endpoint.kind;
  reply.evictable = endpoint.evictable;
  const ring::SharedStatus& status = memory_.shared_status();
  const auto live = static_cast<unsigned>(std::popcount(status.live_producers.load_relaxed()));
  const std::uint64_t ever = status.producers_ever.load_relaxed();
  reply.producers_ended = ever > live ? ever - live : 0;
}

void Queue::make_symmetric() {
  if (record_.symmetric) return;
  spdlog::warn("queue {}: a process cannot use membarrier; publishers pay for full fences from now on", record_.name);
  record_.symmetric = true;
  save();
  ring::post_notice(memory_, ring::k_notice_symmetric);
  // Every registered process has seen the flag after this; a process that is not registered attached after the flag was set.
  os::heavy_barrier();
}

unsigned Queue::owner_of(unsigned place) const noexcept {
  return place < geometry_.max_producers ? place : ring::k_first_consumer + place - geometry_.max_producers;
}

Queue::Place Queue::take_place(Role role, const std::string& context) {
  if (auto place = try_take_place(role, context)) return std::move(*place);
  for (unsigned i = 0; i < record_.endpoints.size(); ++i) reap_if_dead(i);
  if (auto place = try_take_place(role, context)) return std::move(*place);
  const bool producer = role == Role::producer;
  throw Error(Errc::limit_reached, context + ": no place for another " +
                                       (producer ? "producer: max_producers is " : "consumer: max_consumers is ") +
                                       std::to_string(producer ? geometry_.max_producers : geometry_.max_consumers) +
                                       "; detach one, or declare the queue with more");
}

std::optional<Queue::Place> Queue::try_take_place(Role role, const std::string& context) {
  const bool producer = role == Role::producer;
  const unsigned begin = producer ? 0 : geometry_.max_producers;
  const unsigned end = producer ? geometry_.max_producers : geometry_.endpoints();
  for (unsigned index = begin; index < end; ++index) {
    if (record_.endpoints[index].attached) continue;
    os::Fd control = os::open_segment_anew(own_.control.get(), os::Access::read_write, context);
    // A process with rights on the queue can lock the byte of another endpoint. That place is lost until this process ends.
    if (try_lock_byte(control, index, context + ": lock the endpoint's place")) return Place{index, std::move(control)};
  }
  return std::nullopt;
}

bool try_lock_byte(const os::Fd& control, unsigned byte, const std::string& context) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  if (::fcntl(control.get(), F_OFD_SETLK, &lock) == 0) return true;
  if (errno != EAGAIN && errno != EACCES) throw os::system_failure(context);
  return false;
}

bool Queue::is_locked(unsigned byte) const noexcept {
  struct flock lock{};
  // We ask for a read lock: an inspector can hold a read lock, and that must not make the endpoint seem alive.
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  // If the kernel does not answer, the endpoint counts as alive: a death must be proved.
  return ::fcntl(own_.control.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::string Queue::endpoint_text(unsigned place) const {
  const EndpointRecord& endpoint = record_.endpoints[place];
  if (place < geometry_.max_producers) return "producer " + std::to_string(place);
  const std::string consumer = "consumer " + std::to_string(place - geometry_.max_producers);
  if (endpoint.kind == ring::GroupKind::named)
    return consumer + " of group \"" + record_.groups[endpoint.group].name + "\"";
  return consumer;
}

bool Queue::reap_if_dead(unsigned place, Leaving leaving) {
  EndpointRecord& endpoint = record_.endpoints[place];
  if (!endpoint.attached) return true;
  if (is_locked(place)) return false;
  const unsigned owner = owner_of(place);
  const unsigned restored = restore_words(memory_, record_);
  recovery::Living others = living();
  others.remove(owner);
  if (endpoint.name) ring::settle_sequence(memory_, *endpoint.name);
  const recovery::HealCounts counts = recovery::repair(memory_, owner, others);
  tell_of_disorder("at the end of an endpoint", restored, counts);
  if (owner < ring::k_first_consumer) memory_.shared_status().live_producers.fetch_and(~(1ULL << owner));
  memory_.endpoint(owner).identity.store_relaxed(ring::Identity{endpoint.incarnation, 0, 0}.word());
  ring::wake_all_sleepers(memory_);
  if (leaving == Leaving::unsaid) {
    tell(event_of_endpoint(place, "died", "its process ended without detaching"));
    death_log().report({.queue = record_.name,
                        .endpoint = endpoint_text(place),
                        .pid = endpoint.pid,
                        .command = endpoint.command,
                        .voided = counts.claims + counts.holes,
                        .released = counts.released},
                       DeathLog::Clock::now());
  } else {
    tell(event_of_endpoint(place, "left"));
  }
  if (leaving == Leaving::unsaid && counts.claims + counts.holes + counts.released != 0) {
    StoredEvent repaired = event_of_endpoint(place, "repaired");
    repaired.event.voided = counts.claims + counts.holes;
    repaired.event.released = counts.released;
    repaired.event.text = std::to_string(repaired.event.voided) + " claims voided, " + std::to_string(counts.released) +
                          " messages given back";
    tell(std::move(repaired));
  }
  endpoint = {.attached = false, .incarnation = endpoint.incarnation};
  count_unread();
  save();  // if this daemon dies before the save, the next one repairs again
  scan_rest_of_lanes();
  free_lane_of(place);
  settle_groups();
  return true;
}

std::optional<unsigned> Queue::find_endpoint(unsigned owner, std::uint32_t incarnation) const noexcept {
  if (!memory_.is_endpoint(owner)) return std::nullopt;
  const unsigned place = memory_.endpoint_index(owner);
  const EndpointRecord& endpoint = record_.endpoints[place];
  if (!endpoint.attached || endpoint.incarnation != incarnation) return std::nullopt;
  return place;
}

}  // namespace beltway::daemon
