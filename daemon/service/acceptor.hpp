// Waits at the daemon's listen sockets: lets connections in, and makes a listen socket anew when somebody has removed or
// replaced it.
//
// An idle daemon sleeps: inotify wakes it (socket_watch.hpp). The clock is used only while a listen socket cannot be made anew,
// ever less often, and where inotify does not work. Each trouble is logged once, and so is its end. Ownership: none of the
// listen sockets; the waits and the watch. Thread safety: the server's one thread.
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
  Acceptor(boost::asio::io_context& io, Listener& listener, DescriptorStore& store, std::function<void(Fd)> admit);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Waits from now on.
  void open();

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;

  enum class State : std::uint8_t {
    stands,
    taken,   ///< a further listen socket at which another daemon lives
    broken,  ///< to be tried again
  };

  void wait_at(std::size_t listen_socket);
  void accept_all(std::size_t listen_socket);
  void rest(std::size_t listen_socket);
  void wait_for_events();
  void look_in(std::chrono::milliseconds pause);
  void look();
  [[nodiscard]] bool mend_all();
  [[nodiscard]] State mend(std::size_t listen_socket);
  void make_anew(std::size_t listen_socket);
  [[nodiscard]] bool changed_since();
  [[nodiscard]] bool watch_all();

  boost::asio::io_context& io_;
  Listener& listener_;
  DescriptorStore& store_;
  std::function<void(Fd)> admit_;
  std::vector<std::unique_ptr<Descriptor>> waits_;  ///< one a listen socket; nothing while that has no socket
  std::vector<State> states_;
  std::vector<std::string> troubles_;  ///< of each listen socket, as logged; empty: it stands
  std::string blindness_;              ///< why inotify does not work, as logged
  boost::asio::steady_timer rest_;
  boost::asio::steady_timer next_look_;
  DoorWatch watch_;
  std::unique_ptr<Descriptor> events_;
  std::chrono::milliseconds pause_;
};

}  // namespace beltway::daemon
