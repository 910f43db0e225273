// Names, the beginning of errors, and what options make of a queue's memory. The client checks, so that errors come at once; the
// daemon checks again, since it trusts no client. The checks of options are in options_schema.hpp.
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "beltway/options.hpp"
#include "ring/layout.hpp"

namespace beltway::wire {

/// `operation "name"`, the beginning of most errors. Text that no name may hold is shortened and made printable.
[[nodiscard]] std::string error_subject(std::string_view operation, std::string_view name);

/// The end of an error that names a group which is not there: `; its groups are "a", "b"`, the first few of `names`, or the
/// command that makes one.
[[nodiscard]] std::string groups_text(const std::string& queue, const std::vector<std::string>& names);

/// `kind`: "queue" or "group". Throws Error(invalid_option).
void check_name(std::string_view operation, std::string_view kind, std::string_view name);

/// Of checked options.
[[nodiscard]] ring::Geometry geometry_of(const QueueOptions& options) noexcept;
/// Bytes of the queue's three segments.
[[nodiscard]] std::uint64_t shared_bytes_of(const ring::Geometry& geometry) noexcept;

}  // namespace beltway::wire
