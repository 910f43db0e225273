// The properties of an AMQP 0-9-1 message, both ways.
//
// What comes in is hostile: tables are read to k_max_table_entries entries and one level of lists, and nothing points into a
// frame afterwards.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <string>
#include <vector>

#include "bridge/remote.hpp"

namespace beltway::bridge {

/// An outgoing message's properties as librabbitmq wants them. Views into `message`, which must live as long.
class AmqpProperties {
 public:
  /// Valid until the next call.
  const amqp_basic_properties_t& of(const RemoteMessage& message);

 private:
  void add_headers(const RemoteMessage& message);

  amqp_basic_properties_t properties_{};
  std::vector<amqp_table_entry_t> entries_;
  std::vector<std::vector<amqp_field_value_t>> lists_;  // of names that occur several times
  std::string expiration_;
};

/// Fills what `properties` have; routing key and exchange are no part of them.
void read_properties(const amqp_basic_properties_t& properties, RemoteMessage& message);

}  // namespace beltway::bridge
