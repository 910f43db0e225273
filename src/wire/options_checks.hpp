// The checks of single options: each throws Error(invalid_option) for a value out of its range. The rows of options_schema.cpp
// name them. `context`: operation and object, for errors.
// Thread safety: pure functions.
#pragma once

#include <span>
#include <string>

#include "beltway/options.hpp"

namespace beltway::wire {

void check_slots(const std::string& context, const QueueOptions& options);
void check_slot_bytes(const std::string& context, const QueueOptions& options);
void check_lane_bytes(const std::string& context, const QueueOptions& options);
void check_max_producers(const std::string& context, const QueueOptions& options);
void check_max_consumers(const std::string& context, const QueueOptions& options);
void check_max_groups(const std::string& context, const QueueOptions& options);
void check_groups(const std::string& context, const QueueOptions& options);
void check_mode(const std::string& context, const QueueOptions& options);
void check_fence(const std::string& context, const QueueOptions& options);
void check_evict_after(const std::string& context, const QueueOptions& options);
void check_own_evict_after(const std::string& context, const GroupOptions& options);
void check_retry_delay(const std::string& context, const QueueOptions& options);
void check_own_retry_delay(const std::string& context, const GroupOptions& options);
void check_retry_delay_max(const std::string& context, const QueueOptions& options);
void check_own_retry_delay_max(const std::string& context, const GroupOptions& options);
void check_max_deliveries(const std::string& context, const QueueOptions& options);
void check_dead_letter(const std::string& context, const QueueOptions& options);
void check_own_dead_letter(const std::string& context, const GroupOptions& options);
void check_ttl(const std::string& context, const QueueOptions& options);
void check_own_ttl(const std::string& context, const GroupOptions& options);
void check_lease_timeout(const std::string& context, const QueueOptions& options);
void check_own_lease_timeout(const std::string& context, const GroupOptions& options);
void check_drop_oldest(const std::string& context, const QueueOptions& options);
void check_own_drop_oldest(const std::string& context, const GroupOptions& options);
void check_own_max_deliveries(const std::string& context, const GroupOptions& options);
void check_max_parked(const std::string& context, const QueueOptions& options);
void check_type(const std::string& context, const QueueOptions& options);
void check_description(const std::string& context, const QueueOptions& options);
void check_expire_after(const std::string& context, const QueueOptions& options);

void check_producer_name(const std::string& context, const ProducerOptions& options);
void check_consumer_group(const std::string& context, const ConsumerOptions& options);
void check_create_group(const std::string& context, const ConsumerOptions& options);
void check_lossy(const std::string& context, const ConsumerOptions& options);
void check_conflate(const std::string& context, const ConsumerOptions& options);
void check_prefetch(const std::string& context, const ConsumerOptions& options);

/// Throws Error(invalid_option) if the queue or one of `groups` gives messages up (max_deliveries) and does not say what becomes
/// of them (discard). `queue`: its `groups` do not count.
void check_end_of_failures(const std::string& context, const QueueOptions& queue, std::span<const NamedGroup> groups);

}  // namespace beltway::wire
