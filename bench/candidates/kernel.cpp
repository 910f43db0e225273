// What the kernel itself offers: pipes, Unix sockets, POSIX message queues, all with blocking calls.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

#include "candidates/endpoint.hpp"

namespace beltway::bench {

namespace {

[[noreturn]] void throw_errno(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

void write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) throw_errno("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void read_all(int fd, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = read(fd, bytes.data(), bytes.size());
    if (got <= 0) throw_errno("read");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

/// Descriptors for both ends, of what `kind` says; they end with this object.
enum class Kind : std::uint8_t { pipe, stream, seqpacket };

template <Kind kind>
class DescriptorChannel {
 public:
  // Several writers of a pipe only where their messages are never torn.
  static constexpr Traits k_traits{.many_producers = true};

  DescriptorChannel(const Spec& spec, const std::string& /*name*/) : size_(spec.size_bytes) {
    int ends[2];
    if (kind == Kind::pipe) {
      if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
      constexpr std::uint64_t k_most_bytes = 1U << 20;  // /proc/sys/fs/pipe-max-size, unless somebody changed it
      const int wanted = static_cast<int>(std::min(spec.footprint(), k_most_bytes));
      in_flight_ = static_cast<std::uint64_t>(std::max(fcntl(ends[1], F_SETPIPE_SZ, wanted), 0));
    } else {
      const int type = kind == Kind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
      if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair");
      const int wanted = static_cast<int>(std::min<std::uint64_t>(std::max(spec.footprint(), 2 * size_), INT_MAX / 2));
      // Without the right to go beyond the limit, what the limit allows.
      if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted) != 0)
        setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
      int got = 0;
      socklen_t length = sizeof got;
      getsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &got, &length);
      in_flight_ = static_cast<std::uint64_t>(got);
    }
    reader_ = ends[0];
    writer_ = ends[1];
  }
  ~DescriptorChannel() {
    close(reader_);
    close(writer_);
  }
  DescriptorChannel(const DescriptorChannel&) = delete;
  DescriptorChannel& operator=(const DescriptorChannel&) = delete;
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return in_flight_; }

  struct Sender {
    Sender(DescriptorChannel& channel, std::uint32_t /*index*/) : fd(channel.writer_), buffer(channel.size_) {}
    void send(std::uint64_t value) {
      tool::fill(buffer, value);
      write_all(fd, buffer);
    }
    int fd;
    std::vector<std::byte> buffer;
  };
  struct Receiver {
    Receiver(DescriptorChannel& channel, std::uint32_t /*index*/) : fd(channel.reader_), buffer(channel.size_) {}
    std::uint64_t receive() {
      read_all(fd, buffer);
      return read_back(buffer);
    }
    int fd;
    std::vector<std::byte> buffer;
  };

 private:
  std::size_t size_;
  int reader_ = -1;
  int writer_ = -1;
  std::uint64_t in_flight_ = 0;
};

/// A POSIX message queue: as many messages as the limits of the machine allow.
class PosixMqChannel {
 public:
  static constexpr Traits k_traits{.many_producers = true, .shared = true};
  /// Largest message without rights, usually 8 KiB.
  [[nodiscard]] static std::uint64_t most_bytes() {
    std::uint64_t bytes = 0;
    std::ifstream("/proc/sys/fs/mqueue/msgsize_max") >> bytes;
    return bytes;
  }

  PosixMqChannel(const Spec& spec, const std::string& name) : size_(spec.size_bytes), name_("/" + name) {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MSGQUEUE, &unlimited);  // root may; others have 800 KiB
    mq_attr attributes{};
    attributes.mq_msgsize = static_cast<long>(size_);
    // Without rights only /proc/sys/fs/mqueue/msg_max, usually ten.
    for (const std::uint64_t count : {spec.elements(size_), std::uint64_t{10}}) {
      attributes.mq_maxmsg = static_cast<long>(std::min<std::uint64_t>(count, 65536));
      queue_ = mq_open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
      if (queue_ >= 0) break;
    }
    if (queue_ < 0) throw_errno("mq_open");
    in_flight_ = static_cast<std::uint64_t>(attributes.mq_maxmsg) * size_;
    mq_unlink(name_.c_str());  // the workers inherit the descriptor
  }
  ~PosixMqChannel() { mq_close(queue_); }
  PosixMqChannel(const PosixMqChannel&) = delete;
  PosixMqChannel& operator=(const PosixMqChannel&) = delete;
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return in_flight_; }

  struct Sender {
    Sender(PosixMqChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_), buffer(channel.size_) {}
    void send(std::uint64_t value) {
      tool::fill(buffer, value);
      if (mq_send(queue, reinterpret_cast<const char*>(buffer.data()), buffer.size(), 0) != 0) throw_errno("mq_send");
    }
    mqd_t queue;
    std::vector<std::byte> buffer;
  };
  struct Receiver {
    Receiver(PosixMqChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_), buffer(channel.size_) {}
    std::uint64_t receive() {
      std::uint64_t value = 0;
      if (!receive(nullptr, value)) throw_errno("mq_receive");
      return value;
    }
    bool try_receive(std::uint64_t& value) {
      const timespec past{};
      return receive(&past, value);
    }
    bool receive(const timespec* until, std::uint64_t& value) {
      char* const place = reinterpret_cast<char*>(buffer.data());
      const ssize_t got = until == nullptr ? mq_receive(queue, place, buffer.size(), nullptr)
                                           : mq_timedreceive(queue, place, buffer.size(), nullptr, until);
      if (got < 0) return false;
      value = read_back(std::span(buffer).first(static_cast<std::size_t>(got)));
      return true;
    }
    mqd_t queue;
    std::vector<std::byte> buffer;
  };

 private:
  std::size_t size_;
  std::string name_;
  mqd_t queue_ = -1;
  std::uint64_t in_flight_ = 0;
};

}  // namespace

void add_kernel(Entries& entries) {
  add<PosixMqChannel>(entries, "posix-mq", "mq_send, mq_receive",
                      [](const Spec& spec) { return spec.size_bytes <= PosixMqChannel::most_bytes(); });
  add<DescriptorChannel<Kind::pipe>>(
      entries, "pipe", "write, read; pieces of a large message as they come",
      [](const Spec& spec) { return spec.producers == 1 || spec.size_bytes <= PIPE_BUF; });
  add<DescriptorChannel<Kind::stream>>(entries, "unix-stream", "socketpair, write, read",
                                       [](const Spec& spec) { return spec.producers == 1; });
  // A packet is one allocation of the kernel: it answers ENOBUFS to 16 MiB.
  add<DescriptorChannel<Kind::seqpacket>>(entries, "unix-seqpacket", "socketpair, write, read",
                                          [](const Spec& spec) { return spec.size_bytes <= 1U << 20; });
}

}  // namespace beltway::bench
