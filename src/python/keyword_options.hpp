// Options of queues, groups and endpoints as keyword arguments and as values of Python. The names are those of the table in
// wire/options_schema.hpp; a time has no unit in its name and is seconds or a timedelta.
// Thread safety: all functions require the GIL.
#pragma once

#include "python/arguments.hpp"

#include <string>
#include <vector>

#include "beltway/options.hpp"

namespace beltway::python {

/// Sets the options that the named arguments of the call say, from the `first` of them on. `said`: gets their names as
/// declare_some() wants them; may be null. Throws ErrorIsSet and Error(invalid_option).
void set_options(const char* function, const Call& call, QueueOptions& options, std::vector<std::string>* said);
void set_options(const char* function, const Call& call, ProducerOptions& options);
void set_options(const char* function, const Call& call, ConsumerOptions& options);

/// A str, or a beltway.NamedGroup.
[[nodiscard]] NamedGroup group_argument(PyObject* value);
/// "latest" or "oldest". Null: latest.
[[nodiscard]] Start start_argument(PyObject* value);

/// A dict by name.
[[nodiscard]] Ref options_dict(const QueueOptions& options);

/// The dataclass of that name in beltway.properties, borrowed.
[[nodiscard]] PyObject* properties_class(const char* name);

}  // namespace beltway::python
