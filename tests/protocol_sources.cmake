# The sources that the harnesses (crash images, explorer, counts of instructions) compile once more: the protocol of the ring and
# what its endpoints need, without client and daemon. The planted bugs may lie in these sources and in their headers.
set(protocol_sources
  src/base/error.cpp src/base/status.cpp
  src/os/fork_guard.cpp
  src/ring/claim.cpp src/ring/counters.cpp src/ring/floors.cpp src/ring/groups.cpp src/ring/lane.cpp src/ring/live_groups.cpp
  src/ring/drop_oldest.cpp src/ring/lease_timeout.cpp src/ring/one_message.cpp src/ring/parking.cpp
  src/ring/queue_setup.cpp src/ring/redelivery.cpp src/ring/room_line.cpp src/ring/sequence_record.cpp src/ring/slot_view.cpp src/ring/wake.cpp
  src/ring/readers/lossy_reader.cpp src/ring/readers/named_reader.cpp
  src/ring/readers/named_reader_delayed.cpp src/ring/readers/named_reader_newest.cpp src/ring/readers/named_reader_rest.cpp src/ring/readers/named_reader_timeout.cpp
  src/ring/readers/private_reader.cpp
  src/waiting/speculative_spin.cpp src/waiting/waiter.cpp
  src/recovery/eviction.cpp src/recovery/heal.cpp src/recovery/lane_recovery.cpp src/recovery/repair.cpp
  src/endpoint/consumer.cpp src/endpoint/consumer_ages.cpp src/endpoint/consumer_core.cpp src/endpoint/consumer_end.cpp
  src/endpoint/consumer_give_up.cpp src/endpoint/consumer_settings.cpp src/endpoint/consumer_wait.cpp src/endpoint/dead_letters.cpp
  src/endpoint/held_count.cpp src/endpoint/reattachment.cpp src/endpoint/producer.cpp src/endpoint/producer_core.cpp
  src/endpoint/producer_properties.cpp src/endpoint/properties_block.cpp src/endpoint/properties_view.cpp)
