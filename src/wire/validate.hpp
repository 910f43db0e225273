// Checks names and options against limits.hpp. Run by the client, so that errors come at once, and again by the daemon,
// which trusts no client. An error names operation, option, value and range.
// Thread safety: pure functions.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/options.hpp"
#include "ring/layout.hpp"

namespace beltway {

/// `operation "name"`, the beginning of most errors. Text that no name may hold is shortened and made printable.
[[nodiscard]] std::string error_subject(std::string_view operation, std::string_view name);

/// `kind`: "queue" or "group". Throws Error(invalid_option).
void check_name(std::string_view operation, std::string_view kind, std::string_view name);

/// `what`: see error_subject(). Throws Error(invalid_option).
void check_options(const std::string& what, const QueueOptions& options);
void check_options(const std::string& what, const ConsumerOptions& options);
void check_group(const std::string& what, const NamedGroup& group);

/// The names of the options of a queue that are compared, in their order: all but `groups`.
inline constexpr std::array<std::string_view, 10> k_option_names{
    "slots",      "slot_bytes", "lane_bytes", "max_producers",  "max_consumers",
    "max_groups", "mode",       "fence",      "evict_after_ms", "type"};
/// The one of them that can be changed while the queue lives.
inline constexpr std::string_view k_changeable_option = "evict_after_ms";

/// An option whose value in a queue that exists is not the one that was asked for. Values as text.
struct Difference {
  std::string option;
  std::string there;
  std::string wanted;
};
/// All options that differ, in the order of k_option_names.
[[nodiscard]] std::vector<Difference> differences(const QueueOptions& there, const QueueOptions& wanted);
/// "slots 2048, not 1024; mode 0600, not 0644".
[[nodiscard]] std::string text_of(const std::vector<Difference>& differences);

/// Of checked options.
[[nodiscard]] Geometry geometry_of(const QueueOptions& options) noexcept;
/// Bytes of the queue's three segments.
[[nodiscard]] std::uint64_t shared_bytes_of(const Geometry& geometry) noexcept;

[[nodiscard]] std::string_view to_string(Fence fence) noexcept;
[[nodiscard]] std::string octal(std::uint32_t mode);

}  // namespace beltway
