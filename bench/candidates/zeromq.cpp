// ZeroMQ over ipc: PUSH and PULL, messages written and read in place. The side that is one binds.
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "candidates/endpoint.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::bench {

namespace {

[[noreturn]] void throw_zmq(const char* call) {
  throw tool::Failure(tool::ExitCode::failed, std::string("bench: ") + call + ": " + zmq_strerror(zmq_errno()));
}

/// One for the process, with its one thread for input and output; ended with it.
void* context() {
  static void* const made = [] {
    const Unpinned anywhere;
    void* const context = zmq_ctx_new();
    zmq_close(zmq_socket(context, ZMQ_PAIR));  // starts the thread
    return context;
  }();
  return made;
}

class ZeromqChannel {
 public:
  static constexpr Traits k_traits{.many_producers = true, .shared = true};

  ZeromqChannel(const Spec& spec, const std::string& name)
      : size_(spec.size_bytes),
        limit_(static_cast<int>(std::min<std::uint64_t>(spec.elements(size_) / 2, INT_MAX))),
        sender_binds_(spec.producers == 1),
        address_("ipc://" + spec.folder + "/" + name + ".zmq") {}
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return 2 * static_cast<std::uint64_t>(limit_) * size_; }

  class Sender {
   public:
    Sender(ZeromqChannel& channel, std::uint32_t /*index*/)
        : size_(channel.size_), socket_(channel.socket(ZMQ_PUSH, channel.sender_binds_)) {}
    void send(std::uint64_t value) {
      zmq_msg_t message;
      if (zmq_msg_init_size(&message, size_) != 0) throw_zmq("zmq_msg_init_size");
      tool::fill({static_cast<std::byte*>(zmq_msg_data(&message)), size_}, value);
      while (zmq_msg_send(&message, socket_, 0) < 0) {
        if (zmq_errno() != EINTR) throw_zmq("zmq_msg_send");
      }
    }

   private:
    std::size_t size_;
    void* socket_;
  };

  class Receiver {
   public:
    Receiver(ZeromqChannel& channel, std::uint32_t /*index*/)
        : socket_(channel.socket(ZMQ_PULL, !channel.sender_binds_)) {}
    std::uint64_t receive() {
      std::uint64_t value = 0;
      if (!receive(0, value)) throw_zmq("zmq_msg_recv");
      return value;
    }
    bool try_receive(std::uint64_t& value) { return receive(ZMQ_DONTWAIT, value); }

   private:
    bool receive(int flags, std::uint64_t& value) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      const int got = zmq_msg_recv(&message, socket_, flags);
      if (got >= 0) value = read_back({static_cast<std::byte*>(zmq_msg_data(&message)), zmq_msg_size(&message)});
      zmq_msg_close(&message);
      return got >= 0;
    }
    void* socket_;
  };

 private:
  [[nodiscard]] void* socket(int type, bool binds) const {
    void* const made = zmq_socket(context(), type);
    const int no_linger = 0;
    zmq_setsockopt(made, ZMQ_SNDHWM, &limit_, sizeof limit_);
    zmq_setsockopt(made, ZMQ_RCVHWM, &limit_, sizeof limit_);
    zmq_setsockopt(made, ZMQ_LINGER, &no_linger, sizeof no_linger);
    if ((binds ? zmq_bind(made, address_.c_str()) : zmq_connect(made, address_.c_str())) != 0) throw_zmq("zmq_bind");
    return made;
  }

  std::size_t size_;
  int limit_;  // half of what is in flight: it holds on either side
  bool sender_binds_;
  std::string address_;
};

}  // namespace

void add_zeromq(Entries& entries) { add<ZeromqChannel>(entries, "zeromq", "ipc, PUSH and PULL, zmq_msg in place"); }

}  // namespace beltway::bench
