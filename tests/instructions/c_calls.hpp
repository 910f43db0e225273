// The calls of the C library, for the program that instructions_test runs under callgrind.
#pragma once

namespace beltway::test {

/// Counts hot calls of the C API, and beside them C++ calls that are not inlined.
void count_c_calls();

}  // namespace beltway::test
