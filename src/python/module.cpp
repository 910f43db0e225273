// The module beltway._beltway. Users import the package beltway, which takes everything from here.
#include "python/errors.hpp"
#include "python/objects.hpp"

#include "beltway/version.hpp"

namespace beltway::python {

namespace {

PyMethodDef functions[] = {
    {"connect", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(connect)), METH_FASTCALL | METH_KEYWORDS,
     "connect($module, /, socket='', *, start_daemon=True, timeout=10.0, stopped_timeout=None)\n--\n\nConnects to the "
     "daemon, and starts the user's own if none answers. Returns a Connection.\n\n"
     "socket: of the daemon; empty: $BELTWAY_SOCKET, or the user's own. timeout: seconds that the daemon gets for an "
     "answer.\nstopped_timeout: instead of timeout, if it is shorter, while the daemon's process is stopped by a "
     "signal "
     "or a debugger."},
    {"ack_many", ack_many, METH_O,
     "ack_many($module, messages, /)\n--\n\nAcknowledges each message of an iterable; cheaper than one by one. Returns "
     "how many "
     "were still ours."},
    {nullptr, nullptr, 0, nullptr}};

int load(PyObject* module) {
  return guarded_int([&] {
    // The types belong to the process: one interpreter has them.
    if (types.message != nullptr)
      fail(PyExc_ImportError, "beltway can be imported by one interpreter of a process only");
    load_errors();
    const auto add = [module](const char* name, PyType_Spec& spec, PyTypeObject*& place) {
      const Ref type(PyType_FromModuleAndSpec(module, &spec, nullptr));
      if (PyModule_AddObjectRef(module, name, type.get()) != 0) throw ErrorIsSet{};
      place = reinterpret_cast<PyTypeObject*>(Py_NewRef(type.get()));
    };
    add("Connection", connection_spec, types.connection);
    add("Queue", queue_spec, types.queue);
    add("Producer", producer_spec, types.producer);
    add("Loan", loan_spec, types.loan);
    add("Consumer", consumer_spec, types.consumer);
    add("Process", process_spec, types.process);
    add("Message", message_spec, types.message);
    if (PyModule_AddStringConstant(module, "__version__", std::string(k_version).c_str()) != 0) throw ErrorIsSet{};
  });
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(load)}, {0, nullptr}};

PyModuleDef definition{PyModuleDef_HEAD_INIT,
                       "beltway._beltway",
                       "The compiled part of the package beltway.",
                       0,
                       functions,
                       slots,
                       nullptr,
                       nullptr,
                       nullptr};

}  // namespace

}  // namespace beltway::python

PyMODINIT_FUNC PyInit__beltway() { return PyModuleDef_Init(&beltway::python::definition); }
