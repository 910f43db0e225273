// Waits at the daemon's listen sockets: accepts connections, and makes a listen socket again if it was removed or replaced.
//
// inotify wakes an idle daemon (socket_watch.hpp). Timers run only while a listen socket cannot be made, with growing pauses,
// or without inotify. Each failure is logged once, and so is its end.
//
// Owns the waits and the watch, not the listen sockets. Thread safety: the server's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/listener.hpp"
#include "service/socket_watch.hpp"
#include "survival/descriptor_store.hpp"

namespace beltway::daemon {

class Acceptor {
 public:
  /// `admit` gets each connection. `listener` and `store` must outlive it.
  Acceptor(boost::asio::io_context& io, Listener& listener, DescriptorStore& store, std::function<void(os::Fd)> admit);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Begins to wait.
  void open();

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;

  enum class State : std::uint8_t {
    stands,
    taken,   ///< another daemon listens at a further place
    broken,  ///< the socket could not be made; the daemon tries again
  };

  void wait_at(std::size_t listen_socket);
  void accept_all(std::size_t listen_socket);
  void rest(std::size_t listen_socket);
  void wait_for_events();
  void check_after(std::chrono::milliseconds pause);
  void check();
  [[nodiscard]] bool mend_all();
  [[nodiscard]] State mend(std::size_t listen_socket);
  void make_anew(std::size_t listen_socket);
  [[nodiscard]] bool changed_since();
  [[nodiscard]] bool watch_all();

  boost::asio::io_context& io_;
  Listener& listener_;
  DescriptorStore& store_;
  std::function<void(os::Fd)> admit_;
  std::vector<std::unique_ptr<Descriptor>> waits_;  ///< one for each listen socket; null while it has no socket
  std::vector<State> states_;
  std::vector<std::string> troubles_;  ///< the last failure logged for each listen socket; empty if it works
  std::string blindness_;              ///< why inotify does not work, as logged
  boost::asio::steady_timer rest_;
  boost::asio::steady_timer check_timer_;
  SocketWatch watch_;
  std::unique_ptr<Descriptor> events_;
  std::chrono::milliseconds pause_;
};

}  // namespace beltway::daemon
