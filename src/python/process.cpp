// The type Process: what Message.process() returns, for a `with`.
#include "python/arguments.hpp"
#include "python/objects.hpp"

namespace beltway::python {

namespace {

ProcessObject* of(PyObject* self) noexcept { return reinterpret_cast<ProcessObject*>(self); }

PyObject* enter_block(PyObject* self, PyObject* /*nothing*/) {
  return Py_NewRef(reinterpret_cast<PyObject*>(of(self)->message));
}

void end_block(const ProcessObject& process, PyObject* exception) {
  if (!is_held(process.message)) return;
  if (exception == Py_None) {
    end_message(process.message, End::ack);
    return;
  }
  // Ctrl-C and cancellations say nothing about the message: it is never rejected for them.
  const int is_error = PyObject_IsSubclass(exception, PyExc_Exception);
  if (is_error < 0) throw ErrorIsSet{};
  if (process.reject && is_error != 0) {
    end_message(process.message, End::reject);
  } else if (process.delay_us >= 0) {
    end_message(process.message, End::nack_with_delay, std::chrono::microseconds(process.delay_us));
  } else {
    end_message(process.message, End::nack);
  }
}

PyObject* exit_block(PyObject* self, PyObject* const* values, Py_ssize_t count) {
  return guarded([&] {
    end_block(*of(self), count == 0 ? Py_None : values[0]);
    return none();
  });
}

void dealloc(PyObject* self) {
  Py_DECREF(reinterpret_cast<PyObject*>(of(self)->message));
  free_object(self);
}

PyMethodDef methods[] = {
    {"__enter__", enter_block, METH_NOARGS, "__enter__($self, /)\n--\n\nReturns the message."},
    {"__exit__", as_method(exit_block), METH_FASTCALL,
     "__exit__($self, kind, error, trace, /)\n--\n\nEnds the message, unless the block has ended it."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>("What Message.process() returns, for a `with`.")},
                       {Py_tp_methods, methods},
                       {Py_tp_dealloc, as_slot(dealloc)},
                       {0, nullptr}};

}  // namespace

PyType_Spec process_spec{"beltway.Process", sizeof(ProcessObject), 0, k_type_flags, slots};

}  // namespace beltway::python
