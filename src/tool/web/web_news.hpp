// What the live stream tells: the whole fleet once, then what has changed since the last sample.
//
// A row is a queue as the page's table shows it. Its text is compared with that of the last sample: an idle queue costs a reader
// nothing. Messages and payloads are never a part of it.
// Thread safety: one thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "watch/model.hpp"

namespace beltway::tool {

class WebNews {
 public:
  using Text = std::shared_ptr<const std::string>;

  /// `server`: what the page shows of the server, as JSON; it stands in each event.
  explicit WebNews(std::string server) : server_(std::move(server)) {}

  /// Takes the next sample. Returns the event that tells readers what has changed.
  Text update(const watch::Fleet& fleet);
  /// The event that tells a new reader all, as of the last update; there must have been one. With each queue's last minute.
  [[nodiscard]] Text whole();

 private:
  std::string server_;
  std::unordered_map<std::string, std::string> rows_;  // queue to its row, as JSON
  std::string head_;                                   // all but the rows, as members of an object
  const watch::Fleet* fleet_ = nullptr;
  Text whole_;
};

}  // namespace beltway::tool
