#include "python/arguments.hpp"

#include <algorithm>
#include <cmath>

namespace beltway::python {

namespace {

std::string type_of(PyObject* value) {
  const Ref name(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(value)), "__name__"));
  const char* const characters = PyUnicode_AsUTF8AndSize(name.get(), nullptr);
  if (characters == nullptr) throw ErrorIsSet{};
  return characters;
}

[[noreturn]] void fail_type(const char* name, const char* wanted, PyObject* value) {
  fail(PyExc_TypeError, std::string(name) + " must be " + wanted + ", not " + type_of(value));
}

std::string name_text(PyObject* name) {
  const char* const characters = PyUnicode_AsUTF8AndSize(name, nullptr);
  if (characters == nullptr) throw ErrorIsSet{};
  return characters;
}

}  // namespace

void find_arguments(const char* function, const Call& call, std::span<const char* const> names, std::size_t positional,
                    std::size_t required, std::span<PyObject*> found) {
  const auto given = static_cast<std::size_t>(call.positional);
  if (given > positional) {
    fail(PyExc_TypeError, std::string(function) + "() takes at most " + std::to_string(positional) +
                              " arguments without a name, not " + std::to_string(given));
  }
  std::copy_n(call.values, given, found.begin());
  for (std::size_t i = 0; i < call.named(); ++i) {
    PyObject* const name = PyTuple_GetItem(call.names, static_cast<Py_ssize_t>(i));
    const auto place = std::find_if(names.begin(), names.end(), [name](const char* each) {
      return PyUnicode_CompareWithASCIIString(name, each) == 0;
    });
    if (place == names.end()) {
      std::string known;
      for (const char* const each : names) known += (known.empty() ? "" : ", ") + std::string(each);
      fail(PyExc_TypeError, std::string(function) + "() has no argument \"" + name_text(name) + "\"; it has: " + known);
    }
    PyObject*& argument = found[static_cast<std::size_t>(place - names.begin())];
    if (argument != nullptr) {
      fail(PyExc_TypeError, std::string(function) + "() got two values for \"" + *place + "\"");
    }
    argument = call.values[given + i];
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (found[i] == nullptr)
      fail(PyExc_TypeError, std::string(function) + "() needs the argument \"" + names[i] + "\"");
  }
}

std::string text_argument(const char* name, PyObject* value) {
  if (PyUnicode_Check(value) == 0) fail_type(name, "str", value);
  Py_ssize_t size = 0;
  const char* const characters = PyUnicode_AsUTF8AndSize(value, &size);
  if (characters == nullptr) throw ErrorIsSet{};
  return {characters, static_cast<std::size_t>(size)};
}

std::uint64_t number_argument(const char* name, PyObject* value) {
  if (PyIndex_Check(value) == 0) fail_type(name, "int", value);
  const Ref index(PyNumber_Index(value));
  const unsigned long long number = PyLong_AsUnsignedLongLong(index.get());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw Error(Errc::invalid_option, std::string(name) + " must be a number from 0 to 2^64 - 1");
  }
  return number;
}

bool flag_argument(const char* name, PyObject* value) {
  if (PyBool_Check(value) == 0) fail_type(name, "bool", value);
  return value == Py_True;
}

double seconds_argument(const char* name, PyObject* value) {
  double seconds = 0;
  if (PyFloat_Check(value) != 0 || PyLong_Check(value) != 0) {
    seconds = PyFloat_AsDouble(value);
  } else if (PyObject_HasAttrString(value, "total_seconds") != 0) {
    const Ref total(PyObject_CallMethod(value, "total_seconds", nullptr));
    seconds = PyFloat_AsDouble(total.get());
  } else if (PyNumber_Check(value) != 0) {
    const Ref number(PyNumber_Float(value));
    seconds = PyFloat_AsDouble(number.get());
  } else {
    fail_type(name, "seconds (int or float) or a timedelta", value);
  }
  if (PyErr_Occurred() != nullptr) throw ErrorIsSet{};
  if (std::isnan(seconds)) fail(PyExc_ValueError, std::string(name) + " must be a number of seconds, not nan");
  return seconds;
}

std::chrono::milliseconds milliseconds_argument(const char* name, PyObject* value) {
  const double milliseconds = seconds_argument(name, value) * 1000;
  const double whole = std::round(milliseconds);
  if (std::fabs(whole) > 1e15 || std::fabs(milliseconds - whole) > 1e-6 * std::max(1.0, std::fabs(whole))) {
    throw Error(Errc::invalid_option, std::string(name) + " must be a whole number of milliseconds, in seconds");
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(whole));
}

void refuse_objects(const char* name, PyObject* array) {
  const Ref source = PyMemoryView_Check(array) != 0 ? Ref(PyObject_GetAttrString(array, "obj")) : Ref::to(array);
  if (PyObject_HasAttrString(source.get(), "dtype") == 0) return;
  const Ref dtype(PyObject_GetAttrString(source.get(), "dtype"));
  if (PyObject_HasAttrString(dtype.get(), "hasobject") == 0) return;
  const Ref has_object(PyObject_GetAttrString(dtype.get(), "hasobject"));
  if (PyObject_IsTrue(has_object.get()) != 0) {
    fail(PyExc_TypeError, std::string(name) + " has elements that are objects of Python; use a dtype of plain bytes");
  }
}

Deadline deadline_argument(PyObject* value) {
  if (is_none(value)) return Deadline{};
  const double seconds = std::max(0.0, seconds_argument("timeout", value));
  constexpr double k_forever = 1e9;  // what is longer than 30 years never ends
  if (seconds > k_forever) return Deadline{};
  return Deadline(Deadline::Clock::now() +
                  std::chrono::duration_cast<Deadline::Clock::duration>(std::chrono::duration<double>(seconds)));
}

}  // namespace beltway::python
