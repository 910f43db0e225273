// Ties a program to a library that was compiled with the same standard library. Some macros change the size of std::vector and
// std::string, and with them that of Beltway's options. Program and library would then read each other's memory wrongly. So
// each program refers to a symbol whose name says how the program was compiled. The library defines the symbol that says how
// the library was compiled. If they differ, the linker names the remedy.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <string>

namespace beltway::detail {

#if defined(_LIBCPP_VERSION)
extern const char beltway_must_be_compiled_with_libcxx_as_this_program_is;
[[gnu::used]] inline const char* const program_with_libcxx = &beltway_must_be_compiled_with_libcxx_as_this_program_is;
#elif !_GLIBCXX_USE_CXX11_ABI
extern const char beltway_must_be_compiled_with_GLIBCXX_USE_CXX11_ABI_0_as_this_program_is;
[[gnu::used]] inline const char* const program_with_old_strings =
    &beltway_must_be_compiled_with_GLIBCXX_USE_CXX11_ABI_0_as_this_program_is;
#elif defined(_GLIBCXX_DEBUG)
extern const char beltway_must_be_compiled_with_GLIBCXX_DEBUG_as_this_program_is;
[[gnu::used]] inline const char* const program_with_debug_containers =
    &beltway_must_be_compiled_with_GLIBCXX_DEBUG_as_this_program_is;
#else
extern const char beltway_must_be_compiled_without_GLIBCXX_DEBUG_as_this_program_is;
[[gnu::used]] inline const char* const program_without_debug_containers =
    &beltway_must_be_compiled_without_GLIBCXX_DEBUG_as_this_program_is;
#endif

}  // namespace beltway::detail
