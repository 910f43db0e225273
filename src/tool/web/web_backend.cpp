// See web_backend.hpp.
#include "tool/web/web_backend.hpp"

#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "beltway/error.hpp"
#include "beltway/version.hpp"
#include "tool/web/web_acts.hpp"
#include "tool/web/web_limits.hpp"
#include "watch/json.hpp"
#include "watch/metrics_text.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

using watch::Json;

/// As many as a wide screen has room for.
constexpr std::size_t k_strip_cells = 256;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

unsigned http_status_of(Errc reason) noexcept {
  switch (reason) {
    case Errc::invalid_option: return 400;
    case Errc::not_found:
    case Errc::removed: return 404;
    case Errc::no_permission: return 403;
    case Errc::no_daemon: return 503;
    case Errc::system: return 500;
    default: return 409;
  }
}

/// What `work` returns, or its error as an answer.
template <class Work>
WebAnswer answer_of(const Work& work) {
  try {
    return work();
  } catch (const WebRefusal& refusal) {
    return error_answer(refusal.status(), refusal.what());
  } catch (const Error& error) {
    return error_answer(http_status_of(error.reason()), error.what());
  } catch (const std::exception& error) {
    return error_answer(500, error.what());
  }
}

/// What the page says of this process.
std::string server_facts(bool read_only) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return text_of(Json{
      {"read_only", read_only}, {"user", watch::user_name(geteuid())}, {"host", host.data()}, {"version", k_version}});
}

void leave_out_before(std::vector<watch::HistoryPoint>& history, std::int64_t since_s) {
  std::erase_if(history, [since_s](const watch::HistoryPoint& point) { return point.at_s < since_s; });
}

}  // namespace

WebAnswer error_answer(unsigned status, const std::string& why) {
  return {.status = status, .body = text_of(Json{{"error", why}})};
}

WebBackend::WebBackend(const ConnectionOptions& connection, std::chrono::seconds history, bool read_only)
    : connection_(Connection::open(connection)),
      watcher_({.connection = connection, .history = history, .strip_cells = k_strip_cells}),
      news_(server_facts(read_only)) {}

void WebBackend::start(NewsReply on_news) {
  on_news_ = std::move(on_news);
  asking_ = std::make_unique<WebWorker>(k_max_web_waiting_requests);
  looking_ = std::make_unique<WebWorker>(k_max_web_waiting_requests, [this] { sample(); });
}

void WebBackend::stop() {
  looking_.reset();
  asking_.reset();
}

void WebBackend::sample() {
  watcher_.sample();
  details_.clear();
  on_news_(news_.update(watcher_.fleet()));
}

bool WebBackend::ask(const WebRequest& request, Reply reply) {
  if (std::holds_alternative<ActRequest>(request) || std::holds_alternative<MessagesRequest>(request)) {
    return asking_->offer([this, request, reply = std::move(reply)] {
      reply(answer_of([&]() -> WebAnswer {
        if (const auto* const messages = std::get_if<MessagesRequest>(&request))
          return {.body = text_of(messages_json(connection_, *messages))};
        const std::string result = text_of(perform(connection_, std::get<ActRequest>(request)));
        acted_.store(true, std::memory_order_relaxed);
        return {.body = result};
      }));
    });
  }
  return looking_->offer(
      [this, request, reply = std::move(reply)] { reply(answer_of([&] { return look(request); })); });
}

bool WebBackend::ask_whole(NewsReply reply) {
  return looking_->offer([this, reply = std::move(reply)] { reply(news_.whole()); });
}

WebAnswer WebBackend::look(const WebRequest& request) {
  if (acted_.exchange(false, std::memory_order_relaxed)) details_.clear();
  if (const auto* const one = std::get_if<QueueRequest>(&request)) return queue(*one);
  if (const auto* const scrape = std::get_if<MetricsRequest>(&request)) return metrics(*scrape);
  return fleet();
}

WebAnswer WebBackend::fleet() { return {.body = text_of(watch::to_json(watcher_.fleet()))}; }

WebAnswer WebBackend::queue(const QueueRequest& request) {
  auto found = details_.find(request.queue);
  if (found == details_.end()) {
    std::optional<watch::QueueDetail> detail = watcher_.detail(request.queue);
    if (!detail) return error_answer(404, "queue \"" + request.queue + "\": it does not exist, or you may not read it");
    found = details_.emplace(request.queue, std::move(*detail)).first;
  }
  if (request.history_since_s == 0) return {.body = text_of(watch::to_json(found->second))};
  watch::QueueDetail shorter = found->second;
  leave_out_before(shorter.view.history, request.history_since_s);
  return {.body = text_of(watch::to_json(shorter))};
}

WebAnswer WebBackend::metrics(const MetricsRequest& request) {
  const watch::MetricsOptions options{.per_queue = request.queues != 0,
                                      .max_queues = static_cast<std::size_t>(request.queues)};
  if (options.per_queue) watcher_.count_ages();
  return {.type = watch::k_metrics_content_type, .body = watch::metrics_text(watcher_.fleet(), options)};
}

}  // namespace beltway::tool
