// What a request asks for: the path, the query and the body of an act, read and checked.
//
// Everything here comes from outside. What is not understood is refused with a text that says what is expected.
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace beltway::tool {

/// An answer that is an error: its HTTP status, and words for the user.
class WebRefusal : public std::runtime_error {
 public:
  WebRefusal(unsigned status, const std::string& why) : std::runtime_error(why), status_(status) {}
  [[nodiscard]] unsigned status() const noexcept { return status_; }

 private:
  unsigned status_;
};

/// A file of the page: "index.html".
struct FileRequest {
  std::string name;
};
struct FleetRequest {};
struct EventsRequest {};
struct MetricsRequest {
  std::uint64_t queues = 0;  ///< so many queues have series of their own
};
struct QueueRequest {
  std::string queue;
  std::int64_t history_since_s = 0;  ///< points of the history that are older are left out
};
struct MessagesRequest {
  std::string queue;
  std::string group = {};                  ///< empty: the whole ring
  std::optional<std::uint64_t> from = {};  ///< a position; nothing: the oldest
  std::uint64_t count = 50;
  std::uint64_t max_bytes = 4096;  ///< of each message
};

enum class WebAct : std::uint8_t { purge, reset, pause, resume, remove, evict, requeue, move };
[[nodiscard]] std::string_view name_of(WebAct act) noexcept;

struct ActRequest {
  WebAct act = WebAct::purge;
  std::string queue;
  std::string group = {};
  std::string to = {};                         ///< reset: oldest or latest; requeue, move: a queue
  std::optional<std::uint64_t> position = {};  ///< reset, move
  std::optional<std::uint64_t> consumer = {};  ///< evict
  std::uint64_t count = 0;                     ///< requeue: messages at most; 0: all
};

using WebRequest =
    std::variant<FileRequest, FleetRequest, EventsRequest, MetricsRequest, QueueRequest, MessagesRequest, ActRequest>;

/// Throws WebRefusal: 400 what makes no sense, 404 no such thing, 405 another method.
[[nodiscard]] WebRequest parse_web_request(std::string_view method, std::string_view target, std::string_view body);

/// The text with its %XX as bytes. Nothing: a % without two digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace beltway::tool
