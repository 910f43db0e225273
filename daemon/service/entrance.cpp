#include "service/entrance.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "client/living_daemon.hpp"

namespace beltway::daemon {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

/// Connections that are let in before everybody else has a turn.
constexpr int k_admitted_at_once = 16;

/// Out of descriptors: how long nobody is let in.
constexpr milliseconds k_rest_ms{100};

/// Whoever removes a directory with all that is in it must have done so before something new lies there.
constexpr milliseconds k_settle_ms{50};

/// A door that cannot be made anew: tried soon, then ever less often.
constexpr milliseconds k_first_pause_ms{100};
constexpr milliseconds k_longest_pause_ms{5000};

}  // namespace

Entrance::Entrance(boost::asio::io_context& io, Listener& listener, DescriptorStore& store,
                   std::function<void(Fd)> admit)
    : io_(io),
      listener_(listener),
      store_(store),
      admit_(std::move(admit)),
      waits_(listener.doors().size()),
      states_(listener.doors().size(), State::stands),
      troubles_(listener.doors().size()),
      rest_(io),
      next_look_(io),
      pause_(k_first_pause_ms) {}

Entrance::~Entrance() {
  // The descriptors are the doors' and the watch's.
  for (auto& wait : waits_) {
    if (wait) wait->release();
  }
  if (events_) events_->release();
}

void Entrance::open() {
  for (std::size_t door = 0; door < waits_.size(); ++door) wait_at(door);
  look();
}

void Entrance::wait_at(std::size_t door) {
  const int descriptor = listener_.doors()[door].descriptor();
  std::unique_ptr<Descriptor>& wait = waits_[door];
  if (wait && wait->native_handle() != descriptor) {
    wait->release();
    wait.reset();
  }
  if (descriptor < 0) return;
  if (!wait) wait = std::make_unique<Descriptor>(io_, descriptor);
  wait->async_wait(Descriptor::wait_read, [this, door](error_code error) {
    if (!error) accept_all(door);
  });
}

void Entrance::accept_all(std::size_t door) {
  bool turned_away = false;
  // A crowd at the door must not keep those waiting who are in.
  for (int i = 0; i < k_admitted_at_once; ++i) {
    Fd connection = listener_.accept(listener_.doors()[door], turned_away);
    if (!connection) break;
    admit_(std::move(connection));
  }
  if (!turned_away) return wait_at(door);
  spdlog::error("no file descriptor left: a connection was turned away; raise RLIMIT_NOFILE");
  rest(door);
}

void Entrance::rest(std::size_t door) {
  rest_.expires_after(k_rest_ms);
  rest_.async_wait([this, door](error_code error) {
    if (!error) wait_at(door);
  });
}

void Entrance::wait_for_events() {
  if (watch_.descriptor() < 0) return;
  if (!events_) events_ = std::make_unique<Descriptor>(io_, watch_.descriptor());
  events_->async_wait(Descriptor::wait_read, [this](error_code error) {
    if (error) return;
    if (watch_.take_events()) look_in(k_settle_ms);
    wait_for_events();
  });
}

void Entrance::look_in(milliseconds pause) {
  next_look_.expires_after(pause);  // ends an earlier wait
  next_look_.async_wait([this](error_code error) {
    if (!error) look();
  });
}

void Entrance::look() {
  // What happens between the two is an event.
  const bool mended = mend_all();
  const bool watched = watch_all();
  if (mended) pause_ = k_first_pause_ms;
  if (changed_since()) return look_in(k_settle_ms);
  if (!watched) return look_in(k_longest_pause_ms);
  if (mended) return;
  look_in(pause_);
  pause_ = std::min(pause_ * 2, k_longest_pause_ms);
}

bool Entrance::changed_since() {
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    const Door& door = listener_.doors()[i];
    if (states_[i] == State::stands && !door.stands()) return true;
    if (states_[i] == State::taken && !lock_holder(door.path())) return true;
  }
  return false;
}

bool Entrance::mend_all() {
  bool all = true;
  for (std::size_t door = 0; door < waits_.size(); ++door) {
    states_[door] = mend(door);
    all = all && states_[door] != State::broken;
  }
  return all;
}

Entrance::State Entrance::mend(std::size_t index) {
  Door& door = listener_.doors()[index];
  std::string trouble;
  State state = State::stands;
  try {
    if (!door.stands()) make_anew(index);
  } catch (const Error& error) {
    trouble = error.what();
    // The other one's end is an event of its lock file.
    state = index != 0 && error.reason() == Errc::already_exists ? State::taken : State::broken;
  } catch (const std::exception& error) {
    trouble = error.what();
    state = State::broken;
  }
  std::string& known = troubles_[index];
  if (trouble != known) {
    if (trouble.empty()) {
      spdlog::warn("{}: reachable again", door.path().string());
    } else {
      spdlog::error("{}: newcomers cannot reach this daemon here: {}; tried again until it works", door.path().string(),
                    trouble);
    }
    known = std::move(trouble);
  }
  return state;
}

void Entrance::make_anew(std::size_t index) {
  Door& door = listener_.doors()[index];
  const int before = door.descriptor();
  // Who has knocked at the old socket is let in: nobody will look there again.
  bool turned_away = false;
  while (before >= 0 && !turned_away) {
    Fd connection = listener_.accept(door, turned_away);
    if (!connection) break;
    admit_(std::move(connection));
  }
  door.mend(store_);
  if (troubles_[index].empty()) {
    spdlog::warn("{}: the socket, its directory or its lock was removed or replaced; made anew", door.path().string());
  }
  if (door.descriptor() == before) return;
  const Fd old = door.take_retired();
  wait_at(index);
}

bool Entrance::watch_all() {
  std::vector<std::filesystem::path> sockets;
  for (const Door& door : listener_.doors()) sockets.push_back(door.path());
  std::string reason = watch_.watch(sockets);
  if (!events_) wait_for_events();
  if (reason != blindness_) {
    if (reason.empty()) {
      spdlog::info("the doors are watched");
    } else {
      spdlog::warn("{}; the doors are looked at every {} ms instead", reason, k_longest_pause_ms.count());
    }
    blindness_ = std::move(reason);
  }
  return blindness_.empty();
}

}  // namespace beltway::daemon
