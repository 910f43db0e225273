#include "service/server.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "os/bell.hpp"
#include "os/kernel.hpp"
#include "queues/death_log.hpp"
#include "survival/signals.hpp"

namespace beltway::daemon {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

/// A mapping can outlive the sign that its process is gone: by moments, while a thread still unmaps it, or for long, if the
/// process closed its connection and lives. Check soon, then ever less often.
constexpr milliseconds k_first_retry_pause_ms{1};
constexpr milliseconds k_longest_retry_pause_ms{250};

/// A timer that comes so late: the process did not run meanwhile.
constexpr std::chrono::seconds k_frozen{1};

/// Between two looks for events. A queue that is full at two looks in a row is told, so a shorter time would tell each burst.
constexpr milliseconds k_event_look_ms{1000};

/// What a process must be before it can hold queues.
DescriptorStore prepare(DescriptorStore store) {
  raise_open_files_limit();
  // The repair publishes on behalf of the dead: sleepers' barriers must reach the daemon too. Where the kernel cannot, no
  // client can either, and every queue turns to symmetric fences at its first attach.
  static_cast<void>(os::register_for_barriers());
  static_cast<void>(os::ring_without_waiting());
  return store;
}

}  // namespace

Server::Server(const ServerOptions& options, DescriptorStore store)
    : options_(options),
      store_(prepare(std::move(store))),
      listener_(options.socket, store_),
      program_(store_),
      saved_queues_(store_),
      workers_(io_),
      registry_(options.quotas, saved_queues_, &workers_),
      acceptor_(io_, listener_, store_, [this](os::Fd socket) { admit(std::move(socket)); }),
      pending_timer_(io_),
      stalls_timer_(io_),
      expiry_timer_(io_),
      idle_timer_(io_),
      store_timer_(io_),
      death_log_timer_(io_),
      events_timer_(io_),
      watchdog_(io_, store_),
      process_watch_(io_,
                     [this] {
                       pending_pause_ms_ = k_first_retry_pause_ms;
                       reap_pending();
                     }),
      pending_pause_ms_(k_first_retry_pause_ms) {
  registry_.when_freed([this] {
    pending_pause_ms_ = k_first_retry_pause_ms;
    reap_pending();
  });
  store_.notify("READY=1");
  saved_queues_.clear_starts();
  // Not while there are queues that only the stored program can read.
  if (saved_queues_.held().empty()) program_.store_own();
}

Server::~Server() = default;

Server::End Server::run() {
  spdlog::info("listening at {}", listener_.path().string());
  if (!users_.maps_all_users()) {
    spdlog::info("in a user namespace: users that are not mapped there cannot be told apart and are refused");
  }
  acceptor_.open();
  after_change();
  watch_idleness();
  watchdog_.start();
  io_.run();
  // No client was promised a queue that they were making. They must not open files while descriptors are passed on.
  workers_.finish();
  if (end_ == End::restart) {
    listener_.leave();
    return end_;
  }
  store_.notify("STOPPING=1");
  // Their memory lives on in processes that have it mapped, but no daemon would repair it or find it again.
  registry_.remove_all();
  for (const auto& [id, session] : std::exchange(sessions_, {})) session->stop();
  spdlog::info("ended");
  return end_;
}

void Server::stop() {
  boost::asio::post(io_, [this] { io_.stop(); });
}

void Server::stop_on_signals() {
  const std::vector<int> heard = heard_signals();
  signals_ = std::make_unique<boost::asio::signal_set>(io_);
  for (const int signal : heard) signals_->add(signal);
  wait_for_signal();
}

void Server::wait_for_signal() {
  signals_->async_wait([this](error_code error, int signal) {
    if (error) return;
    const bool again = signal == SIGUSR2;
    if (again && !store_.was_there()) {
      spdlog::warn("signal {}: not started again: no supervisor and no systemd keeps the queues meanwhile", signal);
      return wait_for_signal();
    }
    store_.catch_up();
    if (again && store_.is_behind()) {
      spdlog::warn("signal {}: handing over when the descriptor store reads again", signal);
      hands_over_ = true;
      watch_store();
      return wait_for_signal();
    }
    spdlog::info("signal {}: {}", signal, again ? "handing over to the next daemon" : "ending");
    end_ = again ? End::restart : End::ended;
    io_.stop();
  });
}

void Server::admit(os::Fd socket) {
  try {
    Peer peer = peer_of(socket.get());
    const std::optional<Error> stranger = refusal_of(peer);
    const auto same_user = [&](const auto& entry) { return entry.second->peer().uid == peer.uid; };
    const auto connections = std::count_if(sessions_.begin(), sessions_.end(), same_user);
    const std::uint64_t id = ++last_session_;
    const std::uint32_t uid = peer.uid;
    auto session = std::make_shared<ClientSession>(
        io_, std::move(socket), std::move(peer), id, registry_, listener_.path().string(),
        ClientSession::Events{.ended = [this](std::uint64_t ended) { session_ended(ended); },
                              .connection_use = [this, uid] { return connection_use(uid); },
                              .answered = [this] { after_change(); }});
    sessions_.emplace(id, session);
    if (stranger) {
      session->refuse(*stranger);
    } else if (connections >= static_cast<std::ptrdiff_t>(options_.quotas.connections_per_user)) {
      session->refuse(Error(Errc::limit_reached, "connect: user " + std::to_string(uid) + " has " +
                                                     std::to_string(connections) +
                                                     " connections, the quota; close some, or start beltwayd with "
                                                     "--max-connections-per-user"));
    } else {
      session->start();
    }
    after_change();
  } catch (const std::exception& error) {  // its process is gone, or there is no memory: it alone is affected
    spdlog::warn("a connection failed: {}", error.what());
  }
}

std::optional<Error> Server::refusal_of(Peer& peer) const {
  try {
    users_.check(peer);
  } catch (const Error& error) {
    spdlog::warn("process {} is refused: {}", peer.pid, error.what());
    return error;
  }
  return std::nullopt;
}

ConnectionUse Server::connection_use(std::uint32_t uid) const {
  ConnectionUse use;
  std::map<int, std::uint64_t> by_process;
  for (const auto& [id, session] : sessions_) {
    if (session->peer().uid != uid) continue;
    ++use.connections;
    const std::uint64_t connections = ++by_process[session->peer().pid];
    if (connections <= use.most_connections) continue;
    use.most_connections = connections;
    use.most_pid = session->peer().pid;
  }
  return use;
}

void Server::session_ended(std::uint64_t session) {
  if (const auto ended = sessions_.extract(session)) registry_.session_ended(session, ended.mapped()->endpoints());
  after_change();
}

void Server::after_change() {
  const std::size_t pending_deaths = registry_.pending_deaths();
  if (pending_deaths > std::exchange(pending_known_, pending_deaths)) {
    pending_pause_ms_ = k_first_retry_pause_ms;
    process_watch_.watch(registry_.orphans());
    wait_for_pending_deaths();
  }
  if (!watches_stalls_ && registry_.may_evict()) watch_stalls();
  if (registry_.has_new_expiry()) watch_expiry();
  give_back_memory();
  watch_store();
  watch_death_log();
  watch_events();
  watch_idleness();
}

void Server::give_back_memory() {
  if (gives_back_memory_ || !registry_.has_memory_to_give_back()) return;
  gives_back_memory_ = true;
  boost::asio::post(io_, [this] {
    gives_back_memory_ = false;
    if (registry_.give_back_some_memory()) give_back_memory();
  });
}

void Server::wait_for_pending_deaths() {
  pending_timer_.expires_after(pending_pause_ms_);  // ends an earlier, longer wait
  pending_timer_.async_wait([this](error_code error) {
    if (!error) reap_pending();
  });
}

void Server::reap_pending() {
  const std::size_t before = std::exchange(pending_known_, registry_.reap_pending());
  if (pending_known_ != before) process_watch_.watch(registry_.orphans());
  give_back_memory();
  watch_death_log();
  if (pending_known_ == 0) return;
  if (registry_.has_more_to_reap()) {
    boost::asio::post(io_, [this] { reap_pending(); });
    return;
  }
  pending_pause_ms_ = std::min(pending_pause_ms_ * 2, k_longest_retry_pause_ms);
  wait_for_pending_deaths();
}

void Server::watch_stalls() {
  const milliseconds pause = registry_.evict_stalled_consumers();
  watches_stalls_ = pause.count() != 0;
  if (!watches_stalls_) return;
  stalls_timer_.expires_after(pause);
  stalls_timer_.async_wait([this](error_code error) {
    if (!error) watch_stalls();
  });
}

void Server::watch_expiry() {
  const auto next = registry_.remove_expired();
  if (!next) return;
  expiry_timer_.expires_at(*next);  // ends an earlier wait
  expiry_timer_.async_wait([this](error_code error) {
    if (error) return;
    watch_expiry();
    after_change();
  });
}

void Server::watch_store() {
  if (store_pause_ms_.count() != 0 || !store_.is_behind()) return;
  store_pause_ms_ = k_first_retry_pause_ms;
  wait_for_store();
}

void Server::wait_for_store() {
  store_timer_.expires_after(store_pause_ms_);
  store_timer_.async_wait([this](error_code error) {
    if (error) return;
    store_.catch_up();
    if (store_.is_behind()) {
      store_pause_ms_ = std::min(store_pause_ms_ * 2, k_longest_retry_pause_ms);
      return wait_for_store();
    }
    store_pause_ms_ = milliseconds{0};
    spdlog::info("the descriptor store has everything again");
    if (!hands_over_) return;
    end_ = End::restart;
    io_.stop();
  });
}

void Server::watch_death_log() {
  const auto due = death_log().due();
  if (!due || std::exchange(watches_death_log_, true)) return;
  death_log_timer_.expires_at(*due);
  death_log_timer_.async_wait([this](error_code error) {
    if (error) return;
    watches_death_log_ = false;
    death_log().flush(DeathLog::Clock::now());
    watch_death_log();
  });
}

void Server::watch_events() {
  if (watches_events_ || !registry_.may_have_events()) return;
  watches_events_ = true;
  events_timer_.expires_after(k_event_look_ms);
  events_timer_.async_wait([this](error_code error) {
    if (error) return;
    watches_events_ = false;
    registry_.look_for_events();
    watch_events();
  });
}

void Server::watch_idleness() {
  if (options_.idle_exit_s.count() == 0) return;
  const bool idle = sessions_.empty() && registry_.queues().empty() && saved_queues_.held().empty();
  if (idle == idle_) return;
  idle_ = idle;
  if (!idle) {
    idle_timer_.cancel();
    return;
  }
  wait_idly();
}

void Server::wait_idly() {
  idle_timer_.expires_after(options_.idle_exit_s);
  idle_timer_.async_wait([this, due = idle_timer_.expiry()](error_code error) {
    if (error || !idle_) return;
    // No process ran for a while, and clients could not connect: they get another span.
    if (std::chrono::steady_clock::now() - due > k_frozen) return wait_idly();
    spdlog::info("idle: ending");
    io_.stop();
  });
}

}  // namespace beltway::daemon
