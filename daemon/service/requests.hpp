// What the daemon answers to each request of the protocol (src/wire/protocol.hpp): checks the caller and the request, and asks
// the registry. Knows nothing of sockets.
// Thread safety: the daemon's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "os/fd.hpp"
#include "queues/peer.hpp"
#include "queues/registry.hpp"

namespace beltway::daemon {

struct Reply {
  nlohmann::json body;
  std::vector<int> descriptors;  ///< what to send with it
  std::vector<os::Fd> owned;     ///< those of them that live until they are sent
};

/// The connections of one user.
struct ConnectionUse {
  std::uint64_t connections = 0;
  int most_pid = 0;  ///< the process that has the most of them
  std::uint64_t most_connections = 0;
};

/// The client that asks, and the registry that answers.
struct Caller {
  Registry& registry;
  const Peer& peer;
  std::uint64_t session = 0;
  std::string socket;
  bool greeted = false;                                 ///< has said hello; set by answer()
  std::string version = {};                             ///< of its library, as it says
  wire::LayoutVersion layout{ring::k_layout_major, 0};  ///< that its library knows, as it says
  bool is_watched = true;                               ///< the kernel tells when its process ends
  std::vector<wire::EndpointName> endpoints = {};       ///< that this connection answers for, or did
  /// Has answer() called once more with this request, from the daemon's loop. Empty: everything is answered at once.
  std::function<void(const nlohmann::json& request)> ask_again = {};
  /// The connections of the caller's user. Empty: the caller is no connection.
  std::function<ConnectionUse()> connection_use = {};
  /// What a worker has brought for the present request.
  std::shared_ptr<std::optional<Reply>> brought = std::make_shared<std::optional<Reply>>();
  bool is_healed = false;  ///< the large queue that the present request attaches to
  bool later = false;      ///< set by answer(): no reply yet, ask_again will bring it
};

/// Nothing for a request that has no reply, or has none yet (Caller::later). Never throws what the request caused: that becomes
/// an error reply.
[[nodiscard]] std::optional<Reply> answer(Caller& caller, const nlohmann::json& request);

/// An error as a reply; `request` may be anything.
[[nodiscard]] Reply error_reply(const nlohmann::json& request, const Error& error);

/// True if the connection is of no more use after this reply.
[[nodiscard]] bool ends_connection(const Reply& reply);

}  // namespace beltway::daemon
