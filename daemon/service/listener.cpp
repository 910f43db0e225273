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

const Door::Names k_first_names{"lock", "door"};
const Door::Names k_further_names{"lok2", "dor2"};

Fd open_spare() noexcept { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

/// A daemon that serves the user's standard places lives here: a second one would be a second world.
bool is_taken_by_standard_daemon(const fs::path& socket) {
  const auto holder = lock_holder(socket);
  return holder && (holder->primary.empty() || is_standard_user_socket(holder->primary));
}

}  // namespace

Listener::Listener(fs::path socket, DescriptorStore& store) : spare_(open_spare()) {
  doors_.emplace_back(socket, socket, k_first_names);
  const bool taken_over = doors_.front().take_over(store);
  if (!taken_over && use_given(store)) return;
  for (const fs::path& path : further_sockets_of(socket)) {
    doors_.emplace_back(path, socket, k_further_names);
    doors_.back().take_over(store);
  }
  if (taken_over) {
    for (Door& door : doors_) door.sign();
  } else if (is_standard_user_socket(socket)) {
    open_standard(store);
  } else {
    doors_.front().mend(store);
  }
  for (Door& door : doors_) {
    try {
      door.mend(store);
    } catch (const Error&) {  // told, and tried again, by the entrance
    }
  }
}

bool Listener::use_given(DescriptorStore& store) {
  for (auto entry = store.inherited().begin(); entry != store.inherited().end(); ++entry) {
    const fs::path path = path_of_listening(entry->descriptor.get());
    if (path.empty()) continue;
    doors_.clear();
    doors_.emplace_back(path, path, k_first_names);
    doors_.front().use_given(std::move(entry->descriptor));
    store.inherited().erase(entry);
    return true;
  }
  return false;
}

void Listener::open_standard(DescriptorStore& store) {
  // In one order, whichever is the first door: of two daemons that start at once one gets both.
  std::vector<Door*> ordered;
  for (Door& door : doors_) ordered.push_back(&door);
  std::ranges::sort(ordered, {}, [](const Door* door) { return door->path(); });
  for (Door* const door : ordered) {
    try {
      door->mend(store);
    } catch (const Error& error) {
      const bool is_first = door == &doors_.front();
      if (is_first || (error.reason() == Errc::already_exists && is_taken_by_standard_daemon(door->path()))) throw;
    }
  }
}

void Listener::leave() noexcept {
  for (Door& door : doors_) door.leave();
}

Fd Listener::accept(const Door& door, bool& turned_away) {
  turned_away = false;
  for (;;) {
    const int connection = ::accept4(door.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) return Fd(connection);
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) {
      turned_away = true;
      turn_away(door);
    }
    return {};
  }
}

void Listener::turn_away(const Door& door) {
  spare_.reset();
  if (Fd connection(::accept4(door.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)); connection) {
    const Error error(Errc::limit_reached,
                      "connect: the daemon has no file descriptor left; remove queues or "
                      "connections, or raise its RLIMIT_NOFILE");
    Channel channel(std::move(connection));
    static_cast<void>(channel.try_send({{"error", protocol::encode(error)}}));
  }
  spare_ = open_spare();
}

}  // namespace beltway::daemon
