#include "client/session.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "client/find_daemon.hpp"
#include "client/living_daemon.hpp"
#include "client/socket_path.hpp"
#include "os/cancel_guard.hpp"
#include "os/kernel.hpp"
#include "ring/groups.hpp"
#include "wire/json_reader.hpp"

namespace beltway::client {

namespace {

using nlohmann::json;
using std::chrono::steady_clock;

/// How long a destructor waits for room in a socket whose daemon does not read.
constexpr std::chrono::milliseconds k_tell_timeout_ms{100};

/// Now plus `patience`, without passing the clock's end.
steady_clock::time_point deadline_after(std::chrono::milliseconds patience) {
  const auto now = steady_clock::now();
  const auto last = steady_clock::time_point::max();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last - now);
  return patience >= left ? last : now + std::max(patience, std::chrono::milliseconds(0));
}

/// Without the lock at the deadline. A timed mutex would not see a stop.
std::unique_lock<std::mutex> lock_until(std::mutex& mutex, const Deadline& deadline) {
  std::unique_lock lock(mutex, std::try_to_lock);
  while (!lock && !deadline.is_over()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    static_cast<void>(lock.try_lock());
  }
  return lock;
}

/// One of the places where this user's daemon may listen.
bool is_user_socket(const std::filesystem::path& socket) {
  const std::vector<std::filesystem::path> places = user_socket_paths();
  return std::ranges::find(places, socket) != places.end();
}

/// The daemon knows a queue that a handle names by its id only; a reader of the error wants the name.
void throw_if_refused(const Packet& reply, const std::string& context) {
  try {
    wire::throw_if_error(reply.body);
  } catch (const Error& error) {
    if (error.reason() != Errc::removed) throw;
    throw Error(Errc::removed, context + ": the queue was removed, or the daemon was started anew; declare it again");
  }
}

/// How long an endpoint whose queue was doubted waits for its daemon.
constexpr std::chrono::milliseconds k_doubt_timeout_ms{1000};

/// How often a request is sent while the daemon dies each time. Then the request counts as the cause of the deaths.
constexpr int k_sendings = 5;

/// Endpoints that one `resume` names: far below the limit of a protocol message.
constexpr std::size_t k_resume_page = 256;

}  // namespace

Session::Session(const ConnectionOptions& options) : options_(options), barriers_(os::register_for_barriers()) {
  const os::CancelGuard no_cancellation;
  DaemonLink link = find_daemon(options_, own_deadline());
  channel_ = std::move(link.channel);
  socket_ = std::move(link.socket);
}

Deadline Session::own_deadline() const {
  Deadline deadline(deadline_after(options_.timeout));
  deadline.give_up_stopped_at(deadline_after(options_.stopped_timeout));
  return deadline;
}

Deadline Session::own_deadline(const Until& caller) const {
  Deadline deadline(deadline_after(options_.timeout), caller);
  deadline.give_up_stopped_at(deadline_after(options_.stopped_timeout));
  return deadline;
}

std::filesystem::path Session::socket() {
  const Turn turn(*this);
  return socket_;
}

void Session::check_fork(const std::string& context) const {
  if (guard_.in_child()) {
    throw Error(Errc::forked, context + ": the connection was made before fork(); open one in the child");
  }
}

Packet Session::request(const std::string& context, std::string_view op, json body, Repeat repeat, Arrivals* arrivals) {
  check_fork(context);
  const os::CancelGuard no_cancellation;
  const Turn turn(*this);
  return ask(context, op, std::move(body), repeat, own_deadline(), arrivals);
}

Packet Session::request_until(const std::string& context, std::string_view op, json body, const Until& caller,
                              Arrivals* arrivals) {
  check_fork(context);
  const os::CancelGuard no_cancellation;
  const Deadline deadline = own_deadline(caller);
  const Turn turn(*this, lock_until(mutex_, deadline));
  if (!turn) throw Error(Errc::no_daemon, context + ": other requests of this connection took all the time");
  return ask(context, op, std::move(body), Repeat::allowed, deadline, arrivals);
}

Packet Session::ask(const std::string& context, std::string_view op, json body, Repeat repeat, const Deadline& deadline,
                    Arrivals* arrivals) {
  body["op"] = op;
  for (int attempt = 0; attempt < k_sendings; ++attempt) {
    if (!channel_.is_open()) connect(deadline);
    Packet reply;
    if (exchange(context, body, reply, deadline, arrivals)) {
      throw_if_refused(reply, context);
      return reply;
    }
    if (deadline.is_over()) {
      const std::string time = std::to_string(options_.timeout.count());
      throw Error(Errc::no_daemon, context + ": the daemon at " + socket_.string() + " did not answer " +
                                       (deadline.is_over_for_caller() ? "in time" : "within " + time + " ms") + "; " +
                                       why_silent(socket_));
    }
    if (repeat == Repeat::never) break;
  }
  throw Error(Errc::no_daemon, context + ": the daemon at " + socket_.string() +
                                   " closed the connection before it answered; it may or may not have done it");
}

bool Session::exchange(const std::string& context, json& body, Packet& reply, const Deadline& deadline,
                       Arrivals* arrivals) {
  if (!channel_.is_open()) return false;
  const std::uint64_t number = ++last_number_;
  body["n"] = number;
  try {
    // A daemon that closes may have said why: read that even if nothing could be sent.
    static_cast<void>(channel_.send(body, deadline));
    while (channel_.receive(reply, deadline, arrivals)) {
      const auto theirs = reply.body.find("n");
      if (theirs != reply.body.end() && *theirs != number) continue;  // of a question that was given up
      owes_answer_ = false;
      return true;
    }
  } catch (const Error& error) {
    channel_.close();
    // A caller without a free descriptor, or without a daemon, wants to know for which queue.
    const bool lacks_subject = error.reason() == Errc::limit_reached || error.reason() == Errc::no_daemon;
    if (lacks_subject) throw Error(error.reason(), context + ": " + error.what());
    throw;
  } catch (...) {
    channel_.close();  // an answer is lost: the next request begins anew
    throw;
  }
  // The caller no longer waits for this answer, so it is skipped when it comes. There is at most one such answer: a stopped
  // daemon must not collect many requests whose answers no caller reads.
  // Nor one with descriptors, which the next request would take for its own.
  if (arrivals == nullptr && deadline.is_over_for_caller() && !channel_.is_cut() &&
      !std::exchange(owes_answer_, true)) {
    return false;
  }
  channel_.close();
  return false;
}

void Session::connect(const Deadline& deadline, StartDaemon start) {
  ConnectionOptions options = options_;
  options.start_daemon = options.start_daemon && start == StartDaemon::allowed;
  // Connect to the same socket again. Start a daemon only if it is the socket of a daemon that we could have started before.
  if (!options.start_daemon || !is_user_socket(socket_)) options.socket = socket_;
  DaemonLink link = find_daemon(options, deadline);
  channel_ = std::move(link.channel);
  socket_ = std::move(link.socket);
  owes_answer_ = false;
  resume(deadline);
}

void Session::resume(const Deadline& deadline) {
  std::vector<wire::EndpointName> all;
  {
    const std::lock_guard lock(attached_mutex_);
    for (const Attached& each : attached_) all.push_back(each.name);
  }
  for (std::size_t begin = 0; begin < all.size(); begin += k_resume_page) {
    json names = json::array();
    const std::size_t end = std::min(all.size(), begin + k_resume_page);
    for (std::size_t i = begin; i < end; ++i) names.push_back(wire::encode(all[i]));
    json body{{"op", "resume"}, {"endpoints", std::move(names)}};
    Packet reply;
    if (!exchange("resume", body, reply, deadline)) return channel_.close();
    wire::throw_if_error(reply.body);
    // Those under `refused` are another process's in the daemon's eyes. They go on: see remember().
    for (const json& index : wire::JsonReader(reply.body, "resume").array("gone")) {
      if (!index.is_number_unsigned() || index.get<std::size_t>() >= end - begin) continue;
      set_unknown(all[begin + index.get<std::size_t>()]);
    }
  }
}

void Session::set_unknown(const wire::EndpointName& name) noexcept {
  const std::lock_guard lock(attached_mutex_);  // the memory stays mapped until forget()
  const auto endpoint = std::ranges::find(attached_, name, &Attached::name);
  if (endpoint == attached_.end() || endpoint->unknown) return;
  // First our own word, then the doubt: an endpoint that asks because of it hears what we know.
  endpoint->unknown = true;
  if (endpoint->memory.control != nullptr) ring::post_doubt(endpoint->memory);
}

bool Session::is_unknown(const wire::EndpointName& name) noexcept {
  if (guard_.in_child()) return false;
  const Turn turn(*this, std::unique_lock(mutex_, std::try_to_lock));
  if (!turn) return false;  // another thread asks the daemon right now, and posts the doubt again if it does not know
  try {
    if (!channel_.is_open() || channel_.is_cut()) {
      channel_.close();
      connect(deadline_after(k_doubt_timeout_ms), StartDaemon::never);
    }
  } catch (...) {
    channel_.close();  // no daemon, no answer
  }
  const std::lock_guard lock(attached_mutex_);
  const auto found = std::ranges::find(attached_, name, &Attached::name);
  return found != attached_.end() && found->unknown;
}

std::shared_ptr<const Bells> Session::find_bells(std::uint64_t queue) {
  const Turn turn(*this);
  const auto found = bells_.find(queue);
  return found == bells_.end() ? nullptr : found->second.lock();
}

void Session::remember_bells(std::uint64_t queue, const std::shared_ptr<const Bells>& bells) {
  const Turn turn(*this);
  std::erase_if(bells_, [](const auto& entry) { return entry.second.expired(); });
  bells_[queue] = bells;
}

void Session::remember(const wire::EndpointName& name, const ring::QueueMemory& memory) {
  const std::lock_guard lock(attached_mutex_);
  attached_.push_back({name, memory});
}

void Session::remember_ownership(const wire::EndpointName& name) { remember(name, {}); }

void Session::forget(const wire::EndpointName& name) noexcept {
  const std::lock_guard lock(attached_mutex_);
  std::erase_if(attached_, [&](const Attached& entry) { return entry.name == name; });
}

bool Session::tell(std::string_view op, const wire::EndpointName& name, const Deadline& deadline) {
  json body = wire::encode(name);
  body["op"] = op;
  body["n"] = ++last_number_;
  return channel_.send(body, deadline);
}

void Session::tell_filled(const wire::EndpointName& name) noexcept {
  const os::CancelGuard no_cancellation;
  const Turn turn(*this);
  try {
    if (!channel_.is_open() || tell("filled", name, deadline_after(k_tell_timeout_ms))) return;
  } catch (...) {  // no memory for the message, or the socket has failed
  }
  channel_.close();
}

void Session::tell_detached(const wire::EndpointName& name) noexcept {
  const os::CancelGuard no_cancellation;
  try {
    const std::lock_guard lock(attached_mutex_);
    untold_.push_back(name);
  } catch (...) {  // no memory to leave it to another thread
    const std::lock_guard lock(mutex_);
    tell_detached_now(name);
    return;
  }
  tell_untold();
}

void Session::tell_untold() noexcept {
  const os::CancelGuard no_cancellation;
  for (;;) {
    // Whoever holds the mutex comes here after its release, and then finds what was added before this try.
    const std::unique_lock turn(mutex_, std::try_to_lock);
    if (!turn) return;
    std::vector<wire::EndpointName> names;
    {
      const std::lock_guard lock(attached_mutex_);
      names.swap(untold_);
    }
    if (names.empty()) return;
    for (const wire::EndpointName& name : names) {
      if (!tell_detached_now(name)) break;  // the closed connection makes the daemon check all of them
    }
  }
}

bool Session::tell_detached_now(const wire::EndpointName& name) noexcept {
  try {
    const Deadline deadline = deadline_after(k_tell_timeout_ms);
    // A daemon that has ended closed its end, and what we said would go nowhere.
    if (channel_.is_open() && !channel_.is_cut() && tell("detach", name, deadline)) return true;
    channel_.close();
    // Its end made the old daemon check, but the daemon that was started in its place does not know that we are gone.
    connect(deadline, StartDaemon::never);
    if (tell("detach", name, deadline)) return true;
  } catch (...) {  // whatever it was: a closed connection makes the daemon check, too
  }
  channel_.close();
  return false;
}

}  // namespace beltway::client
