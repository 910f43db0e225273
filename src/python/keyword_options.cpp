#include "python/keyword_options.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>

#include "wire/option_values.hpp"
#include "wire/options_schema.hpp"

namespace beltway::python {

namespace {

using std::chrono::milliseconds;

/// The name without its unit: "evict_after_ms" is `evict_after` in Python.
std::string_view python_name(std::string_view name) {
  if (name.ends_with("_ms")) name.remove_suffix(3);
  return name;
}

void read_value(const char* name, PyObject* from, std::string& to) { to = text_argument(name, from); }
void read_value(const char* name, PyObject* from, bool& to) { to = flag_argument(name, from); }
void read_value(const char* name, PyObject* from, std::uint64_t& to) { to = number_argument(name, from); }
void read_value(const char* name, PyObject* from, std::uint32_t& to) {
  const std::uint64_t number = number_argument(name, from);
  if (number > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(Errc::invalid_option, std::string(name) + " " + std::to_string(number) + " must be below 2^32");
  }
  to = static_cast<std::uint32_t>(number);
}
void read_value(const char* name, PyObject* from, milliseconds& to) { to = milliseconds_argument(name, from); }
void read_value(const char* name, PyObject* from, TypeTag& to) {
  if (PyTuple_Check(from) == 0 || PyTuple_Size(from) != 3) {
    fail(PyExc_TypeError, std::string(name) + " must be a tuple: name, size and alignment of the type");
  }
  to.name = text_argument("the name of the type", PyTuple_GetItem(from, 0));
  read_value("the size of the type", PyTuple_GetItem(from, 1), to.size);
  read_value("the alignment of the type", PyTuple_GetItem(from, 2), to.alignment);
}
void read_value(const char* name, PyObject* from, std::vector<NamedGroup>& to) {
  if (PyUnicode_Check(from) != 0) {
    fail(PyExc_TypeError, std::string(name) + " must be a list, as [\"billing\"], not a str");
  }
  const Ref list(PySequence_List(from));
  for (Py_ssize_t i = 0; i < PyList_Size(list.get()); ++i) to.push_back(group_argument(PyList_GetItem(list.get(), i)));
}
template <wire::Worded Enum>
void read_value(const char* name, PyObject* from, Enum& to) {
  const std::string word = text_argument(name, from);
  const auto& words = wire::Words<Enum>::all;
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) {
    std::string known;
    for (const std::string_view each : words) known += (known.empty() ? "\"" : ", \"") + std::string(each) + "\"";
    throw Error(Errc::invalid_option, std::string(name) + " must be one of " + known + ", not \"" + word + "\"");
  }
  to = static_cast<Enum>(found - words.begin());
}
template <class Value>
void read_value(const char* name, PyObject* from, std::optional<Value>& to) {
  if (from == Py_None) {
    to.reset();
  } else {
    read_value(name, from, to.emplace());
  }
}

template <class Options>
const wire::OptionRow<Options>* find_row(PyObject* name) {
  for (const auto& row : wire::options_of<Options>()) {
    const std::string own(python_name(row.name));
    if (PyUnicode_CompareWithASCIIString(name, own.c_str()) == 0) return &row;
  }
  return nullptr;
}

template <class Options>
void set_named(const char* function, const Call& call, Options& options, std::vector<std::string>* said) {
  for (std::size_t i = 0; i < call.named(); ++i) {
    PyObject* const name = PyTuple_GetItem(call.names, static_cast<Py_ssize_t>(i));
    const auto* const row = find_row<Options>(name);
    if (row == nullptr) {
      std::string known;
      for (const auto& each : wire::options_of<Options>())
        known += (known.empty() ? "" : ", ") + std::string(python_name(each.name));
      fail(PyExc_TypeError,
           std::string(function) + "() has no option \"" + text_argument("a name", name) + "\"; it has: " + known);
    }
    PyObject* const value = call.values[static_cast<std::size_t>(call.positional) + i];
    const std::string own(python_name(row->name));
    row->visit(options, [&](auto& member) { read_value(own.c_str(), value, member); });
    // Groups are no value to compare: the missing ones are made.
    if (said != nullptr && row->redeclare != wire::Redeclare::apart) said->emplace_back(row->name);
  }
}

Ref option_of(bool value) { return Ref(boolean(value)); }
Ref option_of(std::uint32_t value) { return number(value); }
Ref option_of(std::uint64_t value) { return number(value); }
Ref option_of(const std::string& value) { return text(value); }
Ref option_of(milliseconds value) { return Ref(PyFloat_FromDouble(static_cast<double>(value.count()) / 1000)); }
template <wire::Worded Enum>
Ref option_of(Enum value) {
  return text(wire::word_of(value));
}
Ref option_of(const TypeTag& type) {
  return Ref(
      Py_BuildValue("(s#II)", type.name.data(), static_cast<Py_ssize_t>(type.name.size()), type.size, type.alignment));
}
Ref option_of(const std::vector<NamedGroup>& groups);
template <class Value>
Ref option_of(const std::optional<Value>& value) {
  return value ? option_of(*value) : Ref(none());
}

template <class Options>
void fill_dict(PyObject* dict, const Options& options) {
  for (const auto& row : wire::options_of<Options>()) {
    const Ref value = row.visit(options, [](const auto& member) { return option_of(member); });
    if (PyDict_SetItemString(dict, std::string(python_name(row.name)).c_str(), value.get()) != 0) throw ErrorIsSet{};
  }
}

Ref option_of(const std::vector<NamedGroup>& groups) {
  Ref list(PyList_New(0));
  for (const NamedGroup& group : groups) {
    const Ref fields(PyDict_New());
    fill_dict(fields.get(), group.options);
    const Ref name = text(group.name);
    if (PyDict_SetItemString(fields.get(), "name", name.get()) != 0) throw ErrorIsSet{};
    const Ref empty(PyTuple_New(0));
    const Ref made(PyObject_Call(properties_class("NamedGroup"), empty.get(), fields.get()));
    if (PyList_Append(list.get(), made.get()) != 0) throw ErrorIsSet{};
  }
  return list;
}

}  // namespace

void set_options(const char* function, const Call& call, QueueOptions& options, std::vector<std::string>* said) {
  set_named(function, call, options, said);
}
void set_options(const char* function, const Call& call, ProducerOptions& options) {
  set_named(function, call, options, nullptr);
}
void set_options(const char* function, const Call& call, ConsumerOptions& options) {
  set_named(function, call, options, nullptr);
}

NamedGroup group_argument(PyObject* value) {
  if (PyUnicode_Check(value) != 0) return {text_argument("a group", value)};
  if (PyObject_IsInstance(value, properties_class("NamedGroup")) != 1) {
    fail(PyExc_TypeError, "a group must be a str or a beltway.NamedGroup");
  }
  const Ref name(PyObject_GetAttrString(value, "name"));
  NamedGroup group(text_argument("the name of a group", name.get()));
  for (const auto& row : wire::options_of<GroupOptions>()) {
    const std::string own(python_name(row.name));
    const Ref option(PyObject_GetAttrString(value, own.c_str()));
    row.visit(group.options, [&](auto& member) { read_value(own.c_str(), option.get(), member); });
  }
  return group;
}

Start start_argument(PyObject* value) {
  Start start = Start::latest;
  if (value != nullptr) read_value("start", value, start);
  return start;
}

Ref options_dict(const QueueOptions& options) {
  Ref dict(PyDict_New());
  fill_dict(dict.get(), options);
  return dict;
}

PyObject* properties_class(const char* name) {
  // It lives as long as the process.
  static PyObject* const module = Ref(PyImport_ImportModule("beltway.properties")).release();
  const Ref found(PyObject_GetAttrString(module, name));
  return found.get();  // the module keeps it
}

}  // namespace beltway::python
