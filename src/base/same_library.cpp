// How this library was compiled; see beltway/detail/same_library.hpp.
#include "beltway/detail/same_library.hpp"

namespace beltway::detail {

#if defined(_LIBCPP_VERSION)
const char beltway_must_be_compiled_with_libcxx_as_this_program_is = 0;
#elif !_GLIBCXX_USE_CXX11_ABI
const char beltway_must_be_compiled_with_GLIBCXX_USE_CXX11_ABI_0_as_this_program_is = 0;
#elif defined(_GLIBCXX_DEBUG)
const char beltway_must_be_compiled_with_GLIBCXX_DEBUG_as_this_program_is = 0;
#else
const char beltway_must_be_compiled_without_GLIBCXX_DEBUG_as_this_program_is = 0;
#endif

}  // namespace beltway::detail
