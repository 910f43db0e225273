// What a program that includes Beltway must be compiled for. Every public header includes this one first, so that a program that
// is not gets one sentence instead of what follows from it.
#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "Beltway needs C++20: compile with -std=c++20 or later"
#include <stop here: see the error above>
#elif !defined(__linux__) || !defined(__LP64__)
#error "Beltway needs Linux on a processor of 64 bits: compile for such a machine"
#include <stop here: see the error above>
#endif
