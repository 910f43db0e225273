// See watchdog.hpp.
#include "survival/watchdog.hpp"

#include <string>

namespace beltway::daemon {
namespace {

/// One message may come late: the next one is in time.
constexpr int k_signs_of_life_per_time = 3;

}  // namespace

void Watchdog::start() {
  if (store_.watchdog_time().count() == 0) return;
  store_.notify("WATCHDOG_USEC=" + std::to_string(store_.watchdog_time().count()) + "\nWATCHDOG=1");
  tell_later();
}

void Watchdog::tell_later() {
  timer_.expires_after(store_.watchdog_time() / k_signs_of_life_per_time);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    store_.tell_alive();
    tell_later();
  });
}

}  // namespace beltway::daemon
