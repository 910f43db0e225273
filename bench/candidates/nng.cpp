// nng over ipc: push0 and pull0, messages written and read in place. The side that is one listens.
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

#include <algorithm>

#include "candidates/endpoint.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::bench {

namespace {

void check(int error, const char* call) {
  if (error != 0)
    throw tool::Failure(tool::ExitCode::failed, std::string("bench: ") + call + ": " + nng_strerror(error));
}

class NngChannel {
 public:
  static constexpr Traits k_traits{.many_producers = true, .shared = true};
  static constexpr std::uint64_t k_most_messages = 8192;  // of a buffer of nng

  NngChannel(const Spec& spec, const std::string& name)
      : size_(spec.size_bytes),
        limit_(static_cast<int>(std::min(spec.elements(size_) / 2, k_most_messages))),
        sender_listens_(spec.producers == 1),
        address_("ipc://" + spec.folder + "/" + name + ".nng") {}
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return 2 * static_cast<std::uint64_t>(limit_) * size_; }

  class Sender {
   public:
    Sender(NngChannel& channel, std::uint32_t /*index*/) : size_(channel.size_) {
      const Unpinned anywhere;
      check(nng_push0_open(&socket_), "nng_push0_open");
      nng_socket_set_int(socket_, NNG_OPT_SENDBUF, channel.limit_);
      channel.join(socket_, channel.sender_listens_);
    }
    void send(std::uint64_t value) {
      nng_msg* message = nullptr;
      check(nng_msg_alloc(&message, size_), "nng_msg_alloc");
      tool::fill({static_cast<std::byte*>(nng_msg_body(message)), size_}, value);
      check(nng_sendmsg(socket_, message, 0), "nng_sendmsg");
    }

   private:
    std::size_t size_;
    nng_socket socket_{};
  };

  class Receiver {
   public:
    Receiver(NngChannel& channel, std::uint32_t /*index*/) {
      const Unpinned anywhere;
      check(nng_pull0_open(&socket_), "nng_pull0_open");
      nng_socket_set_int(socket_, NNG_OPT_RECVBUF, channel.limit_);
      nng_socket_set_size(socket_, NNG_OPT_RECVMAXSZ, 0);  // no limit
      channel.join(socket_, !channel.sender_listens_);
    }
    std::uint64_t receive() {
      std::uint64_t value = 0;
      check(receive(0, value), "nng_recvmsg");
      return value;
    }
    bool try_receive(std::uint64_t& value) { return receive(NNG_FLAG_NONBLOCK, value) == 0; }

   private:
    int receive(int flags, std::uint64_t& value) {
      nng_msg* message = nullptr;
      const int error = nng_recvmsg(socket_, &message, flags);
      if (error != 0) return error;
      value = read_back({static_cast<std::byte*>(nng_msg_body(message)), nng_msg_len(message)});
      nng_msg_free(message);
      return 0;
    }
    nng_socket socket_{};
  };

 private:
  void join(nng_socket socket, bool listens) const {
    // A dial that comes too early is tried again in the background.
    if (listens) return check(nng_listen(socket, address_.c_str(), nullptr, 0), "nng_listen");
    check(nng_dial(socket, address_.c_str(), nullptr, NNG_FLAG_NONBLOCK), "nng_dial");
  }

  std::size_t size_;
  int limit_;  // half of what is in flight: it holds on either side
  bool sender_listens_;
  std::string address_;
};

}  // namespace

void add_nng(Entries& entries) { add<NngChannel>(entries, "nng", "ipc, push0 and pull0, nng_msg in place"); }

}  // namespace beltway::bench
