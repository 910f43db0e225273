// A process that ends while another one keeps its memory: the daemon cannot give its place away.
// Thread safety: one thread. It forks.
#pragma once

#include <cstddef>

#include "child.hpp"
#include "staging.hpp"

namespace beltway::test {

/// A consumer of group "g" takes `messages` and ends. A process that shares its memory lives on, until it is killed or the object
/// ends. Returns when the daemon tells that.
[[nodiscard]] Child stage_orphan(const staging::Scene& scene, std::size_t messages);

}  // namespace beltway::test
