#include "node/js_options.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "beltway/error.hpp"
#include "node/napi.hpp"
#include "wire/options_schema.hpp"

namespace beltway::node {

namespace {

using std::chrono::milliseconds;

std::string what_of(std::string_view operation, std::string_view name) {
  return std::string(operation) + ": " + std::string(name);
}

milliseconds milliseconds_of(napi_env env, napi_value value, std::string_view what) {
  const double number = number_of(env, value, std::string(what) + " (in milliseconds)");
  constexpr double k_limit = 9e15;  // any range is smaller, and a number of milliseconds holds it
  if (std::floor(number) != number || std::abs(number) > k_limit)
    throw Error(Errc::invalid_option, std::string(what) + " takes whole milliseconds");
  return milliseconds(static_cast<milliseconds::rep>(number));
}

void read(napi_env env, napi_value value, std::string_view what, std::uint64_t& into) {
  into = whole_number_of(env, value, what);
}
void read(napi_env env, napi_value value, std::string_view what, std::uint32_t& into) {
  // What is beyond the range stays beyond it: the check of the option names the range.
  const std::uint64_t number = whole_number_of(env, value, what);
  into = static_cast<std::uint32_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::uint32_t>::max()));
}
void read(napi_env env, napi_value value, std::string_view what, bool& into) { into = boolean_of(env, value, what); }
void read(napi_env env, napi_value value, std::string_view what, std::string& into) {
  into = string_of(env, value, what);
}
void read(napi_env env, napi_value value, std::string_view what, milliseconds& into) {
  into = milliseconds_of(env, value, what);
}
template <wire::Worded Enum>
void read(napi_env env, napi_value value, std::string_view what, Enum& into) {
  const std::string word = string_of(env, value, what);
  std::string known;
  for (std::size_t i = 0; i < wire::Words<Enum>::all.size(); ++i) {
    if (word == wire::Words<Enum>::all[i]) {
      into = static_cast<Enum>(i);
      return;
    }
    known += (known.empty() ? "\"" : ", \"") + std::string(wire::Words<Enum>::all[i]) + '"';
  }
  throw Error(Errc::invalid_option, std::string(what) + " is one of " + known + ", not \"" + word + "\"");
}
void read(napi_env env, napi_value value, std::string_view what, TypeTag& into) {
  const std::string name(what);
  if (type_of(env, value) != napi_object) throw Error(Errc::invalid_option, name + " takes {name, size, alignment}");
  into.name = string_of(env, property_of(env, value, "name"), name + ".name");
  read(env, property_of(env, value, "size"), name + ".size", into.size);
  read(env, property_of(env, value, "alignment"), name + ".alignment", into.alignment);
}
void read(napi_env env, napi_value value, std::string_view what, std::vector<NamedGroup>& into) {
  if (!is_array(env, value)) throw Error(Errc::invalid_option, std::string(what) + " takes an array of groups");
  std::uint32_t count = 0;
  check(env, napi_get_array_length(env, value, &count));
  for (std::uint32_t i = 0; i < count; ++i) into.push_back(read_group(env, element_of(env, value, i), what));
}
template <class Value>
void read(napi_env env, napi_value value, std::string_view what, std::optional<Value>& into) {
  Value own{};
  read(env, value, what, own);
  into = std::move(own);
}

std::string without_unit(std::string_view name) {
  return std::string(name.ends_with("_ms") ? name.substr(0, name.size() - 3) : name);
}

/// Calls `read_one(name, value)` for each property that is given. It returns false for a name that it does not know.
template <class ReadOne>
void read_object(napi_env env, napi_value object, std::string_view operation, const std::string& known,
                 const ReadOne& read_one) {
  if (!is_given(env, object)) return;
  std::uint32_t count = 0;
  const napi_value keys = keys_of(env, object, what_of(operation, "options"), count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const napi_value key = element_of(env, keys, i);
    napi_value value = nullptr;
    check(env, napi_get_property(env, object, key, &value));
    if (type_of(env, value) == napi_undefined) continue;
    const std::string name = string_of(env, key, "a name");
    if (!read_one(name, value)) {
      throw Error(Errc::invalid_option,
                  std::string(operation) + ": there is no option \"" + name + "\"; there are " + known);
    }
  }
}

template <class Options>
std::string known_names() {
  std::string names;
  for (const auto& row : wire::options_of<Options>()) names += (names.empty() ? "" : ", ") + js_name_of(row.name);
  return names;
}

template <class Options>
bool read_row(napi_env env, const std::string& name, napi_value value, std::string_view operation, Options& options,
              std::vector<std::string>* said) {
  for (const auto& row : wire::options_of<Options>()) {
    if (js_name_of(row.name) != name) continue;
    row.visit(options, [&](auto& member) { read(env, value, what_of(operation, name), member); });
    // Missing groups are made in any case.
    if (said != nullptr && row.redeclare != wire::Redeclare::apart) said->push_back(std::string(row.name));
    return true;
  }
  return false;
}

napi_value value_to_js(napi_env env, std::uint32_t value) { return number_to_js(env, value); }
napi_value value_to_js(napi_env env, std::uint64_t value) { return number_to_js(env, value); }
napi_value value_to_js(napi_env env, bool value) { return to_js(env, value); }
napi_value value_to_js(napi_env env, const std::string& value) { return to_js(env, std::string_view(value)); }
napi_value value_to_js(napi_env env, milliseconds value) { return to_js(env, static_cast<double>(value.count())); }
template <wire::Worded Enum>
napi_value value_to_js(napi_env env, Enum value) {
  return to_js(env, wire::word_of(value));
}
napi_value value_to_js(napi_env env, const TypeTag& value) {
  return Object(env).set("name", value.name).set("size", value.size).set("alignment", value.alignment).value();
}
template <class Value>
napi_value value_to_js(napi_env env, const std::optional<Value>& value) {
  return value ? value_to_js(env, *value) : undefined(env);
}
template <class Options>
void set_rows(napi_env env, Object& object, const Options& options);
napi_value value_to_js(napi_env env, const std::vector<NamedGroup>& groups) {
  return array_of(env, groups, [env](const NamedGroup& group) {
    Object object(env);
    object.set("name", group.name);
    set_rows(env, object, group.options);
    return object.value();
  });
}
template <class Options>
void set_rows(napi_env env, Object& object, const Options& options) {
  for (const auto& row : wire::options_of<Options>()) {
    const std::string name = js_name_of(row.name);
    row.visit(options, [&](const auto& member) {
      const napi_value value = value_to_js(env, member);
      if (type_of(env, value) != napi_undefined) object.set(name.c_str(), value);
    });
  }
}

}  // namespace

std::string js_name_of(std::string_view name) {
  std::string camel;
  bool starts_word = false;
  for (const char letter : without_unit(name)) {
    if (letter == '_') {
      starts_word = true;
      continue;
    }
    camel += starts_word && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    starts_word = false;
  }
  return camel;
}

template <class Options>
Options read_options(napi_env env, napi_value value, std::string_view operation, std::vector<std::string>* said) {
  Options options;
  read_object(env, value, operation, known_names<Options>(), [&](const std::string& name, napi_value each) {
    return read_row(env, name, each, operation, options, said);
  });
  return options;
}
template QueueOptions read_options(napi_env, napi_value, std::string_view, std::vector<std::string>*);
template ProducerOptions read_options(napi_env, napi_value, std::string_view, std::vector<std::string>*);
template ConsumerOptions read_options(napi_env, napi_value, std::string_view, std::vector<std::string>*);

template <>
ConnectionOptions read_options(napi_env env, napi_value value, std::string_view operation, std::vector<std::string>*) {
  ConnectionOptions options;
  read_object(env, value, operation, "socket, startDaemon, timeout, stoppedTimeout",
              [&](const std::string& name, napi_value each) {
                const std::string what = what_of(operation, name);
                if (name == "socket") {
                  read(env, each, what, options.socket);
                } else if (name == "startDaemon") {
                  read(env, each, what, options.start_daemon);
                } else if (name == "timeout") {
                  read(env, each, what, options.timeout);
                } else if (name == "stoppedTimeout") {
                  read(env, each, what, options.stopped_timeout);
                } else {
                  return false;
                }
                return true;
              });
  return options;
}

NamedGroup read_group(napi_env env, napi_value value, std::string_view operation) {
  if (type_of(env, value) == napi_string) return {string_of(env, value, operation)};
  NamedGroup group("");
  read_object(env, value, operation, "name, " + known_names<GroupOptions>(),
              [&](const std::string& name, napi_value each) {
                if (name != "name") return read_row(env, name, each, operation, group.options, nullptr);
                group.name = string_of(env, each, what_of(operation, name));
                return true;
              });
  return group;
}

Start read_start(napi_env env, napi_value value, std::string_view what) {
  Start start = Start::latest;
  if (is_given(env, value)) read(env, value, what, start);
  return start;
}

napi_value options_to_js(napi_env env, const QueueOptions& options) {
  Object object(env);
  set_rows(env, object, options);
  return object.value();
}

napi_value option_names(napi_env env, napi_callback_info) {
  const auto names = [env]<class Options>(std::span<const wire::OptionRow<Options>> rows) {
    return array_of(env, rows, [env](const auto& row) { return to_js(env, std::string_view(js_name_of(row.name))); });
  };
  return Object(env)
      .set("queue", names(wire::options_of<QueueOptions>()))
      .set("group", names(wire::options_of<GroupOptions>()))
      .set("producer", names(wire::options_of<ProducerOptions>()))
      .set("consumer", names(wire::options_of<ConsumerOptions>()))
      .value();
}

}  // namespace beltway::node
