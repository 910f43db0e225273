#include "bridge/route.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>

#include "beltway/error.hpp"

namespace beltway::bridge {

namespace {

/// What an error of the local side says about another attempt.
Fault fault_of_local(Errc reason) noexcept {
  switch (reason) {
    case Errc::not_found:
    case Errc::no_permission:
    case Errc::invalid_option:
    case Errc::already_exists:
    case Errc::wrong_type:
    case Errc::incompatible: return Fault::refused;
    default: return Fault::lost;
  }
}

void fail(const RouteContext& context, Fault fault, const std::string& text) {
  context.status.set_error(text);
  context.take(fault == Fault::refused ? RouteEvent::refused : RouteEvent::lost);
}

/// One attempt, which lasts as long as it goes well.
void attempt(const RouteContext& context, RouteEnds& ends) {
  try {
    context.status.count_attempt();
    ends.open();
    context.take(RouteEvent::opened);
    ends.pass();
    return;
  } catch (const RouteError& error) {
    fail(context, error.fault(), error.what());
  } catch (const Error& error) {
    fail(context, fault_of_local(error.reason()), error.what());
  } catch (const std::exception& error) {
    fail(context, Fault::lost, error.what());
  }
  ends.drop();
}

void drain_route(const RouteContext& context, RouteEnds& ends, std::chrono::milliseconds drain) {
  try {
    ends.drain(std::chrono::steady_clock::now() + drain);
  } catch (const std::exception& error) {
    context.status.set_error(error.what());
  }
}

}  // namespace

StopSignal::StopSignal() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw os::system_failure("make an eventfd");
}

void StopSignal::request() noexcept {
  requested_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
}

void RouteContext::wait(std::initializer_list<int> descriptors, std::chrono::milliseconds time) const {
  std::array<pollfd, 4> polled{};
  polled[0] = {.fd = stop.descriptor(), .events = POLLIN, .revents = 0};
  nfds_t count = 1;
  for (const int descriptor : descriptors) {
    if (descriptor >= 0 && count < polled.size()) polled[count++] = {.fd = descriptor, .events = POLLIN, .revents = 0};
  }
  poll(polled.data(), count, static_cast<int>(time.count()));
}

void run_route(const RouteContext& context, std::chrono::milliseconds drain) noexcept {
  try {
    const bool out = context.route.direction == Direction::out;
    const std::unique_ptr<RouteEnds> ends = out ? make_out_ends(context) : make_in_ends(context);
    while (!context.stop.requested()) {
      attempt(context, *ends);
      if (!context.stop.requested()) context.pause(context.machine.pause());
    }
    drain_route(context, *ends, drain);
  } catch (const std::exception& error) {
    context.status.set_error(error.what());
  }
  context.take(RouteEvent::stop);
}

}  // namespace beltway::bridge
