// The Python C API as this binding uses it: the limited API of 3.11, references that end by themselves, and the borders between
// C++ exceptions and Python errors. One binary serves Python 3.11 and all later versions.
//
// Thread safety: everything here requires the GIL, except where a function says that it releases it.
#pragma once

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "beltway/detail/caught.hpp"
#include "beltway/error.hpp"
#include "beltway/until.hpp"

namespace beltway::python {

/// Thrown after a call of the C API has failed: Python's error indicator is set.
struct ErrorIsSet {};

/// True while this thread asks for the GIL. A thread that asks while the interpreter ends never returns from that: Python
/// ends it by unwinding its stack. Objects on the stack must then leave Python alone.
inline thread_local bool asks_for_gil = false;

/// An owned reference, or null.
class Ref {
 public:
  Ref() noexcept = default;
  /// Takes over a new reference. Throws ErrorIsSet if it is null.
  explicit Ref(PyObject* object) : object_(object) {
    if (object == nullptr) throw ErrorIsSet{};
  }
  /// A new reference to an object that is borrowed.
  static Ref to(PyObject* borrowed) { return Ref(Py_NewRef(borrowed)); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() {
    if (object_ != nullptr && !asks_for_gil) Py_DECREF(object_);
  }

  [[nodiscard]] PyObject* get() const noexcept { return object_; }
  [[nodiscard]] PyObject* release() noexcept { return std::exchange(object_, nullptr); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

/// A view of an object's bytes, which stay where they are as long as it lives.
class BufferView {
 public:
  /// Throws ErrorIsSet if the object has no contiguous buffer. `flags`: PyBUF_...
  explicit BufferView(PyObject* object, int flags = PyBUF_SIMPLE) {
    if (PyObject_GetBuffer(object, &view_, flags) != 0) throw ErrorIsSet{};
  }
  BufferView(BufferView&& other) noexcept : view_(std::exchange(other.view_, {})) {}
  BufferView& operator=(BufferView&&) = delete;
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;
  ~BufferView() {
    if (view_.obj != nullptr && !asks_for_gil) PyBuffer_Release(&view_);
  }
  [[nodiscard]] const Py_buffer& view() const noexcept { return view_; }
  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(view_.buf); }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(view_.len); }

 private:
  Py_buffer view_{};
};

/// Sets Python's error to the class of the error's reason, with the error's own text. In errors.cpp, as the next.
void set_error(const Error& error);
/// Sets Python's error to MemoryError or RuntimeError.
void set_error(const std::exception& exception);

/// Calls `call()`, which returns a new reference or throws. Returns null with Python's error set if it throws.
/// Has no `catch (...)`: the end of a thread by the interpreter must pass.
template <class Call>
PyObject* guarded(const Call& call) {
  try {
    return call();
  } catch (const ErrorIsSet&) {
  } catch (const Error& error) {
    set_error(error);
  } catch (const std::exception& exception) {
    set_error(exception);
  }
  return nullptr;
}
/// As above, for a call that returns nothing: 0, or -1 with Python's error set.
template <class Call>
int guarded_int(const Call& call) {
  try {
    call();
    return 0;
  } catch (const ErrorIsSet&) {
  } catch (const Error& error) {
    set_error(error);
  } catch (const std::exception& exception) {
    set_error(exception);
  }
  return -1;
}

/// Sets an error of Python's own class and throws ErrorIsSet.
[[noreturn]] void fail(PyObject* type, const std::string& text);

/// Calls `call()` without the GIL. Exceptions of `call` come out with the GIL held.
template <class Call>
void without_gil(const Call& call) {
  PyThreadState* const state = PyEval_SaveThread();
  const std::exception_ptr error = detail::caught([&call] { call(); });
  asks_for_gil = true;
  PyEval_RestoreThread(state);
  asks_for_gil = false;
  if (error) std::rethrow_exception(error);
}

/// When a call that waits gives up. Waits are cut into pieces: a signal that comes right before the sleep is noticed at the
/// end of a piece. Signals that come during the sleep end it at once.
class Deadline {
 public:
  using Clock = Until::Clock;
  Deadline() = default;
  explicit Deadline(Clock::time_point at) : at_(at) {}

  [[nodiscard]] bool is_over() const { return at_ && Clock::now() >= *at_; }
  /// The end of the next piece, or the deadline, if that is earlier.
  [[nodiscard]] Until piece() const;
  /// The deadline itself, for a wait that must not be cut.
  [[nodiscard]] Until whole() const { return at_ ? Until(*at_) : Until(); }

 private:
  std::optional<Clock::time_point> at_;
};

/// Throws ErrorIsSet if a signal has come whose Python handler raised, as that of Ctrl-C does.
inline void check_signals() {
  if (PyErr_CheckSignals() != 0) throw ErrorIsSet{};
}

/// "None" as a new reference.
[[nodiscard]] inline PyObject* none() noexcept { return Py_NewRef(Py_None); }
[[nodiscard]] inline PyObject* boolean(bool value) noexcept { return Py_NewRef(value ? Py_True : Py_False); }
[[nodiscard]] inline Ref text(std::string_view text) {
  return Ref(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape"));
}
[[nodiscard]] inline Ref number(std::uint64_t value) { return Ref(PyLong_FromUnsignedLongLong(value)); }

}  // namespace beltway::python
