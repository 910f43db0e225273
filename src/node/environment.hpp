// What one JavaScript environment has of this module: the main thread of a process, or one of its workers. The module is loaded
// once in a process, and each environment has an object of this class. And descriptors that an environment's event loop watches.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <unordered_set>

namespace beltway::node {

class LoopPoll;

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  /// Makes the object of this environment, and sees to its end.
  static Environment& create(napi_env env);
  /// Null before create(), and when the environment is gone.
  [[nodiscard]] static Environment* of(napi_env env) noexcept;

  explicit Environment(napi_env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() = default;

  [[nodiscard]] napi_env env() const noexcept { return env_; }
  [[nodiscard]] uv_loop_t* loop() const noexcept { return loop_; }
  /// The function of the JavaScript side that makes a BeltwayError.
  [[nodiscard]] napi_ref error_maker() const noexcept { return error_maker_; }
  void set_error_maker(napi_value function);

  /// Calls a function of JavaScript from the event loop, and then what it has made due: promises, process.nextTick(). An
  /// exception is uncaught, as one of any callback of Node. No effect while the environment ends.
  void call(napi_ref function) noexcept;

 private:
  friend class LoopPoll;
  static void begin_end(napi_async_cleanup_hook_handle hook, void* self);
  void closed_one() noexcept;

  napi_env env_;
  uv_loop_t* loop_ = nullptr;
  napi_ref error_maker_ = nullptr;
  napi_async_context context_ = nullptr;
  std::unordered_set<LoopPoll*> polls_;
  std::size_t closing_ = 0;  // handles that libuv has not given back
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool is_ending_ = false;
};

/// Watches a descriptor in the event loop of an environment. It keeps the loop alive only while it is awaited.
class LoopPoll {
 public:
  /// Calls `ready` in the loop's thread while the descriptor is readable and awaited.
  LoopPoll(Environment& environment, int fd, std::function<void()> ready);
  LoopPoll(const LoopPoll&) = delete;
  LoopPoll& operator=(const LoopPoll&) = delete;
  /// Afterwards the descriptor may be closed.
  ~LoopPoll();

  /// Calls `ready` from now on.
  void await() noexcept;
  /// Calls nothing any more, and lets the loop end.
  void ignore() noexcept;

 private:
  friend class Environment;
  struct Handle {  // libuv owns it until it is closed
    uv_poll_t poll{};
    LoopPoll* owner = nullptr;
    std::shared_ptr<Environment> environment;
  };
  static void on_event(uv_poll_t* poll, int status, int events);
  void close() noexcept;

  Environment& environment_;
  std::function<void()> ready_;
  Handle* handle_;  // null: closed
  bool is_awaited_ = false;
  bool is_started_ = false;
};

}  // namespace beltway::node
