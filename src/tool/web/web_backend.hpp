// What stands behind the server: it samples the daemon's queues once a second, and answers requests that may block.
//
// Two threads: one looks (Watcher), one asks the daemon (acts and messages). So a daemon that is silent does not stop the view.
// Rights are those of this process: the daemon and the queues' modes decide, as for each command of the tool.
// Thread safety: all members from any thread. Callbacks run on one of the two threads, and must not block.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "beltway/connection.hpp"
#include "tool/web/web_news.hpp"
#include "tool/web/web_request.hpp"
#include "tool/web/web_worker.hpp"
#include "watch/watcher.hpp"

namespace beltway::tool {

struct WebAnswer {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body = {};
};

/// {"error": why}.
[[nodiscard]] WebAnswer error_answer(unsigned status, const std::string& why);

class WebBackend {
 public:
  using Reply = std::function<void(WebAnswer)>;
  using NewsReply = std::function<void(WebNews::Text)>;

  /// Throws Error(no_daemon) if none answers; starts none.
  WebBackend(const ConnectionOptions& connection, std::chrono::seconds history, bool read_only);

  /// Begins to sample. `on_news` gets what each sample changes.
  void start(NewsReply on_news);
  /// Ends the threads; no callback runs afterwards.
  void stop();

  /// Answers once. False: too many requests wait already, and it will not answer.
  [[nodiscard]] bool ask(const WebRequest& request, Reply reply);
  /// The whole state for a new reader; what on_news gets later comes after it.
  [[nodiscard]] bool ask_whole(NewsReply reply);

 private:
  void sample();
  WebAnswer look(const WebRequest& request);
  WebAnswer fleet();
  WebAnswer queue(const QueueRequest& request);
  WebAnswer metrics(const MetricsRequest& request);

  Connection connection_;   // of the thread that asks
  watch::Watcher watcher_;  // this and all below: of the thread that looks
  WebNews news_;
  NewsReply on_news_;
  std::map<std::string, watch::QueueDetail> details_;  // since the last sample: one scan for all who ask
  std::atomic<bool> acted_{false};                     // an act has changed what they show
  std::unique_ptr<WebWorker> looking_;
  std::unique_ptr<WebWorker> asking_;
};

}  // namespace beltway::tool
