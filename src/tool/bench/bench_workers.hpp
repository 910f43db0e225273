// The worker processes of a bench: forked from a parent of one thread, pinned, gone with their parent, and heard when they
// fail.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "tool/bench/bench_shared.hpp"

namespace beltway::tool {

/// None survives this object.
class Workers {
 public:
  /// Forks `count` processes; each waits for `shared.go`, calls `work(its number)` and ends. Worker n is pinned to
  /// processors[n] if there is such an entry. `count` is at least one. Throws Failure.
  Workers(BenchShared& shared, std::uint32_t count, const std::vector<int>& processors,
          const std::function<void(std::uint32_t worker)>& work);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// True while a worker runs and none has failed.
  [[nodiscard]] bool going_well();

  /// Throws Failure with the first failed worker's words, if one failed.
  void throw_failure() const;

 private:
  BenchShared& shared_;
  std::vector<pid_t> running_;
  bool failed_ = false;
};

}  // namespace beltway::tool
