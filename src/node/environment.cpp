#include "node/environment.hpp"

#include <string>
#include <utility>
#include <vector>

#include "beltway/error.hpp"
#include "node/napi.hpp"

namespace beltway::node {

Environment& Environment::create(napi_env env) {
  auto self = std::make_shared<Environment>(env);
  const auto forget = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Environment>*>(data); };
  auto owner = std::make_unique<std::shared_ptr<Environment>>(self);
  check(env, napi_set_instance_data(env, owner.get(), forget, nullptr));
  static_cast<void>(owner.release());
  check(env, napi_add_async_cleanup_hook(env, begin_end, self.get(), &self->hook_));
  return *self;
}

Environment* Environment::of(napi_env env) noexcept {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok || data == nullptr) return nullptr;
  return static_cast<std::shared_ptr<Environment>*>(data)->get();
}

Environment::Environment(napi_env env) : env_(env) {
  check(env, napi_get_uv_event_loop(env, &loop_));
  check(env, napi_async_init(env, nullptr, to_js(env, std::string_view("Beltway")), &context_));
}

void Environment::set_error_maker(napi_value function) {
  check(env_, napi_create_reference(env_, function, 1, &error_maker_));
}

void Environment::call(napi_ref function) noexcept {
  if (is_ending_) return;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value callee = nullptr;
  napi_value receiver = nullptr;
  napi_get_reference_value(env_, function, &callee);
  napi_get_global(env_, &receiver);
  if (callee != nullptr &&
      napi_make_callback(env_, context_, receiver, callee, 0, nullptr, nullptr) == napi_pending_exception) {
    napi_value exception = nullptr;
    if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
  }
  napi_close_handle_scope(env_, scope);
}

// Node waits for what libuv gives back before it ends the loop of a worker.
void Environment::begin_end(napi_async_cleanup_hook_handle hook, void* self) {
  const auto environment = static_cast<Environment*>(self)->shared_from_this();
  environment->hook_ = hook;
  environment->is_ending_ = true;
  const std::vector<LoopPoll*> polls(environment->polls_.begin(), environment->polls_.end());
  for (LoopPoll* const each : polls) each->close();
  if (environment->closing_ == 0) napi_remove_async_cleanup_hook(hook);
}

void Environment::closed_one() noexcept {
  if (--closing_ == 0 && is_ending_) napi_remove_async_cleanup_hook(hook_);
}

LoopPoll::LoopPoll(Environment& environment, int fd, std::function<void()> ready)
    : environment_(environment), ready_(std::move(ready)), handle_(new Handle) {
  handle_->owner = this;
  handle_->environment = environment.shared_from_this();
  handle_->poll.data = handle_;
  if (const int failure = uv_poll_init(environment.loop(), &handle_->poll, fd); failure != 0) {
    delete handle_;
    throw Error(Errc::system, std::string("event loop: cannot watch a queue: ") + uv_strerror(failure));
  }
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle_->poll));
  environment.polls_.insert(this);
}

LoopPoll::~LoopPoll() { close(); }

void LoopPoll::close() noexcept {
  if (handle_ == nullptr) return;
  environment_.polls_.erase(this);
  ++environment_.closing_;
  handle_->owner = nullptr;
  // libuv forgets the descriptor at once, and gives the handle back in the next turn of the loop.
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll), [](uv_handle_t* closed) {
    const std::unique_ptr<Handle> handle(static_cast<Handle*>(closed->data));
    handle->environment->closed_one();
  });
  handle_ = nullptr;
}

void LoopPoll::await() noexcept {
  is_awaited_ = true;
  if (handle_ == nullptr) return;
  uv_ref(reinterpret_cast<uv_handle_t*>(&handle_->poll));
  if (!is_started_) is_started_ = uv_poll_start(&handle_->poll, UV_READABLE, on_event) == 0;
}

// The descriptor stays in the loop: a stream that waits again soon costs no system call.
void LoopPoll::ignore() noexcept {
  is_awaited_ = false;
  if (handle_ != nullptr) uv_unref(reinterpret_cast<uv_handle_t*>(&handle_->poll));
}

void LoopPoll::on_event(uv_poll_t* poll, int, int) {
  LoopPoll* const self = static_cast<Handle*>(poll->data)->owner;
  if (self == nullptr) return;
  if (self->is_awaited_) {
    self->ready_();
  } else {
    uv_poll_stop(poll);
    self->is_started_ = false;
  }
}

}  // namespace beltway::node
