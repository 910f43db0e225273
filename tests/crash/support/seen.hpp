// Which images were checked already: equal ones need be checked once.
#pragma once

#include <cstdint>
#include <unordered_set>

namespace beltway::crash {

class Seen {
 public:
  /// True the first time.
  bool is_new(std::uint64_t hash) {
    if (hash == last_) return false;  // most instructions write nothing
    last_ = hash;
    return hashes_.insert(hash).second;
  }

 private:
  std::uint64_t last_ = 0;
  std::unordered_set<std::uint64_t> hashes_;
};

}  // namespace beltway::crash
