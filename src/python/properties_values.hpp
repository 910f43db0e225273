// Properties of messages: beltway.Properties of Python, and those of the library.
// Thread safety: all functions require the GIL.
#pragma once

#include "python/python_api.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "beltway/properties.hpp"

namespace beltway::python {

/// Properties that own their texts: those of a beltway.Properties, or of a message. Not copied, not moved.
class OwnedProperties {
 public:
  /// Throws ErrorIsSet. `value`: a beltway.Properties.
  explicit OwnedProperties(PyObject* value);
  /// Copies all but the ttl. Runs no code of Python.
  explicit OwnedProperties(const Properties& from);
  OwnedProperties(const OwnedProperties&) = delete;
  OwnedProperties& operator=(const OwnedProperties&) = delete;
  ~OwnedProperties() = default;

  [[nodiscard]] const Properties& get() const noexcept { return properties_; }

 private:
  void read_headers(PyObject* value);
  void read_dead_letter(PyObject* value);

  std::array<std::string, 5> texts_;
  std::vector<std::pair<std::string, std::string>> header_texts_;
  std::vector<MessageHeader> headers_;
  std::array<std::string, 2> dead_letter_texts_;
  DeadLetter dead_letter_;
  Properties properties_;
};

/// What a received message's properties say beyond those of a publish.
struct ReceivedState {
  ReceivedState() = default;
  explicit ReceivedState(const PropertiesView& view) : expires_at(view.expires_at()), is_damaged(view.is_damaged()) {}

  std::optional<std::chrono::steady_clock::time_point> expires_at = {};
  bool is_damaged = false;
};

/// A beltway.Properties. Throws ErrorIsSet.
[[nodiscard]] Ref properties_object(const Properties& from, const ReceivedState& state);

/// A datetime in UTC, in whole microseconds.
[[nodiscard]] Ref datetime_object(PublishTime time);
/// Of a datetime. One without a time zone is local time. Throws ErrorIsSet.
[[nodiscard]] PublishTime datetime_argument(PyObject* value);

}  // namespace beltway::python
