#include "python/properties_values.hpp"

#include <algorithm>

#include "python/arguments.hpp"
#include "python/keyword_options.hpp"

namespace beltway::python {

namespace {

Ref attribute(PyObject* object, const char* name) { return Ref(PyObject_GetAttrString(object, name)); }

/// A str as UTF-8, or the bytes of a buffer.
std::string bytes_or_text(const char* name, PyObject* value) {
  if (PyUnicode_Check(value) != 0) return text_argument(name, value);
  const BufferView bytes(value);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

PyObject* datetime_module() {
  static PyObject* const module = Ref(PyImport_ImportModule("datetime")).release();  // lives as long as the process
  return module;
}

/// 1970 in UTC.
PyObject* epoch() {
  static PyObject* const value = [] {
    const Ref type = attribute(datetime_module(), "datetime");
    const Ref zone = attribute(datetime_module(), "timezone");
    const Ref utc = attribute(zone.get(), "utc");
    return Ref(PyObject_CallMethod(type.get(), "fromtimestamp", "iO", 0, utc.get())).release();
  }();
  return value;
}

double seconds(std::chrono::duration<double> time) { return time.count(); }

constexpr std::array k_texts{"key", "correlation_id", "reply_to", "content_type", "trace_id"};

}  // namespace

OwnedProperties::OwnedProperties(PyObject* value) {
  if (PyObject_IsInstance(value, properties_class("Properties")) != 1) {
    fail(PyExc_TypeError, "properties must be a beltway.Properties");
  }
  for (std::size_t i = 0; i < k_texts.size(); ++i) {
    const Ref each = attribute(value, k_texts[i]);
    texts_[i] = bytes_or_text(k_texts[i], each.get());
  }
  read_headers(value);
  const Ref dead_letter = attribute(value, "dead_letter");
  if (dead_letter.get() != Py_None) read_dead_letter(dead_letter.get());
  const Ref time = attribute(value, "publish_time");
  const Ref ttl = attribute(value, "ttl");
  const double ttl_us = seconds_argument("ttl", ttl.get()) * 1e6;
  constexpr double k_max_us = static_cast<double>(k_max_ttl_ms) * 1e3 + 1;
  properties_ = {.key = texts_[0],
                 .correlation_id = texts_[1],
                 .reply_to = texts_[2],
                 .content_type = texts_[3],
                 .trace_id = texts_[4],
                 .headers = headers_,
                 .ttl = std::chrono::microseconds(static_cast<std::int64_t>(std::clamp(ttl_us, -1.0, k_max_us))),
                 .dead_letter = dead_letter.get() == Py_None ? nullptr : &dead_letter_};
  if (ttl_us > 0 && properties_.ttl.count() == 0) properties_.ttl = std::chrono::microseconds(1);
  if (PyUnicode_Check(time.get()) != 0) {
    if (PyUnicode_CompareWithASCIIString(time.get(), "now") != 0) {
      fail(PyExc_ValueError, "publish_time must be a datetime or \"now\"");
    }
    properties_.publish_time = Properties::now;
  } else if (time.get() != Py_None) {
    properties_.publish_time = datetime_argument(time.get());
  }
}

OwnedProperties::OwnedProperties(const Properties& from)
    : texts_{std::string(from.key), std::string(from.correlation_id), std::string(from.reply_to),
             std::string(from.content_type), std::string(from.trace_id)} {
  for (const auto& [name, value] : from.headers) header_texts_.emplace_back(name, value);
  for (const auto& [name, value] : header_texts_) headers_.push_back({name, value});
  if (from.dead_letter != nullptr) {
    dead_letter_ = *from.dead_letter;
    dead_letter_texts_ = {std::string(dead_letter_.queue), std::string(dead_letter_.group)};
    dead_letter_.queue = dead_letter_texts_[0];
    dead_letter_.group = dead_letter_texts_[1];
  }
  properties_ = {.key = texts_[0],
                 .correlation_id = texts_[1],
                 .reply_to = texts_[2],
                 .content_type = texts_[3],
                 .trace_id = texts_[4],
                 .headers = headers_,
                 .publish_time = from.publish_time,
                 .dead_letter = from.dead_letter == nullptr ? nullptr : &dead_letter_};
}

void OwnedProperties::read_headers(PyObject* value) {
  Ref pairs = attribute(value, "headers");
  if (PyObject_HasAttrString(pairs.get(), "items") != 0)
    pairs = Ref(PyObject_CallMethod(pairs.get(), "items", nullptr));
  const Ref list(PySequence_List(pairs.get()));
  const Py_ssize_t count = PyList_Size(list.get());
  for (Py_ssize_t i = 0; i < count; ++i) {
    const Ref pair(PySequence_Tuple(PyList_GetItem(list.get(), i)));
    if (PyTuple_Size(pair.get()) != 2) fail(PyExc_TypeError, "headers must be pairs of a name and a value");
    header_texts_.emplace_back(bytes_or_text("the name of a header", PyTuple_GetItem(pair.get(), 0)),
                               bytes_or_text("the value of a header", PyTuple_GetItem(pair.get(), 1)));
  }
  for (const auto& [name, text] : header_texts_) headers_.push_back({name, text});
}

void OwnedProperties::read_dead_letter(PyObject* value) {
  const Ref reason = attribute(value, "reason");
  const std::string word = text_argument("reason", reason.get());
  for (unsigned each = 1; each <= 4; ++each) {
    if (to_string(static_cast<DeadLetterReason>(each)) == word)
      dead_letter_.reason = static_cast<DeadLetterReason>(each);
  }
  const Ref deliveries = attribute(value, "deliveries");
  const Ref position = attribute(value, "position");
  const Ref first = attribute(value, "first_time");
  const Ref last = attribute(value, "last_time");
  const Ref queue = attribute(value, "queue");
  const Ref group = attribute(value, "group");
  dead_letter_texts_ = {text_argument("queue", queue.get()), text_argument("group", group.get())};
  dead_letter_.deliveries = static_cast<unsigned>(number_argument("deliveries", deliveries.get()));
  dead_letter_.position = number_argument("position", position.get());
  dead_letter_.first_time = datetime_argument(first.get());
  dead_letter_.last_time = datetime_argument(last.get());
  dead_letter_.queue = dead_letter_texts_[0];
  dead_letter_.group = dead_letter_texts_[1];
}

Ref properties_object(const Properties& from, const ReceivedState& state) {
  const Ref headers(PyTuple_New(static_cast<Py_ssize_t>(from.headers.size())));
  Py_ssize_t at = 0;
  for (const MessageHeader& header : from.headers) {
    const Ref name = text(header.name);
    PyObject* const pair = Py_BuildValue("(Oy#)", name.get(), header.value.data() == nullptr ? "" : header.value.data(),
                                         static_cast<Py_ssize_t>(header.value.size()));
    if (pair == nullptr || PyTuple_SetItem(headers.get(), at++, pair) != 0) throw ErrorIsSet{};
  }
  const Ref key = text(from.key);
  const Ref correlation = text(from.correlation_id);
  const Ref reply = text(from.reply_to);
  const Ref content = text(from.content_type);
  const Ref trace = text(from.trace_id);
  const Ref time = from.publish_time == PublishTime{} ? Ref(none()) : datetime_object(from.publish_time);
  Ref letter(none());
  if (const DeadLetter* const failed = from.dead_letter) {
    const Ref reason = text(to_string(failed->reason));
    const Ref first = datetime_object(failed->first_time);
    const Ref last = datetime_object(failed->last_time);
    const Ref queue = text(failed->queue);
    const Ref group = text(failed->group);
    letter = Ref(PyObject_CallFunction(properties_class("DeadLetter"), "OIKOOOO", reason.get(), failed->deliveries,
                                       static_cast<unsigned long long>(failed->position), first.get(), last.get(),
                                       queue.get(), group.get()));
  }
  const Ref end =
      state.expires_at ? Ref(PyFloat_FromDouble(seconds(state.expires_at->time_since_epoch()))) : Ref(none());
  const Ref damaged(boolean(state.is_damaged));
  return Ref(PyObject_CallFunction(properties_class("Properties"), "OOOOOOOiOOO", key.get(), correlation.get(),
                                   reply.get(), content.get(), trace.get(), headers.get(), time.get(), 0, letter.get(),
                                   end.get(), damaged.get()));
}

Ref datetime_object(PublishTime time) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const Ref type = attribute(datetime_module(), "timedelta");
  const Ref delta(PyObject_CallFunction(type.get(), "iiL", 0, 0, static_cast<long long>(us)));
  return Ref(PyNumber_Add(epoch(), delta.get()));
}

PublishTime datetime_argument(PyObject* value) {
  if (PyObject_HasAttrString(value, "astimezone") == 0) fail(PyExc_TypeError, "a point in time must be a datetime");
  const Ref aware(PyObject_CallMethod(value, "astimezone", nullptr));
  const Ref delta(PyNumber_Subtract(aware.get(), epoch()));
  const Ref type = attribute(datetime_module(), "timedelta");
  const Ref unit(PyObject_CallFunction(type.get(), "iii", 0, 0, 1));
  const Ref us(PyNumber_FloorDivide(delta.get(), unit.get()));
  const long long count = PyLong_AsLongLong(us.get());
  if (PyErr_Occurred() != nullptr) throw ErrorIsSet{};
  const std::chrono::microseconds since_epoch(count);
  constexpr auto k_last = std::chrono::duration_cast<std::chrono::microseconds>(PublishTime::duration::max());
  if (since_epoch > k_last || since_epoch < -k_last) {
    fail(PyExc_ValueError, "a point in time must be between the years 1678 and 2262");
  }
  return PublishTime(since_epoch);
}

}  // namespace beltway::python
