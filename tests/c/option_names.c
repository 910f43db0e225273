// Prints the members of the option structs, one a line: "queue slots". A name that no struct has does not compile.
#include <beltway/beltway.h>
#include <stdio.h>

#define MEMBER(of, type, name) \
  do {                         \
    type object = {0};         \
    (void)object.name;         \
    puts(of " " #name);        \
  } while (0)
#define QUEUE(name) MEMBER("queue", beltway_queue_options, name)
#define GROUP(name) MEMBER("group", beltway_group, name)
#define PRODUCER(name) MEMBER("producer", beltway_producer_options, name)
#define CONSUMER(name) MEMBER("consumer", beltway_consumer_options, name)

int main(void) {
  QUEUE(slots);
  QUEUE(slot_bytes);
  QUEUE(lane_bytes);
  QUEUE(max_producers);
  QUEUE(max_consumers);
  QUEUE(max_groups);
  QUEUE(groups);
  QUEUE(mode);
  QUEUE(fence);
  QUEUE(evict_after_ms);
  QUEUE(retry_delay_ms);
  QUEUE(retry_delay_max_ms);
  QUEUE(max_deliveries);
  QUEUE(discard);
  QUEUE(dead_letter);
  QUEUE(ttl_ms);
  QUEUE(lease_timeout_ms);
  QUEUE(drop_oldest);
  QUEUE(stamps);
  QUEUE(max_parked);
  QUEUE(type_name);
  QUEUE(description);
  QUEUE(exclusive);
  QUEUE(expire_after_ms);
  GROUP(evict_after_ms);
  GROUP(retry_delay_ms);
  GROUP(retry_delay_max_ms);
  GROUP(max_deliveries);
  GROUP(discard);
  GROUP(dead_letter);
  GROUP(ttl_ms);
  GROUP(lease_timeout_ms);
  GROUP(drop_oldest);
  PRODUCER(name);
  PRODUCER(wait);
  PRODUCER(populate);
  PRODUCER(lock_memory);
  CONSUMER(group);
  CONSUMER(create_group);
  CONSUMER(lossy);
  CONSUMER(conflate);
  CONSUMER(start);
  CONSUMER(follow);
  CONSUMER(end_of_stream);
  CONSUMER(ack);
  CONSUMER(prefetch);
  CONSUMER(wait);
  CONSUMER(populate);
  CONSUMER(lock_memory);
  CONSUMER(spin_backoff);
  CONSUMER(speculative_spin);
  CONSUMER(reattach);
  return 0;
}
