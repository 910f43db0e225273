// How the ways of most messages get into their callers.
#pragma once

/// Inline, whatever the compiler thinks of the size, in builds that optimize. In others it would only cost: a program is
/// slow anyway, a call can be stepped into, and our tests took 40% longer to compile.
#ifdef __OPTIMIZE__
#define BELTWAY_HOT [[gnu::always_inline]]
#else
#define BELTWAY_HOT
#endif
