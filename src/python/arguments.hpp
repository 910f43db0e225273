// The arguments of a call from Python, and values of Python as those of C++.
// Thread safety: all functions require the GIL.
#pragma once

#include "python/python_api.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace beltway::python {

/// How Python calls a function with METH_FASTCALL | METH_KEYWORDS.
struct Call {
  PyObject* const* values;
  Py_ssize_t positional;
  PyObject* names;  // of the values behind the positional ones; may be null

  [[nodiscard]] std::size_t named() const noexcept {
    return names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_Size(names));
  }
};

/// Finds the arguments by the names of the parameters. The first `positional` parameters may be given without their names, the
/// first `required` must be given. Arguments that are not given are null. Throws ErrorIsSet (TypeError).
void find_arguments(const char* function, const Call& call, std::span<const char* const> names, std::size_t positional,
                    std::size_t required, std::span<PyObject*> found);
template <std::size_t k_count>
std::array<PyObject*, k_count> arguments(const char* function, const Call& call, const char* const (&names)[k_count],
                                         std::size_t positional, std::size_t required) {
  std::array<PyObject*, k_count> found{};
  find_arguments(function, call, names, positional, required, found);
  return found;
}

/// The values of arguments. `name` is for the error. All throw ErrorIsSet.
[[nodiscard]] std::string text_argument(const char* name, PyObject* value);
[[nodiscard]] std::uint64_t number_argument(const char* name, PyObject* value);
[[nodiscard]] bool flag_argument(const char* name, PyObject* value);
/// Seconds of an int, a float or a timedelta.
[[nodiscard]] double seconds_argument(const char* name, PyObject* value);
/// As above, in whole milliseconds. A value between two of them is an error.
[[nodiscard]] std::chrono::milliseconds milliseconds_argument(const char* name, PyObject* value);
/// When a call with this `timeout` gives up. Null and None: never.
[[nodiscard]] Deadline deadline_argument(PyObject* value);
/// Throws ErrorIsSet for a numpy array whose elements refer to objects of Python: their bytes are addresses.
void refuse_objects(const char* name, PyObject* array);
/// True if the argument is missing or None.
[[nodiscard]] inline bool is_none(PyObject* value) noexcept { return value == nullptr || value == Py_None; }

/// Casts for the tables of methods.
template <class Function>
[[nodiscard]] PyCFunction as_method(Function* function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}
template <class Function>
[[nodiscard]] void* as_slot(Function* function) noexcept {
  return reinterpret_cast<void*>(function);
}

}  // namespace beltway::python
