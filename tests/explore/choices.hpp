// The list of choices that makes a schedule, and the walk over all such lists, depth first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace beltway::explore {

class Choices {
 public:
  Choices() { made_.reserve(k_most); }

  /// Begins a walk over all lists.
  void begin() noexcept {
    made_.clear();
    at_ = 0;
    random_ = 0;
  }
  /// Begins one list at random.
  void begin_random(std::uint64_t seed) noexcept {
    begin();
    random_ = seed * 0x9e3779b97f4a7c15ULL | 1U;
  }
  /// The same list once more.
  void again() noexcept {
    at_ = 0;
    random_ = 0;
  }
  /// Moves to the next list. False if there is none.
  bool next() noexcept;

  /// One of `count` ways to go on; 0 is the ordinary one. At random another is taken once in `odds` times.
  unsigned choose(unsigned count, unsigned odds) noexcept;

 private:
  static constexpr std::size_t k_most = 1 << 16;
  struct Choice {
    std::uint8_t chosen;
    std::uint8_t count;
  };
  std::uint64_t roll() noexcept;

  std::vector<Choice> made_;
  std::size_t at_ = 0;
  std::uint64_t random_ = 0;  // 0: not at random
};

}  // namespace beltway::explore
