// The watchdog of systemd: while its event loop runs, the daemon tells systemd so, three times in each WatchdogSec= of its unit.
// If the daemon says nothing for WatchdogSec=, systemd kills it and starts it again. The descriptor store keeps all queues.
//
// A stored program of an older version may not know the watchdog. So a daemon that gives way to it turns the watchdog off
// (DescriptorStore::hand_on), and each daemon that knows the watchdog turns it on.
//
// Without a watchdog no timer wakes the daemon.
// Ownership: the timer. Thread safety: the daemon's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "survival/descriptor_store.hpp"

namespace beltway::daemon {

class Watchdog {
 public:
  Watchdog(boost::asio::io_context& io, DescriptorStore& store) : store_(store), timer_(io) {}
  /// Does nothing if the store has no watchdog. The daemon has said READY=1 before.
  void start();

 private:
  void tell_later();

  DescriptorStore& store_;
  boost::asio::steady_timer timer_;
};

}  // namespace beltway::daemon
