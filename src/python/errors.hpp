// The error classes of the package, by the library's reasons and statuses.
// Thread safety: all functions require the GIL.
#pragma once

#include "python/python_api.hpp"

#include <cstddef>
#include <string>

#include "beltway/status.hpp"

namespace beltway::python {

/// Imports beltway.errors. Call it once, when the module is loaded. Throws ErrorIsSet.
void load_errors();

/// Throws the error of a status that a call cannot return: removed, evicted, too_large, end_of_stream, timeout, interrupted.
/// `context`: operation and object, as "publish to \"orders\"".
[[noreturn]] void raise_status(Status status, const std::string& context);

/// Gives Python's error of this moment the attribute `published`.
void note_published(std::size_t published);

/// "publish to \"orders\"".
[[nodiscard]] std::string context_of(const char* operation, const std::string& queue);

}  // namespace beltway::python
