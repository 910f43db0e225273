// The header and the same program, compiled as C++.
#include "api_messages.c"
