// A process's connection to one daemon: requests and replies, the bells that endpoints of one queue share, and the list of
// attached endpoints. With this list a connection that broke is made again, and only time is lost.
//
// Ownership: the socket. Connections, queues and endpoints share the session; the last of them closes it.
// Thread safety: all members from any thread; requests take turns. In a forked child every request throws
// Error(forked), and destruction is safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/detail/fork_guard.hpp"
#include "beltway/options.hpp"
#include "client/channel.hpp"
#include "os/mark.hpp"
#include "ring/queue_memory.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

/// The eventfds of one queue, k_bells of them.
struct Bells {
  std::vector<os::MarkedFd> owned;
  std::vector<int> numbers;
};

/// Whether a request may be sent again when the connection broke before the answer came.
enum class Repeat : std::uint8_t { allowed, never };

class DeadLetterTarget;

/// The producers on dead letter queues that the consumers of a session share, by queue. In dead_letter_route.cpp.
/// Thread safety: any thread.
class DeadLetterTargets {
 public:
  /// The target of that name, or what `make` returns. `caller`: null if the call may wait for other threads; otherwise it returns
  /// null while another thread makes a target.
  std::shared_ptr<DeadLetterTarget> find_or_make(const std::string& name, const Until* caller,
                                                 const std::function<std::shared_ptr<DeadLetterTarget>()>& make);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<DeadLetterTarget>> targets_;
};

class Session {
 public:
  /// Connects. See Connection::open.
  explicit Session(const ConnectionOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() = default;

  /// Sends `body` as operation `op` and waits for the answer. Connects anew if the connection had broken. `context`: operation
  /// and object, for errors. Throws what the daemon answers, Error(no_daemon) if it does not, Error(forked).
  /// `arrivals`: takes the descriptors of the answer.
  Packet request(const std::string& context, std::string_view op, nlohmann::json body, Repeat repeat = Repeat::allowed,
                 Arrivals* arrivals = nullptr);
  /// As request(), for an `op` that may be repeated. Error(no_daemon), too, when `caller` is over before the answer has come.
  Packet request_until(const std::string& context, std::string_view op, nlohmann::json body, const Until& caller,
                       Arrivals* arrivals = nullptr);

  /// Throws Error(forked) in a forked child. Every call that takes the mutex comes behind it: a fork may have left it locked.
  void check_fork(const std::string& context) const;

  /// How long a request may take (ConnectionOptions::timeout).
  [[nodiscard]] std::chrono::milliseconds patience() const noexcept { return options_.timeout; }

  /// The socket of the daemon that was asked last.
  [[nodiscard]] std::filesystem::path socket();
  /// The socket was not named by ConnectionOptions.
  [[nodiscard]] bool was_searched() const { return options_.socket.empty(); }

  /// Whether this process is registered for membarrier.
  [[nodiscard]] bool barriers() const noexcept { return barriers_; }

  /// The bells of a queue, if an endpoint of this session has them already.
  [[nodiscard]] std::shared_ptr<const Bells> find_bells(std::uint64_t queue);
  void remember_bells(std::uint64_t queue, const std::shared_ptr<const Bells>& bells);

  /// From attach to detach: the endpoint is named to the daemon when the connection is made anew. `memory` must stay mapped
  /// until forget(). Three answers:
  ///   - known: the new connection answers for it;
  ///   - unknown: is_unknown() says so from then on, and other processes of its queue are told to ask (post_doubt());
  ///   - not this process's: it goes on. Its rights were checked at attach, and its lock tells the daemon when it ends.
  void remember(const wire::EndpointName& name, const ring::QueueMemory& memory);
  /// The same for the process itself, to which an exclusive queue belongs.
  void remember_ownership(const wire::EndpointName& name);
  void forget(const wire::EndpointName& name) noexcept;
  /// Whether the daemon does not know the endpoint. Connects anew if the connection is broken, for a second at most; without
  /// an answer the endpoint is taken to be known.
  [[nodiscard]] bool is_unknown(const wire::EndpointName& name) noexcept;
  [[nodiscard]] DeadLetterTargets& dead_letter_targets() noexcept { return dead_letter_targets_; }
  /// Asks the daemon to check the lock: the endpoint's memory is unmapped. Does not wait for an answer; connects anew if need
  /// be. If another thread waits for the daemon, that thread sends it when it has its answer: the end of an endpoint may come on
  /// a thread that must not wait, as that of an event loop.
  void tell_detached(const wire::EndpointName& name) noexcept;
  /// Tells the daemon that a producer's lane is filled. Best effort: the daemon's promise ends by itself.
  void tell_filled(const wire::EndpointName& name) noexcept;

 private:
  struct Attached {
    wire::EndpointName name;
    ring::QueueMemory memory;  ///< nothing of it for an ownership
    bool unknown = false;      ///< to the daemon
  };

  /// The mutex, for one call. Its end sends what other threads could not tell meanwhile.
  class Turn {
   public:
    explicit Turn(Session& session) : session_(session), lock_(session.mutex_) {}
    Turn(Session& session, std::unique_lock<std::mutex> lock) : session_(session), lock_(std::move(lock)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (!lock_) return;
      lock_.unlock();
      session_.tell_untold();
    }
    explicit operator bool() const noexcept { return lock_.owns_lock(); }

   private:
    Session& session_;
    std::unique_lock<std::mutex> lock_;
  };

  /// When a request that begins now is given up.
  [[nodiscard]] Deadline own_deadline() const;
  [[nodiscard]] Deadline own_deadline(const Until& caller) const;
  enum class StartDaemon : std::uint8_t { allowed, never };
  void connect(const Deadline& deadline, StartDaemon start = StartDaemon::allowed);
  void resume(const Deadline& deadline);
  /// The daemon does not know the endpoint.
  void set_unknown(const wire::EndpointName& name) noexcept;
  /// Sends what tell_detached() has left to the holder of the mutex, unless there is a holder who will.
  void tell_untold() noexcept;
  /// Once the mutex is held. False: the daemon cannot be told now.
  bool tell_detached_now(const wire::EndpointName& name) noexcept;
  /// Sends a request that has no answer. False: the connection has ended.
  [[nodiscard]] bool tell(std::string_view op, const wire::EndpointName& name, const Deadline& deadline);
  /// Once the mutex is held.
  Packet ask(const std::string& context, std::string_view op, nlohmann::json body, Repeat repeat,
             const Deadline& deadline, Arrivals* arrivals = nullptr);
  [[nodiscard]] bool exchange(const std::string& context, nlohmann::json& body, Packet& reply, const Deadline& deadline,
                              Arrivals* arrivals = nullptr);

  const detail::ForkGuard guard_;
  ConnectionOptions options_;
  bool barriers_ = false;
  DeadLetterTargets dead_letter_targets_;
  std::mutex mutex_;  ///< guards what follows; held while a request waits for its answer
  Channel channel_;
  std::filesystem::path socket_;
  std::uint64_t last_number_ = 0;
  bool owes_answer_ = false;  ///< the daemon has a question whose caller was in a hurry
  std::map<std::uint64_t, std::weak_ptr<const Bells>> bells_;
  std::mutex attached_mutex_;  ///< guards what follows; held for moments only, also by a holder of mutex_
  std::vector<Attached> attached_;
  std::vector<wire::EndpointName> untold_;  ///< detached; whoever holds mutex_ tells the daemon
};

}  // namespace beltway::client
