// What `pub` and `sub` say at the end: figures for people, a digest for comparing, both as JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tool/text/digest.hpp"

namespace beltway::tool {

/// Times itself from its construction to print().
struct Summary {
  explicit Summary(std::string queue_name) : queue(std::move(queue_name)) {}

  struct How {
    bool json = false;
    bool people = false;             ///< figures on standard error
    bool on_standard_error = false;  ///< the digest and JSON too: standard output is taken by messages
  };
  /// JSON: one object with everything. Otherwise the digest's line if there is one, and the figures if asked for.
  void print(const How& how) const;

  std::string queue;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> skipped;      ///< pub --producer only: messages that were published before
  std::optional<std::uint64_t> lost;         ///< sub only
  std::optional<std::uint64_t> redelivered;  ///< sub only
  std::optional<double>
      first_to_last_seconds;  ///< sub only: without the waits before and behind; if it got two batches
  std::string end;            ///< sub only: why it ended
  std::optional<Digest> digest;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace beltway::tool
