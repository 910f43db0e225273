// Checks names and options against limits.hpp. Run by the client, so that errors come at once, and again by the daemon,
// which trusts no client. An error names operation, option, value and range.
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "beltway/options.hpp"
#include "layout.hpp"

namespace beltway {

/// `operation "name"`, the beginning of most errors. Text that no name may hold is shortened and made printable.
[[nodiscard]] std::string about(std::string_view operation, std::string_view name);

/// `kind`: "queue" or "group". Throws Error(invalid_option).
void check_name(std::string_view operation, std::string_view kind, std::string_view name);

/// `what`: see about(). Throws Error(invalid_option).
void check_options(const std::string& what, const QueueOptions& options);
void check_options(const std::string& what, const ConsumerOptions& options);
void check_group(const std::string& what, const NamedGroup& group);

/// What differs between the options of a queue that is there and those wanted, except `groups`, in words that
/// name the option and both values; nothing if they are the same.
[[nodiscard]] std::optional<std::string> first_difference(const QueueOptions& there, const QueueOptions& wanted);

/// Of checked options.
[[nodiscard]] Geometry geometry_of(const QueueOptions& options) noexcept;
/// Bytes of the queue's three segments.
[[nodiscard]] std::uint64_t shared_bytes_of(const Geometry& geometry) noexcept;

[[nodiscard]] std::string_view to_string(Fence fence) noexcept;
[[nodiscard]] std::string octal(std::uint32_t mode);

}  // namespace beltway
