#include "python/errors.hpp"

#include <array>
#include <new>

namespace beltway::python {

namespace {

constexpr std::array k_reasons{
    "InvalidOption", "NotFound", "AlreadyExists", "NoPermission", "LimitReached", "TooLarge", "Removed", "Evicted",
    "NoDaemon",      "Protocol", "Incompatible",  "WrongType",    "Forked",       "Misuse",   "System",  "Interrupted"};
static_assert(k_reasons.size() == static_cast<std::size_t>(Errc::interrupted));

// They live as long as the process.
std::array<PyObject*, k_reasons.size()> classes{};
PyObject* timeout_class = nullptr;
PyObject* end_of_stream_class = nullptr;

PyObject* class_of(Errc reason) {
  const auto index = static_cast<std::size_t>(reason) - 1;
  return index < classes.size() ? classes[index] : PyExc_RuntimeError;
}

}  // namespace

void load_errors() {
  const Ref module(PyImport_ImportModule("beltway.errors"));
  for (std::size_t i = 0; i < classes.size(); ++i)
    classes[i] = Ref(PyObject_GetAttrString(module.get(), k_reasons[i])).release();
  timeout_class = Ref(PyObject_GetAttrString(module.get(), "Timeout")).release();
  end_of_stream_class = Ref(PyObject_GetAttrString(module.get(), "EndOfStream")).release();
}

void set_error(const Error& error) { PyErr_SetString(class_of(error.reason()), error.what()); }

void set_error(const std::exception& exception) {
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    PyErr_NoMemory();
  } else {
    PyErr_SetString(PyExc_RuntimeError, exception.what());
  }
}

void raise_status(Status status, const std::string& context) {
  switch (status) {
    case Status::removed: throw Error(Errc::removed, context + ": the queue or the group was removed");
    case Status::evicted:
      throw Error(Errc::evicted,
                  context + ": the daemon evicted this endpoint; attach a new one, or set the option reattach");
    case Status::too_large:
      throw Error(Errc::too_large, context + ": the message can never fit; see max_message_bytes of the producer");
    case Status::interrupted: throw Error(Errc::interrupted, context + ": interrupt() ended the call");
    case Status::timeout: fail(timeout_class, context + ": the time was over");
    case Status::end_of_stream:
      fail(end_of_stream_class, context + ": no message is left, and no producer is attached");
    default: throw Error(Errc::misuse, context + ": " + std::string(to_string(status)));
  }
}

void note_published(std::size_t published) {
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (value != nullptr) {
    PyObject* const count = PyLong_FromSize_t(published);
    // An error of another class may refuse the attribute: then that error goes on without it.
    if (count == nullptr || PyObject_SetAttrString(value, "published", count) != 0) PyErr_Clear();
    Py_XDECREF(count);
  }
  PyErr_Restore(type, value, trace);
}

std::string context_of(const char* operation, const std::string& queue) {
  return std::string(operation) + " \"" + queue + "\"";
}

}  // namespace beltway::python
