// A ledger in memory that the test's processes share: what each producer has begun and committed, and how often each message was
// seen. It survives whoever is killed, since it belongs to the test and not to Beltway.
//
// Thread safety: any number of processes; each cell is an atomic.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <string>

namespace beltway::test {

class Ledger {
 public:
  static constexpr std::uint32_t k_producers = 8;
  static constexpr std::uint64_t k_messages = 1 << 18;  // of one producer, at most
  static constexpr std::uint32_t k_readers = 4;         // groups and private consumers that see everything

  Ledger() {
    void* const memory = ::mmap(nullptr, sizeof(Pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    pages_ = static_cast<Pages*>(memory);
  }
  ~Ledger() { ::munmap(pages_, sizeof(Pages)); }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// The next number that a producer has not begun; now begun.
  std::uint64_t begin(std::uint32_t producer) { return pages_->begun[producer].fetch_add(1); }
  /// Likewise of a producer that knows its number.
  void begin_at(std::uint32_t producer, std::uint64_t number) { pages_->begun[producer].store(number + 1); }
  /// What the first producer of that number gave for `sequence`.
  std::uint64_t first_sequence(std::uint32_t producer, std::uint64_t sequence) {
    std::uint64_t unset = 0;
    pages_->first_sequences[producer].compare_exchange_strong(unset, sequence + 1);
    return pages_->first_sequences[producer].load() - 1;
  }
  /// The producer's publish of `number` has returned.
  void committed(std::uint32_t producer, std::uint64_t number) { pages_->sent[producer][number].store(1); }
  /// Returns how often that reader had seen it before.
  unsigned saw(std::uint32_t reader, std::uint32_t producer, std::uint64_t number) {
    return pages_->seen[reader][producer][number % k_messages].fetch_add(1);
  }

  /// A consumer of a group that gives messages up is about to acknowledge it.
  void ends(std::uint32_t producer, std::uint64_t number) { pages_->ended[producer][number % k_messages].store(1); }
  /// It came to the dead letter queue.
  void died(std::uint32_t producer, std::uint64_t number) { pages_->dead[producer][number % k_messages].fetch_add(1); }

  [[nodiscard]] std::uint64_t begun(std::uint32_t producer) const { return pages_->begun[producer].load(); }
  [[nodiscard]] std::uint64_t begun() const {
    std::uint64_t sum = 0;
    for (const auto& count : pages_->begun) sum += count.load();
    return sum;
  }
  std::atomic<bool>& stop() { return pages_->stop; }
  /// Anything the processes count together.
  std::atomic<std::uint64_t>& tally(unsigned index) { return pages_->tallies[index]; }

  /// Messages that were committed, without those that `may_expire`.
  [[nodiscard]] std::uint64_t committed(bool (*may_expire)(std::uint64_t number)) const {
    std::uint64_t sum = 0;
    for (const auto& producer : pages_->sent) {
      for (std::uint64_t number = 0; number < k_messages; ++number)
        sum += may_expire(number) ? 0 : producer[number].load();
    }
    return sum;
  }

  /// Empty if a reader saw every committed message (exactly once, if told so) and none that was never begun. It may have missed
  /// those that `may_expire`.
  [[nodiscard]] std::string judge(std::uint32_t reader, bool exactly_once,
                                  bool (*may_expire)(std::uint64_t number) = nullptr) const {
    for (std::uint32_t producer = 0; producer < k_producers; ++producer) {
      const std::uint64_t begun = pages_->begun[producer].load();
      for (std::uint64_t number = 0; number < k_messages; ++number) {
        const unsigned times = pages_->seen[reader][producer][number].load();
        const bool sent = pages_->sent[producer][number].load() != 0;
        const std::string which = "message " + std::to_string(number) + " of producer " + std::to_string(producer);
        const bool expires = may_expire != nullptr && may_expire(number);
        if (sent && times == 0 && !expires) return which + " was committed and never seen";
        if (exactly_once && times > 1) return which + " was seen " + std::to_string(times) + " times";
        if (times != 0 && number >= begun) return which + " was never sent";
      }
    }
    return {};
  }

  /// Empty if every committed message was acknowledged or came to the dead letter queue, and those that `is_rejected` only there.
  [[nodiscard]] std::string judge_ends(bool (*is_rejected)(std::uint64_t number)) const {
    for (std::uint32_t producer = 0; producer < k_producers; ++producer) {
      for (std::uint64_t number = 0; number < k_messages; ++number) {
        if (pages_->sent[producer][number].load() == 0) continue;
        const bool ended = pages_->ended[producer][number].load() != 0;
        const bool dead = pages_->dead[producer][number].load() != 0;
        const std::string which = "message " + std::to_string(number) + " of producer " + std::to_string(producer);
        if (!ended && !dead) return which + " was neither acknowledged nor given up";
        if (is_rejected(number) && !dead) return which + " was rejected and is no dead letter";
      }
    }
    return {};
  }

 private:
  struct Pages {
    std::atomic<bool> stop;
    std::atomic<std::uint64_t> tallies[8];
    std::atomic<std::uint64_t> begun[k_producers];
    std::atomic<std::uint64_t> first_sequences[k_producers];
    std::atomic<std::uint8_t> sent[k_producers][k_messages];
    std::atomic<std::uint8_t> seen[k_readers][k_producers][k_messages];
    std::atomic<std::uint8_t> ended[k_producers][k_messages];
    std::atomic<std::uint8_t> dead[k_producers][k_messages];
  };
  Pages* pages_;
};

}  // namespace beltway::test
