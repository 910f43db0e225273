#include "c/structs.hpp"

#include <cstddef>

#include "beltway/limits.hpp"

namespace beltway::c {

namespace {

using std::chrono::milliseconds;

/// A number that may be unset, in its range.
std::optional<std::uint32_t> number(std::int64_t value, const char* option) {
  if (value == BELTWAY_UNSET) return std::nullopt;
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(Errc::invalid_option,
                std::string(option) + ": " + std::to_string(value) + "; give 0 or more, or BELTWAY_UNSET");
  }
  return static_cast<std::uint32_t>(value);
}
std::optional<milliseconds> own_time(std::int64_t value) {
  return value == BELTWAY_UNSET ? std::nullopt : std::optional(milliseconds(value));
}

std::vector<NamedGroup> groups_of(const beltway_queue_options& options) {
  std::vector<NamedGroup> groups;
  if (options.group_count == 0) return groups;
  if (options.group_count > k_max_groups) {
    throw Error(Errc::invalid_option, "groups: a group_count of " + std::to_string(options.group_count) +
                                          "; a queue has at most " + std::to_string(k_max_groups));
  }
  if (options.groups == nullptr) {
    throw Error(Errc::invalid_option, "groups: NULL with a group_count of " + std::to_string(options.group_count));
  }
  const auto* next = reinterpret_cast<const unsigned char*>(options.groups);
  const std::size_t stride = options.groups->size;
  if (stride % alignof(beltway_group) != 0) {
    throw Error(Errc::invalid_option, "beltway_group: size " + std::to_string(stride) +
                                          "; initialise the struct by its macro, which sets it");
  }
  for (std::size_t i = 0; i < options.group_count; ++i, next += stride) {
    groups.push_back(cpp(*reinterpret_cast<const beltway_group*>(next)));
  }
  return groups;
}

}  // namespace

NamedGroup cpp(const beltway_group& given) {
  const beltway_group defaults = BELTWAY_GROUP_INIT("");
  const beltway_group group = taken(&given, defaults, "beltway_group");
  GroupOptions own{.evict_after = own_time(group.evict_after_ms),
                   .retry_delay = own_time(group.retry_delay_ms),
                   .retry_delay_max = own_time(group.retry_delay_max_ms),
                   .max_deliveries = number(group.max_deliveries, "max_deliveries"),
                   .ttl = own_time(group.ttl_ms),
                   .lease_timeout = own_time(group.lease_timeout_ms),
                   .drop_oldest = number(group.drop_oldest, "drop_oldest")};
  if (const auto discard = number(group.discard, "discard")) own.discard = *discard != 0;
  if (group.dead_letter != nullptr) own.dead_letter = group.dead_letter;
  return {text(group.name), std::move(own)};
}

QueueOptions cpp(const beltway_queue_options* given) {
  const beltway_queue_options options = taken(given, BELTWAY_QUEUE_OPTIONS_INIT, "beltway_queue_options");
  check_reserved(options.reserved, "beltway_queue_options");
  return {.slots = options.slots,
          .slot_bytes = options.slot_bytes,
          .lane_bytes = options.lane_bytes,
          .max_producers = options.max_producers,
          .max_consumers = options.max_consumers,
          .max_groups = options.max_groups,
          .groups = groups_of(options),
          .mode = options.mode,
          .fence = enumerator(options.fence, Fence::symmetric, "fence"),
          .evict_after = milliseconds(options.evict_after_ms),
          .retry_delay = milliseconds(options.retry_delay_ms),
          .retry_delay_max = milliseconds(options.retry_delay_max_ms),
          .max_deliveries = options.max_deliveries,
          .discard = options.discard,
          .dead_letter = text(options.dead_letter),
          .ttl = milliseconds(options.ttl_ms),
          .lease_timeout = milliseconds(options.lease_timeout_ms),
          .drop_oldest = options.drop_oldest,
          .stamps = enumerator(options.stamps, Stamps::fine, "stamps"),
          .max_parked = number(options.max_parked, "max_parked"),
          .type = {.name = text(options.type_name), .size = options.type_size, .alignment = options.type_alignment},
          .description = text(options.description),
          .exclusive = options.exclusive,
          .expire_after = milliseconds(options.expire_after_ms)};
}

ConnectionOptions cpp(const beltway_connection_options* given) {
  const beltway_connection_options options = taken(given, BELTWAY_CONNECTION_OPTIONS_INIT, "beltway_connection_options",
                                                   offsetof(beltway_connection_options, stopped_timeout_ms));
  check_reserved(options.reserved, "beltway_connection_options");
  ConnectionOptions taken_over{.socket = text(options.socket),
                               .start_daemon = options.start_daemon,
                               .timeout = milliseconds(options.timeout_ms)};
  if (options.stopped_timeout_ms >= 0) taken_over.stopped_timeout = milliseconds(options.stopped_timeout_ms);
  return taken_over;
}

ProducerOptions cpp(const beltway_producer_options* given) {
  const beltway_producer_options options = taken(given, BELTWAY_PRODUCER_OPTIONS_INIT, "beltway_producer_options");
  check_reserved(options.reserved, "beltway_producer_options");
  return {.name = text(options.name),
          .wait = enumerator(options.wait, WaitStrategy::sleep, "wait"),
          .populate = options.populate,
          .lock_memory = options.lock_memory};
}

ConsumerOptions cpp(const beltway_consumer_options* given) {
  const beltway_consumer_options options = taken(given, BELTWAY_CONSUMER_OPTIONS_INIT, "beltway_consumer_options");
  check_reserved(options.reserved, "beltway_consumer_options");
  return {.group = text(options.group),
          .create_group = options.create_group,
          .lossy = options.lossy,
          .conflate = options.conflate,
          .start = start(options.start),
          .follow = options.follow,
          .end_of_stream = enumerator(options.end_of_stream, EndOfStream::drained, "end_of_stream"),
          .ack = enumerator(options.ack, Ack::automatic, "ack"),
          .prefetch = options.prefetch,
          .wait = enumerator(options.wait, WaitStrategy::sleep, "wait"),
          .populate = options.populate,
          .lock_memory = options.lock_memory,
          .spin_backoff = options.spin_backoff,
          .speculative_spin = options.speculative_spin,
          .reattach = options.reattach};
}

RemoveOptions remove_options(std::uint32_t flags, const char* call) {
  if ((flags & ~BELTWAY_REMOVE_FORCE) != 0) {
    throw Error(Errc::invalid_option,
                std::string(call) + ": flags " + std::to_string(flags) + "; give 0 or BELTWAY_REMOVE_FORCE");
  }
  return {.force = flags != 0};
}

Start start(const beltway_start& start) { return enumerator(start, Start::oldest, "start"); }

}  // namespace beltway::c
