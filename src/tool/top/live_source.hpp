// The data of the screen from a living daemon's queues.
// Thread safety: as TopSource.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "beltway/connection.hpp"
#include "tool/top/top_source.hpp"
#include "watch/watcher.hpp"

namespace beltway::tool {

/// Does an act with this process's rights. Throws Error and Failure for what is refused.
using ActFunction = std::function<std::string(const Connection&, const Act&, const std::stop_token&)>;

class LiveSource final : public TopSource {
 public:
  /// Throws Error(no_daemon) if none answers.
  LiveSource(const watch::WatcherOptions& options, ActFunction act);

  [[nodiscard]] std::shared_ptr<const watch::Fleet> sample() override;
  [[nodiscard]] LookResult look(const std::string& queue) override;
  [[nodiscard]] MessageList messages(const std::string& queue, const std::string& group,
                                     std::optional<std::uint64_t> from) override;
  [[nodiscard]] OpenMessage message(const std::string& queue, const std::string& group,
                                    std::uint64_t position) override;
  [[nodiscard]] SearchResult search(const std::string& queue, const std::string& group, const std::string& text,
                                    std::uint64_t after) override;
  [[nodiscard]] ActResult perform(const Act& act, const std::stop_token& stop) override;

 private:
  watch::Watcher watcher_;
  Connection connection_;
  ActFunction act_;
  std::map<std::uint32_t, std::string> users_;
};

}  // namespace beltway::tool
