#include "service/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

#include "client/channel.hpp"
#include "client/living_daemon.hpp"
#include "client/socket_path.hpp"
#include "wire/protocol.hpp"

namespace beltway::daemon {
namespace {

namespace fs = std::filesystem;

const ListenSocket::Names k_first_names{"lock", "door"};
const ListenSocket::Names k_further_names{"lok2", "dor2"};

os::Fd open_spare() noexcept { return os::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

/// A daemon that serves the user's standard places lives here: a second one would be a second world.
bool is_taken_by_standard_daemon(const fs::path& socket) {
  const auto holder = client::lock_holder(socket);
  return holder && (holder->primary.empty() || client::is_standard_user_socket(holder->primary));
}

}  // namespace

Listener::Listener(fs::path socket, DescriptorStore& store) : spare_(open_spare()) {
  listen_sockets_.emplace_back(socket, socket, k_first_names);
  const bool taken_over = listen_sockets_.front().take_over(store);
  if (!taken_over && use_given(store)) return;
  for (const fs::path& path : client::further_sockets_of(socket)) {
    listen_sockets_.emplace_back(path, socket, k_further_names);
    listen_sockets_.back().take_over(store);
  }
  if (taken_over) {
    for (ListenSocket& listen_socket : listen_sockets_) listen_socket.sign();
  } else if (client::is_standard_user_socket(socket)) {
    open_standard(store);
  } else {
    listen_sockets_.front().mend(store);
  }
  for (ListenSocket& listen_socket : listen_sockets_) {
    try {
      listen_socket.mend(store);
    } catch (const Error&) {  // told, and tried again, by the acceptor
    }
  }
}

bool Listener::use_given(DescriptorStore& store) {
  for (auto entry = store.inherited().begin(); entry != store.inherited().end(); ++entry) {
    const fs::path path = path_of_listening(entry->descriptor.get());
    if (path.empty()) continue;
    listen_sockets_.clear();
    listen_sockets_.emplace_back(path, path, k_first_names);
    listen_sockets_.front().use_given(std::move(entry->descriptor));
    store.inherited().erase(entry);
    return true;
  }
  return false;
}

void Listener::open_standard(DescriptorStore& store) {
  // In one order, whichever is the first listen socket: of two daemons that start at once one gets both.
  std::vector<ListenSocket*> ordered;
  for (ListenSocket& listen_socket : listen_sockets_) ordered.push_back(&listen_socket);
  std::ranges::sort(ordered, {}, [](const ListenSocket* listen_socket) { return listen_socket->path(); });
  for (ListenSocket* const listen_socket : ordered) {
    try {
      listen_socket->mend(store);
    } catch (const Error& error) {
      const bool is_first = listen_socket == &listen_sockets_.front();
      if (is_first || (error.reason() == Errc::already_exists && is_taken_by_standard_daemon(listen_socket->path())))
        throw;
    }
  }
}

void Listener::leave() noexcept {
  for (ListenSocket& listen_socket : listen_sockets_) listen_socket.leave();
}

os::Fd Listener::accept(const ListenSocket& listen_socket, bool& turned_away) {
  turned_away = false;
  for (;;) {
    const int connection = ::accept4(listen_socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) return os::Fd(connection);
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) {
      turned_away = true;
      turn_away(listen_socket);
    }
    return {};
  }
}

void Listener::turn_away(const ListenSocket& listen_socket) {
  spare_.reset();
  if (os::Fd connection(::accept4(listen_socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      connection) {
    const Error error(Errc::limit_reached,
                      "connect: the daemon has no file descriptor left; remove queues or "
                      "connections, or raise its RLIMIT_NOFILE");
    client::Channel channel(std::move(connection));
    static_cast<void>(channel.try_send({{"error", wire::encode(error)}}));
  }
  spare_ = open_spare();
}

}  // namespace beltway::daemon
