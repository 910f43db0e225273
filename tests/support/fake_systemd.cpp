// What systemd does for a service with a descriptor store.
#include "fake_systemd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "client/socket_path.hpp"

namespace beltway::test {

using namespace beltway::client;
using namespace beltway::os;

namespace {

bool is_valid_name(const std::string& name) {
  return !name.empty() && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' - 1 && c < 127 && c != ':'; });
}

Fd bound(int type, const std::filesystem::path& path) {
  const sockaddr_un address = socket_address(path);
  Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("bind " + path.string());
  }
  return socket;
}

}  // namespace

FakeSystemd::FakeSystemd(std::vector<std::string> command, std::size_t limit)
    : command_(std::move(command)), limit_(limit), notify_(bound(SOCK_DGRAM, dir_.path() / "notify")) {
  const int on = 1;
  ::setsockopt(notify_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

FakeSystemd::~FakeSystemd() {
  if (service_ && service_->pid() > 0) {
    service_->kill(SIGTERM);
    EXPECT_EQ(service_->wait(), (Exit{.code = 0, .signal = 0})) << log();
  }
}

void FakeSystemd::begin_to_read() {
  if (!reader_.joinable()) reader_ = std::jthread([this](const std::stop_token& stop) { read_all(stop); });
}

void FakeSystemd::listen_at(const std::filesystem::path& path) {
  socket_ = bound(SOCK_SEQPACKET, path);
  ::listen(socket_.get(), 100);
}

void FakeSystemd::start() {
  begin_to_read();
  // A shell puts everything in its place: it knows its own number, and keeps it over exec.
  std::string names;
  std::string redirections;
  std::vector<Fd> held;  // copies at free numbers
  {
    const std::lock_guard lock(mutex_);
    ready_ = false;
    const auto add = [&](const std::string& name, int descriptor) {
      held.emplace_back(::fcntl(descriptor, F_DUPFD, 500));
      names += (held.size() == 1 ? "" : ":") + name;
      redirections += " " + std::to_string(held.size() + 2) + "<&" + std::to_string(held.back().get());
    };
    if (socket_) add("beltwayd.socket", socket_.get());
    for (auto stored = store_.rbegin(); stored != store_.rend(); ++stored) add(stored->name, stored->descriptor.get());
  }
  std::string command;
  for (const std::string& word : command_) command += " '" + word + "'";
  // bash: a number of two digits is a descriptor there.
  std::string script = watchdog_ + "export LISTEN_PID=$$; exec" + command + redirections;
  for (const Fd& copy : held) script += " " + std::to_string(copy.get()) + "<&-";
  Child::Options options{.environment = {{"NOTIFY_SOCKET", (dir_.path() / "notify").string()}},
                         .standard_output = dir_.path() / "out.log",
                         .standard_error = dir_.path() / "err.log"};
  if (!held.empty()) {
    options.environment.emplace_back("LISTEN_FDS", std::to_string(held.size()));
    options.environment.emplace_back("LISTEN_FDNAMES", names);
  }
  {
    const std::lock_guard lock(mutex_);
    service_ = Child::spawn({"bash", "-c", script}, options);
    main_ = service_->pid();
  }
  const bool ready = eventually([&] {
    const std::lock_guard lock(mutex_);
    return ready_;
  });
  if (!ready) throw std::runtime_error("the service is not ready; its log:\n" + log());
}

std::map<std::string, int> FakeSystemd::stored() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> names;
  for (const Stored& stored : store_) ++names[stored.name];
  return names;
}

int FakeSystemd::signs_of_life() {
  const std::lock_guard lock(mutex_);
  return signs_of_life_;
}

std::string FakeSystemd::watchdog_time() {
  const std::lock_guard lock(mutex_);
  return watchdog_time_;
}

void FakeSystemd::watch(std::string time_us, std::string process) {
  watchdog_ = "export WATCHDOG_USEC=" + std::move(time_us) + " WATCHDOG_PID=" + std::move(process) + "; ";
}

Fd FakeSystemd::copy_of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(store_, name, &Stored::name);
  if (found == store_.end()) throw std::out_of_range(name);
  return Fd(::fcntl(found->descriptor.get(), F_DUPFD_CLOEXEC, 0));
}

void FakeSystemd::replace(const std::string& name, Fd descriptor) {
  lose(name);
  const std::lock_guard lock(mutex_);
  store_.push_back({.name = name, .descriptor = std::move(descriptor), .polled = false});
}

void FakeSystemd::lose(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::erase_if(store_, [&](const Stored& stored) { return stored.name == name; });
}

std::string FakeSystemd::log() const { return read_file(dir_.path() / "out.log") + read_file(dir_.path() / "err.log"); }

void FakeSystemd::hear(pid_t process) {
  begin_to_read();
  const std::lock_guard lock(mutex_);
  main_ = process;
}

void FakeSystemd::read_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waits{notify_.get(), POLLIN, 0};
    ::poll(&waits, 1, 1);
    const std::lock_guard lock(mutex_);
    receive();
    drop_hung_up();
  }
}

void FakeSystemd::receive() {
  std::array<char, 4096> text{};
  alignas(cmsghdr) std::array<char, 2048> control{};
  for (;;) {
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(notify_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0) return;
    pid_t sender = -1;
    std::vector<Fd> descriptors;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_type == SCM_CREDENTIALS) {
        ucred peer{};
        std::memcpy(&peer, CMSG_DATA(header), sizeof peer);
        sender = peer.pid;
      } else {
        for (std::size_t at = 0; at < header->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
          int descriptor = -1;
          std::memcpy(&descriptor, CMSG_DATA(header) + at, sizeof descriptor);
          descriptors.emplace_back(descriptor);
        }
      }
    }
    if (sender != main_) continue;
    std::map<std::string, std::string> fields;
    std::istringstream lines(std::string(text.data(), static_cast<std::size_t>(size)));
    for (std::string line; std::getline(lines, line);) {
      fields[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    }
    if (fields["READY"] == "1") ready_ = true;
    if (fields["WATCHDOG"] == "1") ++signs_of_life_;
    if (!fields["WATCHDOG_USEC"].empty()) watchdog_time_ = fields["WATCHDOG_USEC"];
    const std::string name = is_valid_name(fields["FDNAME"]) ? fields["FDNAME"] : "stored";
    if (fields["FDSTOREREMOVE"] == "1") {
      std::erase_if(store_, [&](const Stored& stored) { return stored.name == name; });
    }
    if (fields["FDSTORE"] != "1") continue;
    for (Fd& descriptor : descriptors) {
      if (store_.size() < limit_) store_.push_back({name, std::move(descriptor), fields["FDPOLL"] != "0"});
    }
  }
}

void FakeSystemd::drop_hung_up() {
  std::erase_if(store_, [](const Stored& stored) {
    pollfd state{stored.descriptor.get(), 0, 0};
    return stored.polled && ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
  });
}

}  // namespace beltway::test
