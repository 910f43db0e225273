// How fast paths get into their callers.
#pragma once

/// Inline, whatever the compiler thinks of the size, in builds that optimize. Other builds are slow anyway; there a call can be
/// stepped into, and compiles faster.
#ifdef __OPTIMIZE__
#define BELTWAY_FORCE_INLINE [[gnu::always_inline]]
#else
#define BELTWAY_FORCE_INLINE
#endif
