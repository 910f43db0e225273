// The threads behind the screen: one samples and fetches, another one does an act. So keys are answered at once, also while the
// daemon is silent.
// Thread safety: all members are for one thread, the screen's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "os/fd.hpp"
#include "tool/top/top_source.hpp"
#include "tool/top/top_state.hpp"

namespace beltway::tool {

class Observer {
 public:
  /// Samples at once, and then once each `interval`. `source` must outlive it.
  Observer(TopSource& source, std::chrono::nanoseconds interval);
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  /// Asks a running act to stop, and waits for its end.
  ~Observer();

  /// Readable when there is news.
  [[nodiscard]] int poll_fd() const noexcept { return news_.get(); }
  /// Takes the news over.
  void take(TopState& state, TopData& data);
  /// Anything but screen_request::Quit.
  void ask(Request request);

 private:
  /// What has come since the last take(). Each member replaces what the screen has.
  struct News {
    std::shared_ptr<const watch::Fleet> fleet = {};
    std::int64_t at_s = 0;
    std::optional<std::pair<std::string, LookResult>> look = {};  ///< of this queue
    std::shared_ptr<const MessageList> messages = {};
    std::shared_ptr<const OpenMessage> message = {};
    std::optional<SearchResult> search = {};
    std::optional<ActResult> act = {};
  };

  void run(const std::stop_token& stop);
  void sample();
  void look();
  void handle(const Request& request);
  void start(const Act& act);
  /// Changes the news and wakes the screen.
  template <class Change>
  void post(const Change& change);

  TopSource& source_;
  std::chrono::nanoseconds interval_;
  os::Fd news_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::deque<Request> requests_;
  News pending_;
  std::string watched_;  // by run() alone
  std::jthread actor_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace beltway::tool
