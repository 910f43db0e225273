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

/// The properties that a beltway.Properties says. The texts are copies, so they live as long as this object. Not copied, not
/// moved.
class SentProperties {
 public:
  /// Throws ErrorIsSet. `value`: a beltway.Properties.
  explicit SentProperties(PyObject* value);
  SentProperties(const SentProperties&) = delete;
  SentProperties& operator=(const SentProperties&) = delete;
  ~SentProperties() = default;

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

/// A beltway.Properties. Throws ErrorIsSet.
[[nodiscard]] Ref properties_object(const PropertiesView& view);

/// A datetime in UTC, in whole microseconds.
[[nodiscard]] Ref datetime_object(PublishTime time);
/// Of a datetime. One without a time zone is local time. Throws ErrorIsSet.
[[nodiscard]] PublishTime datetime_argument(PyObject* value);

}  // namespace beltway::python
