#include "tool/top/observer.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <utility>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

Observer::Observer(TopSource& source, std::chrono::nanoseconds interval)
    : source_(source), interval_(interval), news_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!news_) throw Failure(ExitCode::failed, std::string("top: make an eventfd: ") + std::strerror(errno));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Observer::~Observer() {
  thread_.request_stop();
  actor_.request_stop();
}

template <class Change>
void Observer::post(const Change& change) {
  {
    const std::lock_guard lock(mutex_);
    change(pending_);
  }
  const std::uint64_t one = 1;
  // A full counter is readable, too.
  [[maybe_unused]] const auto written = ::write(news_.get(), &one, sizeof(one));
}

void Observer::sample() {
  std::shared_ptr<const watch::Fleet> fleet = source_.sample();
  const std::int64_t at_s = std::time(nullptr);
  post([&](News& news) {
    news.fleet = fleet;
    news.at_s = at_s;
  });
}

void Observer::look() {
  if (watched_.empty()) return;
  LookResult result = source_.look(watched_);
  post([&](News& news) { news.look = std::pair(watched_, std::move(result)); });
}

void Observer::run(const std::stop_token& stop) {
  auto next = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    asked_.wait_until(lock, stop, next, [this] { return !requests_.empty(); });
    if (stop.stop_requested()) return;
    if (!requests_.empty()) {
      const Request request = std::move(requests_.front());
      requests_.pop_front();
      lock.unlock();
      handle(request);
      continue;
    }
    lock.unlock();
    next = std::chrono::steady_clock::now() + interval_;
    sample();
    look();
  }
}

void Observer::handle(const Request& request) {
  if (const auto* watched = std::get_if<screen_request::Watch>(&request)) {
    watched_ = watched->queue;
    look();
  } else if (std::holds_alternative<screen_request::Refresh>(request)) {
    sample();
    look();
  } else if (const auto* list = std::get_if<screen_request::Messages>(&request)) {
    auto result = std::make_shared<const MessageList>(source_.messages(list->queue, list->group, list->from));
    post([&](News& news) { news.messages = result; });
  } else if (const auto* one = std::get_if<screen_request::Message>(&request)) {
    auto result = std::make_shared<const OpenMessage>(source_.message(one->queue, one->group, one->position));
    post([&](News& news) { news.message = result; });
  } else if (const auto* search = std::get_if<screen_request::Search>(&request)) {
    SearchResult result = source_.search(search->queue, search->group, search->text, search->after);
    post([&](News& news) { news.search = std::move(result); });
  }
}

void Observer::start(const Act& act) {
  // The state machine asks for one act at a time: the thread of the last one has ended, or is about to.
  actor_ = std::jthread([this, act](const std::stop_token& stop) {
    ActResult result = source_.perform(act, stop);
    post([&](News& news) { news.act = std::move(result); });
    ask(screen_request::Refresh{});
  });
}

void Observer::ask(Request request) {
  if (const auto* perform = std::get_if<screen_request::Perform>(&request)) {
    start(perform->act);
    return;
  }
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
  asked_.notify_one();
}

void Observer::take(TopState& state, TopData& data) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(news_.get(), &count, sizeof(count));
  News news;
  {
    const std::lock_guard lock(mutex_);
    news = std::exchange(pending_, {});
  }
  if (news.fleet) {
    data.fleet = news.fleet;
    data.at_s = news.at_s;
  }
  if (news.look && news.look->first == state.open_queue) {  // and not of the queue that was open before
    data.open = news.look->second.open;
    data.open_trouble = news.look->second.trouble;
  }
  if (news.messages) data.messages = news.messages;
  if (news.message) data.message = news.message;
  settle(state, data);
  if (news.act) {
    for (Request& request : on_act_end(state, *news.act)) ask(std::move(request));
  }
  if (!news.search) return;
  for (Request& request : on_search_end(state, data, news.search->position)) ask(std::move(request));
  if (!news.search->trouble.empty()) state.status = news.search->trouble;
}

}  // namespace beltway::tool
