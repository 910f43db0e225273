// A Status as an error code of Boost, which asio.hpp includes. No other public headers include Boost.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>
#include <system_error>
#include <type_traits>

#include "beltway/status.hpp"

/// Makes a Status an error code: `if (error == beltway::Status::end_of_stream)`.
template <>
struct boost::system::is_error_code_enum<beltway::Status> : std::true_type {};

namespace beltway {

/// A Status as an error code of category "beltway.status"; Status::ok is no error.
[[nodiscard]] inline boost::system::error_code make_error_code(Status status) noexcept {
  class Category final : public std::error_category {
    const char* name() const noexcept override { return "beltway.status"; }
    std::string message(int value) const override { return std::string(to_string(static_cast<Status>(value))); }
  };
  static const Category category;
  if (status == Status::ok) return {};
  return std::error_code(static_cast<int>(status), category);
}

}  // namespace beltway
