// Names of statuses and reasons, and the version.
#include "beltway/beltway.h"
#include "beltway/version.hpp"

const char* beltway_status_name(beltway_status status) {
  switch (status) {
    case BELTWAY_ERROR: return "error";
    case BELTWAY_OK: return "ok";
    case BELTWAY_EMPTY: return "empty";
    case BELTWAY_FULL: return "full";
    case BELTWAY_TIMEOUT: return "timeout";
    case BELTWAY_STOPPED: return "stopped";
    case BELTWAY_TOO_LARGE: return "too_large";
    case BELTWAY_END_OF_STREAM: return "end_of_stream";
    case BELTWAY_PREFETCH_LIMIT: return "prefetch_limit";
    case BELTWAY_REMOVED: return "removed";
    case BELTWAY_EVICTED: return "evicted";
    case BELTWAY_DUPLICATE: return "duplicate";
    case BELTWAY_INTERRUPTED: return "interrupted";
  }
  return "unknown";
}

const char* beltway_errc_name(beltway_errc reason) {
  switch (reason) {
    case BELTWAY_ERRC_NONE: return "none";
    case BELTWAY_ERRC_INVALID_OPTION: return "invalid_option";
    case BELTWAY_ERRC_NOT_FOUND: return "not_found";
    case BELTWAY_ERRC_ALREADY_EXISTS: return "already_exists";
    case BELTWAY_ERRC_NO_PERMISSION: return "no_permission";
    case BELTWAY_ERRC_LIMIT_REACHED: return "limit_reached";
    case BELTWAY_ERRC_TOO_LARGE: return "too_large";
    case BELTWAY_ERRC_REMOVED: return "removed";
    case BELTWAY_ERRC_EVICTED: return "evicted";
    case BELTWAY_ERRC_NO_DAEMON: return "no_daemon";
    case BELTWAY_ERRC_PROTOCOL: return "protocol";
    case BELTWAY_ERRC_INCOMPATIBLE: return "incompatible";
    case BELTWAY_ERRC_WRONG_TYPE: return "wrong_type";
    case BELTWAY_ERRC_FORKED: return "forked";
    case BELTWAY_ERRC_MISUSE: return "misuse";
    case BELTWAY_ERRC_SYSTEM: return "system";
    case BELTWAY_ERRC_INTERRUPTED: return "interrupted";
  }
  return "unknown";
}

// The text of a literal ends with a zero.
const char* beltway_version(void) { return beltway::k_version.data(); }
