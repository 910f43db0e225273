// The limits of the machine: what two processes can do that agree on everything beforehand and care for nothing.
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "candidates/endpoint.hpp"
#include "tool/process/exit_code.hpp"
#include "waiting/speculative_spin.hpp"

namespace beltway::bench {

using namespace beltway::waiting;

namespace {

using Word = std::atomic<std::uint64_t>;

/// Where a payload lies, and how it comes there.
enum class Payload : std::uint8_t {
  in_slot,  ///< 16 bytes behind the slot's word, where it is made
  copied,   ///< the same, made elsewhere first: what publish(bytes) has to do
  apart,    ///< in buffers of their own, as what is lent does; each word has a line to itself
  told,     ///< the same, and a reader learns where from the slot, as it must if sizes are not agreed on
};

/// Slots of the geometry that Beltway has for the same scenario: a word with a sequence number that says that the slot is
/// written, and the payload. With `ring` false a single slot, used again and again: for round trips. With `eager` looked at as
/// Beltway's consumers do, to tell what they owe to that.
template <bool ring, bool eager = false, Payload where = Payload::in_slot>
class RawSlots {
  static constexpr bool k_apart = where == Payload::apart || where == Payload::told;

 public:
  static constexpr Traits k_traits{.round_trips_only = !ring || eager};

  RawSlots(const Spec& spec, const std::string& /*name*/)
      : size_(spec.size_bytes),
        stride_(k_apart ? Spec::k_line_bytes : spec.slot()),
        slots_(ring ? spec.ring_slots() : 1),
        payload_(k_apart ? slots_ * stride_ : Spec::k_head_bytes),
        payload_stride_(k_apart ? spec.slot() : stride_),
        memory_(Spec::k_line_bytes + payload_ + slots_ * payload_stride_) {}

  [[nodiscard]] std::uint64_t bytes_in_flight() const { return slots_ * payload_stride_; }

  class Sender {
   public:
    Sender(RawSlots& channel, std::uint32_t /*index*/)
        : size_(channel.size_),
          stride_(channel.stride_),
          payload_(channel.payload_),
          payload_stride_(channel.payload_stride_),
          mask_(channel.slots_ - 1),
          base_(channel.slots()),
          consumed_(channel.consumed()),
          made_(where == Payload::copied ? size_ : 0) {}

    void send(std::uint64_t value) {
      if (ring && sent_ - seen_ > mask_) {
        tool::spin_until([&] {
          seen_ = consumed_.load(std::memory_order_acquire);  // pairs with the release in receive()
          return sent_ - seen_ <= mask_;
        });
      }
      std::byte* const slot = base_ + (sent_ & mask_) * stride_;
      const std::uint64_t offset = payload_ + (sent_ & mask_) * payload_stride_;
      if constexpr (where == Payload::copied) {
        tool::fill({made_.data(), size_}, value);
        std::memcpy(base_ + offset, made_.data(), size_);
      } else {
        tool::fill({base_ + offset, size_}, value);
      }
      if constexpr (where == Payload::told) std::memcpy(slot + sizeof(Word), &offset, sizeof offset);
      ++sent_;
      reinterpret_cast<Word*>(slot)->store(sent_, std::memory_order_release);  // pairs with the acquire in receive()
    }

   private:
    const std::size_t size_;
    const std::uint64_t stride_;
    const std::uint64_t payload_;
    const std::uint64_t payload_stride_;
    const std::uint64_t mask_;
    std::byte* const base_;
    Word& consumed_;
    std::vector<std::byte> made_;
    std::uint64_t sent_ = 0;
    std::uint64_t seen_ = 0;
  };

  class Receiver {
   public:
    Receiver(RawSlots& channel, std::uint32_t /*index*/)
        : size_(channel.size_),
          stride_(channel.stride_),
          payload_(channel.payload_),
          payload_stride_(channel.payload_stride_),
          mask_(channel.slots_ - 1),
          base_(channel.slots()),
          consumed_(channel.consumed()) {}

    std::uint64_t receive() {
      std::byte* const slot = base_ + (taken_ & mask_) * stride_;
      std::uint64_t offset = payload_ + (taken_ & mask_) * payload_stride_;
      ++taken_;
      const Word& word = *reinterpret_cast<Word*>(slot);
      const auto there = [&] { return word.load(std::memory_order_acquire) == taken_; };  // pairs with send()
      if constexpr (eager) {
        const auto& state = *reinterpret_cast<const detail::Word*>(slot);
        while (!speculative_spin(state, ~std::uint64_t{0}, taken_, k_looks) || !there()) sched_yield();
      } else {
        tool::spin_until(there);
      }
      if constexpr (where == Payload::told) std::memcpy(&offset, slot + sizeof(Word), sizeof offset);
      const std::uint64_t value = read_back({base_ + offset, size_});
      // A quarter of the ring at a time, so that the line of this word seldom travels. Pairs with the acquire in send().
      if (ring && (taken_ & (mask_ >> 2U)) == 0) consumed_.store(taken_, std::memory_order_release);
      return value;
    }

   private:
    static constexpr unsigned k_looks = 20'000;  // before it steps aside, as in spin_until()
    const std::size_t size_;
    const std::uint64_t stride_;
    const std::uint64_t payload_;
    const std::uint64_t payload_stride_;
    const std::uint64_t mask_;
    std::byte* const base_;
    Word& consumed_;
    std::uint64_t taken_ = 0;
  };

 private:
  [[nodiscard]] Word& consumed() const { return *reinterpret_cast<Word*>(memory_.data()); }
  [[nodiscard]] std::byte* slots() const { return memory_.data() + Spec::k_line_bytes; }

  std::size_t size_;
  std::uint64_t stride_;
  std::uint64_t slots_;
  std::uint64_t payload_;  // of slot 0, from there
  std::uint64_t payload_stride_;
  SharedMemory memory_;
};

/// memcpy by the leader alone, from a buffer in its caches to places that rotate over the footprint.
class RawMemcpy {
 public:
  static constexpr Traits k_traits{.throughput_only = true};

  RawMemcpy(const Spec& spec, const std::string& /*name*/)
      : size_(spec.size_bytes), slots_(spec.elements(spec.size_bytes)), memory_(slots_ * size_) {}
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return slots_ * size_; }

  struct Sender {
    Sender(RawMemcpy& channel, std::uint32_t /*index*/) : channel_(channel), source_(channel.size_) {}
    void send(std::uint64_t value) {
      std::memcpy(source_.data(), &value, sizeof value);
      std::memcpy(channel_.memory_.data() + (value & (channel_.slots_ - 1)) * channel_.size_, source_.data(),
                  channel_.size_);
      asm volatile("" ::: "memory");  // each copy is wanted, though nobody reads it
    }
    RawMemcpy& channel_;
    std::vector<std::byte> source_;
  };
  struct Receiver {
    Receiver(RawMemcpy& /*channel*/, std::uint32_t /*index*/) {}
    std::uint64_t receive() { return 0; }
  };

 private:
  std::size_t size_;
  std::uint64_t slots_;
  SharedMemory memory_;
};

/// Slots, and an eventfd to sleep on: the reader sleeps whenever it has read all.
class RawEventfd {
 public:
  static constexpr Traits k_traits{};

  RawEventfd(const Spec& spec, const std::string& name)
      : slots_(spec, name), fd_(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)) {
    if (fd_ < 0) throw tool::Failure(tool::ExitCode::failed, "bench: eventfd");
  }
  ~RawEventfd() { close(fd_); }
  RawEventfd(const RawEventfd&) = delete;
  RawEventfd& operator=(const RawEventfd&) = delete;
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return slots_.bytes_in_flight(); }

  struct Sender {
    Sender(RawEventfd& channel, std::uint32_t index) : fd_(channel.fd_), sender_(channel.slots_, index) {}
    void send(std::uint64_t value) {
      sender_.send(value);
      static_cast<void>(eventfd_write(fd_, 1));
    }
    int fd_;
    RawSlots<true>::Sender sender_;
  };
  struct Receiver {
    Receiver(RawEventfd& channel, std::uint32_t index) : fd_(channel.fd_), receiver_(channel.slots_, index) {}
    std::uint64_t receive() {
      eventfd_t count = 0;
      static_cast<void>(eventfd_read(fd_, &count));
      return receiver_.receive();
    }
    int fd_;
    RawSlots<true>::Receiver receiver_;
  };

 private:
  RawSlots<true> slots_;
  int fd_;
};

}  // namespace

void add_raw(Entries& entries) {
  add<RawSlots<false>>(entries, "raw-flag", "one flag, one buffer");
  add<RawSlots<true>>(entries, "raw-slots", "slots of Beltway's geometry, one sequence word each");
  add<RawSlots<true, false, Payload::copied>>(entries, "raw-slots-copy",
                                              "raw-slots, each message made elsewhere and copied");
  add<RawSlots<true, false, Payload::apart>>(entries, "raw-lanes",
                                             "words of a line each, and buffers beside them that rotate");
  add<RawSlots<true, false, Payload::told>>(entries, "raw-lanes-told",
                                            "raw-lanes, whose slots say where the buffer is");
  add<RawSlots<false, true>>(
      entries, "raw-flag-eager",
      "raw-flag, whose reader looks as Beltway's consumers do (src/waiting/speculative_spin.hpp)");
  add<RawSlots<true, true>>(entries, "raw-slots-eager", "raw-slots, likewise");
  add<RawMemcpy>(entries, "raw-memcpy", "one process copies over the same footprint");
  add<RawEventfd>(entries, "raw-eventfd", "raw-slots, and an eventfd that the reader sleeps on");
}

}  // namespace beltway::bench
