#include "choices.hpp"

#include <cstdio>
#include <cstdlib>

namespace beltway::explore {

bool Choices::next() noexcept {
  made_.resize(at_);
  while (!made_.empty() && made_.back().chosen + 1U >= made_.back().count) made_.pop_back();
  at_ = 0;
  if (made_.empty()) return false;
  ++made_.back().chosen;
  return true;
}

std::uint64_t Choices::roll() noexcept {
  // xorshift64: the same lists on every machine.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_ >> 11;
}

unsigned Choices::choose(unsigned count, unsigned odds) noexcept {
  if (count <= 1) return 0;
  if (at_ < made_.size()) {
    const Choice choice = made_[at_++];
    if (choice.count == count) return choice.chosen;
    std::fputs("explorer: the scenario does not run the same way twice\n", stderr);
    std::abort();
  }
  if (at_ >= k_most) {
    std::fputs("explorer: too many choices in one execution\n", stderr);
    std::abort();
  }
  unsigned chosen = 0;
  if (random_ != 0 && roll() % odds == 0) chosen = 1 + static_cast<unsigned>(roll() % (count - 1));
  made_.push_back({static_cast<std::uint8_t>(chosen), static_cast<std::uint8_t>(count)});
  ++at_;
  return chosen;
}

}  // namespace beltway::explore
