// The daemon without its command line: accepts connections, keeps the sessions, checks pending deaths,
// and ends when told or when idle. Tests run one in a thread.
//
// Ownership: everything. Thread safety: run() is one thread; stop() may be called from any, everything else before run().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "queues/process_watch.hpp"
#include "queues/registry.hpp"
#include "queues/user_namespace.hpp"
#include "queues/workers.hpp"
#include "service/acceptor.hpp"
#include "service/client_session.hpp"
#include "service/listener.hpp"
#include "survival/descriptor_store.hpp"
#include "survival/saved_queues.hpp"
#include "survival/stored_program.hpp"
#include "survival/watchdog.hpp"

namespace beltway::daemon {

struct ServerOptions {
  std::filesystem::path socket;
  Quotas quotas;
  std::chrono::seconds idle_exit_s{0};  ///< ends when there was no queue and no connection for so long; 0: never
};

class Server {
 public:
  enum class End : std::uint8_t {
    ended,    ///< all queues are removed
    restart,  ///< all is left in the store, for a daemon that is to be started now
  };

  /// Listens when it returns, with what `store` has of an earlier daemon. Raises this process's limit of open files to what it
  /// may have. Throws Error(already_exists) if a daemon is alive at the socket, else as Listener.
  explicit Server(const ServerOptions& options, DescriptorStore store = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Until stop(), a signal (see stop_on_signals) or idleness.
  End run();
  void stop();
  /// SIGTERM, SIGINT and SIGHUP end run(), SIGHUP only if it is not ignored (nohup). SIGUSR2 ends it for a restart, if there is
  /// a store. Before run().
  void stop_on_signals();

  /// What the store has now, for a daemon whose store has gone.
  [[nodiscard]] const std::vector<PassedFd>& stored() const noexcept { return store_.stored(); }

 private:
  void wait_for_signal();
  void admit(os::Fd socket);
  /// Why this peer is not let in; nothing if it is. Takes out of it what the daemon cannot know.
  [[nodiscard]] std::optional<Error> refusal_of(Peer& peer) const;
  [[nodiscard]] ConnectionUse connection_use(std::uint32_t uid) const;
  void session_ended(std::uint64_t session);
  /// After anything that may have changed pending deaths, sessions or queues.
  void after_change();
  void wait_for_pending_deaths();
  void reap_pending();
  void watch_stalls();
  /// Removes queues that have been unused for long enough, when they are due.
  void watch_expiry();
  void watch_idleness();
  /// Looks for events about once a second, while a queue may have some.
  void watch_events();
  /// A part at a time, so that no request waits for long.
  void give_back_memory();
  void wait_idly();
  /// Sends what the store did not take at once.
  void watch_store();
  void wait_for_store();
  /// Waits for the end of a span of the DeathLog; then it logs the deaths that were only counted.
  void watch_death_log();

  ServerOptions options_;
  boost::asio::io_context io_{1};
  DescriptorStore store_;
  Listener listener_;
  StoredProgram program_;
  SavedQueues saved_queues_;
  Workers workers_;
  Registry registry_;
  const UserNamespace users_ = UserNamespace::of_this_process();
  Acceptor acceptor_;
  boost::asio::steady_timer pending_timer_;
  boost::asio::steady_timer stalls_timer_;
  boost::asio::steady_timer expiry_timer_;
  boost::asio::steady_timer idle_timer_;
  boost::asio::steady_timer store_timer_;
  boost::asio::steady_timer death_log_timer_;
  boost::asio::steady_timer events_timer_;
  Watchdog watchdog_;
  ProcessWatch process_watch_;
  std::chrono::milliseconds pending_pause_ms_;
  std::size_t pending_known_ = 0;
  bool gives_back_memory_ = false;
  bool watches_stalls_ = false;
  bool idle_ = false;
  std::chrono::milliseconds store_pause_ms_{0};  ///< 0: the store is not behind
  bool hands_over_ = false;                      ///< as soon as the store has everything
  bool watches_death_log_ = false;
  bool watches_events_ = false;
  End end_ = End::ended;
  std::uint64_t last_session_ = 0;
  std::map<std::uint64_t, std::shared_ptr<ClientSession>> sessions_;
  std::unique_ptr<boost::asio::signal_set> signals_;
};

}  // namespace beltway::daemon
