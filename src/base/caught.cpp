// The throws and catches of the public headers.
#include "beltway/detail/caught.hpp"

#include <new>

#include "beltway/error.hpp"

namespace beltway::detail {

void raise(const Error& error) { throw error; }

std::exception_ptr caught(void (*call)(void* object), void* object) noexcept {
  try {
    call(object);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

std::error_code code_of(const std::exception_ptr& exception) noexcept {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error.code();
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
}

}  // namespace beltway::detail
