#include "service/client_session.hpp"

#include <spdlog/spdlog.h>

#include "queues/process_watch.hpp"

namespace beltway::daemon {

using boost::asio::posix::stream_descriptor;

ClientSession::ClientSession(boost::asio::io_context& io, os::Fd socket, Peer peer, std::uint64_t id,
                             Registry& registry, std::string path, Events events)
    : peer_(std::move(peer)),
      caller_{.registry = registry, .peer = peer_, .session = id, .socket = std::move(path)},
      events_(std::move(events)),
      channel_(std::move(socket)),
      socket_wait_(io, channel_.descriptor()),
      process_(io) {
  caller_.connection_use = events_.connection_use;
  // Without a pidfd the end of its socket tells, if no child of it holds that, too, and the locks of what it attaches.
  if (os::Fd process = open_peer_process(channel_.descriptor(), peer_.pid)) process_.assign(process.release());
  caller_.is_watched = process_.is_open();
}

ClientSession::~ClientSession() {
  if (socket_wait_.is_open()) socket_wait_.release();
}

void ClientSession::start() {
  caller_.ask_again = [self = weak_from_this()](const nlohmann::json& request) {
    const auto session = self.lock();
    if (session && !session->stopped_) session->handle(request);
  };
  wait_for_request();
  if (process_.is_open()) wait_for_death();
}

void ClientSession::refuse(const Error& error) {
  reply_ = error_reply({}, error);
  send_reply();
}

void ClientSession::stop() {
  if (std::exchange(stopped_, true)) return;
  socket_wait_.release();  // forgets the descriptor, which the channel closes
  if (process_.is_open()) process_.close();
  // An answer that was not sent may hold an endpoint's lock, and so may what the client has not received: both must be
  // gone before the registry checks its lock.
  reply_.reset();
  channel_.close();
  events_.ended(caller_.session);
}

void ClientSession::wait_for_request() {
  socket_wait_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (error || self->stopped_) return;
    self->handle_request();
  });
}

void ClientSession::wait_for_death() {
  process_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    // A forked child may still hold the socket; what the dead process had mapped is gone all the same.
    if (!error) self->stop();
  });
}

void ClientSession::handle_request() {
  client::Packet packet;
  try {
    const client::ChannelStatus status = channel_.try_receive(packet);
    if (status == client::ChannelStatus::closed) return stop();
    if (status == client::ChannelStatus::would_block) return wait_for_request();
  } catch (const Error& error) {
    spdlog::warn("process {} of user {}: {}", peer_.pid, peer_.uid, error.what());
    if (error.reason() == Errc::system) return stop();  // the socket itself has failed
    reply_ = error_reply(packet.body, error);
    return send_reply();
  }
  packet.descriptors.clear();  // the daemon asked for none
  handle(packet.body);
}

void ClientSession::handle(const nlohmann::json& request) {
  caller_.later = false;
  reply_ = answer(caller_, request);
  if (reply_) return send_reply();
  events_.answered();
  // One request at a time: the next one is read when this one has its answer.
  if (!caller_.later) wait_for_request();
}

void ClientSession::send_reply() {
  try {
    const client::ChannelStatus status = channel_.try_send(reply_->body, reply_->descriptors);
    if (status == client::ChannelStatus::closed) return stop();
    if (status == client::ChannelStatus::would_block) {
      return socket_wait_.async_wait(stream_descriptor::wait_write,
                                     [self = shared_from_this()](boost::system::error_code error) {
                                       if (!error && !self->stopped_) self->send_reply();
                                     });
    }
  } catch (const Error& error) {
    // Too many descriptors under way, or an answer beyond the limit. What it held goes; the client learns why.
    if (reply_->body.contains("error")) return stop();
    reply_ = error_reply(reply_->body, error);
    return send_reply();
  }
  const bool ends = ends_connection(*reply_) || !caller_.greeted;
  reply_.reset();
  if (ends) return stop();
  events_.answered();
  wait_for_request();
}

}  // namespace beltway::daemon
