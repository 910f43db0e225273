#include "service/acceptor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "client/living_daemon.hpp"

namespace beltway::daemon {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

/// Connections that are accepted before other work has a turn.
constexpr int k_admitted_at_once = 16;

/// Out of descriptors: how long no connection is accepted.
constexpr milliseconds k_rest_ms{100};

/// A process that removes a directory with all its files must have done so before a new file lies there.
constexpr milliseconds k_settle_ms{50};

/// A listen socket that cannot be made anew: tried soon, then ever less often.
constexpr milliseconds k_first_check_pause_ms{100};
constexpr milliseconds k_longest_check_pause_ms{5000};

}  // namespace

Acceptor::Acceptor(boost::asio::io_context& io, Listener& listener, DescriptorStore& store,
                   std::function<void(os::Fd)> admit)
    : io_(io),
      listener_(listener),
      store_(store),
      admit_(std::move(admit)),
      waits_(listener.listen_sockets().size()),
      states_(listener.listen_sockets().size(), State::stands),
      troubles_(listener.listen_sockets().size()),
      rest_(io),
      check_timer_(io),
      pause_(k_first_check_pause_ms) {}

Acceptor::~Acceptor() {
  // The descriptors are the listen sockets' and the watch's.
  for (auto& wait : waits_) {
    if (wait) wait->release();
  }
  if (events_) events_->release();
}

void Acceptor::open() {
  for (std::size_t listen_socket = 0; listen_socket < waits_.size(); ++listen_socket) wait_at(listen_socket);
  check();
}

void Acceptor::wait_at(std::size_t listen_socket) {
  const int descriptor = listener_.listen_sockets()[listen_socket].descriptor();
  std::unique_ptr<Descriptor>& wait = waits_[listen_socket];
  if (wait && wait->native_handle() != descriptor) {
    wait->release();
    wait.reset();
  }
  if (descriptor < 0) return;
  if (!wait) wait = std::make_unique<Descriptor>(io_, descriptor);
  wait->async_wait(Descriptor::wait_read, [this, listen_socket](error_code error) {
    if (!error) accept_all(listen_socket);
  });
}

void Acceptor::accept_all(std::size_t listen_socket) {
  bool turned_away = false;
  // Many new connections must not delay the sessions that exist.
  for (int i = 0; i < k_admitted_at_once; ++i) {
    os::Fd connection = listener_.accept(listener_.listen_sockets()[listen_socket], turned_away);
    if (!connection) break;
    admit_(std::move(connection));
  }
  if (!turned_away) return wait_at(listen_socket);
  spdlog::error("no file descriptor left: a connection was turned away; raise RLIMIT_NOFILE");
  rest(listen_socket);
}

void Acceptor::rest(std::size_t listen_socket) {
  rest_.expires_after(k_rest_ms);
  rest_.async_wait([this, listen_socket](error_code error) {
    if (!error) wait_at(listen_socket);
  });
}

void Acceptor::wait_for_events() {
  if (watch_.descriptor() < 0) return;
  if (!events_) events_ = std::make_unique<Descriptor>(io_, watch_.descriptor());
  events_->async_wait(Descriptor::wait_read, [this](error_code error) {
    if (error) return;
    if (watch_.take_events()) check_after(k_settle_ms);
    wait_for_events();
  });
}

void Acceptor::check_after(milliseconds pause) {
  check_timer_.expires_after(pause);  // ends an earlier wait
  check_timer_.async_wait([this](error_code error) {
    if (!error) check();
  });
}

void Acceptor::check() {
  // What happens between the two is an event.
  const bool mended = mend_all();
  const bool watched = watch_all();
  if (mended) pause_ = k_first_check_pause_ms;
  if (changed_since()) return check_after(k_settle_ms);
  if (!watched) return check_after(k_longest_check_pause_ms);
  if (mended) return;
  check_after(pause_);
  pause_ = std::min(pause_ * 2, k_longest_check_pause_ms);
}

bool Acceptor::changed_since() {
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    const ListenSocket& listen_socket = listener_.listen_sockets()[i];
    if (states_[i] == State::stands && !listen_socket.stands()) return true;
    if (states_[i] == State::taken && !client::lock_holder(listen_socket.path())) return true;
  }
  return false;
}

bool Acceptor::mend_all() {
  bool all = true;
  for (std::size_t listen_socket = 0; listen_socket < waits_.size(); ++listen_socket) {
    states_[listen_socket] = mend(listen_socket);
    all = all && states_[listen_socket] != State::broken;
  }
  return all;
}

Acceptor::State Acceptor::mend(std::size_t index) {
  ListenSocket& listen_socket = listener_.listen_sockets()[index];
  std::string trouble;
  State state = State::stands;
  try {
    if (!listen_socket.stands()) make_anew(index);
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
      spdlog::warn("{}: reachable again", listen_socket.path().string());
    } else {
      spdlog::error("{}: newcomers cannot reach this daemon here: {}; tried again until it works",
                    listen_socket.path().string(), trouble);
    }
    known = std::move(trouble);
  }
  return state;
}

void Acceptor::make_anew(std::size_t index) {
  ListenSocket& listen_socket = listener_.listen_sockets()[index];
  const int before = listen_socket.descriptor();
  // Connections that wait at the old socket are accepted now: the daemon does not poll it again.
  bool turned_away = false;
  while (before >= 0 && !turned_away) {
    os::Fd connection = listener_.accept(listen_socket, turned_away);
    if (!connection) break;
    admit_(std::move(connection));
  }
  listen_socket.mend(store_);
  if (troubles_[index].empty()) {
    spdlog::warn("{}: the socket, its directory or its lock was removed or replaced; made anew",
                 listen_socket.path().string());
  }
  if (listen_socket.descriptor() == before) return;
  const os::Fd old = listen_socket.take_retired();
  wait_at(index);
}

bool Acceptor::watch_all() {
  std::vector<std::filesystem::path> sockets;
  for (const ListenSocket& listen_socket : listener_.listen_sockets()) sockets.push_back(listen_socket.path());
  std::string reason = watch_.watch(sockets);
  if (!events_) wait_for_events();
  if (reason != blindness_) {
    if (reason.empty()) {
      spdlog::info("the sockets are watched");
    } else {
      spdlog::warn("{}; the sockets are looked at every {} ms instead", reason, k_longest_check_pause_ms.count());
    }
    blindness_ = std::move(reason);
  }
  return blindness_.empty();
}

}  // namespace beltway::daemon
