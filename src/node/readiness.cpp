#include "node/readiness.hpp"

#include "node/napi.hpp"

namespace beltway::node {

Readiness::~Readiness() {
  close();
  if (callback_ != nullptr) napi_delete_reference(environment_.env(), callback_);
}

void Readiness::set_callback(napi_value function) {
  check(environment_.env(), napi_create_reference(environment_.env(), function, 0, &callback_));
}

void Readiness::hold() noexcept {
  if (is_held_ || callback_ == nullptr) return;
  is_held_ = napi_reference_ref(environment_.env(), callback_, nullptr) == napi_ok;
}

void Readiness::end() noexcept {
  if (poll_) poll_->ignore();
  if (!is_held_) return;
  is_held_ = false;
  napi_reference_unref(environment_.env(), callback_, nullptr);
}

void Readiness::close() noexcept {
  end();
  poll_.reset();
}

void Readiness::ready() noexcept { environment_.call(callback_); }

}  // namespace beltway::node
