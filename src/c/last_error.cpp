#include "c/last_error.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <string>

namespace beltway::c {

namespace {

constexpr std::size_t k_text_bytes = 2048;

/// Not initialised by code, so that its first use in a thread needs no memory.
struct LastError {
  std::array<char, k_text_bytes> text;
  beltway_errc reason;
};
constinit thread_local LastError last_error{};

bool is_continuation(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

}  // namespace

beltway_status fail(Errc reason, std::string_view text) noexcept {
  std::size_t size = std::min(text.size(), k_text_bytes - 1);
  // Not in the middle of a character.
  while (size < text.size() && size > 0 && is_continuation(text[size])) --size;
  if (size != 0) std::memcpy(last_error.text.data(), text.data(), size);
  last_error.text[size] = '\0';
  last_error.reason = static_cast<beltway_errc>(reason);
  switch (reason) {
    case Errc::too_large: return BELTWAY_TOO_LARGE;
    case Errc::removed: return BELTWAY_REMOVED;
    case Errc::evicted: return BELTWAY_EVICTED;
    case Errc::interrupted: return BELTWAY_INTERRUPTED;
    default: return BELTWAY_ERROR;
  }
}

beltway_status fail_by_exception() {
  try {
    throw;
  } catch (const GaveUp&) {
    return BELTWAY_STOPPED;
  } catch (const Error& error) {
    return fail(error.reason(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(Errc::limit_reached, "out of memory");
  } catch (const std::exception& other) {
    return fail(Errc::system, other.what());
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return fail(Errc::misuse, "a callback threw an exception; callbacks of the C API must not throw");
  }
}

beltway_status fail_by_null(const char* call, const char* argument) noexcept {
  std::array<char, 256> text{};
  std::string_view parts[] = {call, ": `", argument, "` is NULL; test what the call before returned"};
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.copy(text.data() + size, text.size() - size);
  return fail(Errc::misuse, {text.data(), size});
}

}  // namespace beltway::c

const char* beltway_last_error(void) { return beltway::c::last_error.text.data(); }
beltway_errc beltway_last_errc(void) { return beltway::c::last_error.reason; }
