// Requests to stop, and the limits of waits.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "beltway/error.hpp"
#include "c/handles.hpp"
#include "c/last_error.hpp"

namespace beltway::c {

Until until(std::int64_t timeout_us, const beltway_stop* stop) {
  std::stop_token token = stop == nullptr ? std::stop_token() : stop->source.get_token();
  if (timeout_us < 0) return Until(std::move(token));
  return {std::chrono::microseconds(timeout_us), std::move(token)};
}

namespace {

constexpr std::size_t k_max_signals = 8;

/// stop_on() takes a list whose length the compiler knows. A signal that stands there twice is handled once.
StopOn stop_on_all(const int* signals, std::size_t count) {
  if (count == 0 || count > k_max_signals) {
    throw Error(Errc::invalid_option, "beltway_stop_on_signals: " + std::to_string(count) + " signals; give 1 to " +
                                          std::to_string(k_max_signals));
  }
  const auto at = [&](std::size_t index) { return signals[std::min(index, count - 1)]; };
  return stop_on({at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)});
}

}  // namespace

}  // namespace beltway::c

using beltway::c::fail_by_null;
using beltway::c::guarded;

beltway_status beltway_stop_new(beltway_stop** stop) {
  if (stop == nullptr) return fail_by_null("beltway_stop_new", "stop");
  return guarded([&] {
    *stop = new beltway_stop{};
    return BELTWAY_OK;
  });
}

beltway_status beltway_stop_on_signals(const int* signals, size_t count, beltway_stop** stop) {
  if (stop == nullptr) return fail_by_null("beltway_stop_on_signals", "stop");
  if (signals == nullptr) return fail_by_null("beltway_stop_on_signals", "signals");
  return guarded([&] {
    auto made = std::make_unique<beltway_stop>();
    made->signals.emplace(beltway::c::stop_on_all(signals, count));
    made->pass_on.emplace(made->signals->token(), beltway_stop::Request{&made->source});
    *stop = made.release();
    return BELTWAY_OK;
  });
}

void beltway_stop_free(beltway_stop* stop) { delete stop; }

void beltway_stop_request(beltway_stop* stop) {
  if (stop != nullptr) stop->source.request_stop();
}

bool beltway_stop_requested(const beltway_stop* stop) { return stop != nullptr && stop->source.stop_requested(); }

int beltway_stop_signal(const beltway_stop* stop) {
  return stop == nullptr || !stop->signals ? 0 : stop->signals->signal();
}
