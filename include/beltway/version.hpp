// The library's version.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstdint>
#include <string_view>

namespace beltway {

inline constexpr std::string_view k_version = "0.2.0";

/// The edition of the C++ API, so that one program can be written for several: 2 since version 0.2.
#define BELTWAY_API 2

/// Of the messages between a process and the daemon. Other majors are refused on both sides.
inline constexpr std::uint32_t k_protocol_version = 2;

}  // namespace beltway
