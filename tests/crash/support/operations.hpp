// What an endpoint may be doing when it is frozen: each operation of the public interface, short enough to be stepped.
#pragma once

#include <span>

#include "crew.hpp"

namespace beltway::crash {

/// Where an operation may be stepped.
enum class Steps : std::uint8_t {
  any,
  accesses,  ///< allocates: not by instructions
};

enum class Role : std::uint8_t { producer, private_reader, named, lossy };

struct Operation {
  const char* name;
  Role role;
  /// What must stand before the first instruction: objects made, event mode entered. May be null.
  void (*prepare)(Crew& crew, unsigned owner);
  void (*run)(Crew& crew, unsigned owner);
  Steps steps = Steps::any;
  unsigned holder = k_nobody;  ///< holds a message all the time, and dies with the owner
};

[[nodiscard]] std::span<const Operation> operations() noexcept;
[[nodiscard]] const Operation& operation(const char* name);

/// Who runs it: the first or the second of its kind.
[[nodiscard]] unsigned owner_of(const Operation& operation, bool second) noexcept;
/// False if the world lacks what it needs.
[[nodiscard]] bool applies(const Operation& operation, const Shape& shape, bool second) noexcept;

/// A reliable consumer, which may be thrown out.
[[nodiscard]] inline bool can_be_evicted(const Operation& operation) noexcept {
  return operation.role == Role::private_reader || operation.role == Role::named;
}

/// How a world stands before anything is frozen.
struct Beginning {
  Shape shape;
  unsigned laps = 0;          ///< messages published and consumed before
  unsigned prefill = 0;       ///< messages that nobody has taken yet
  bool lane_prefill = false;  ///< the first two of these in a lane
  bool properties = false;    ///< every second of these has properties
  bool laps_by_a = false;     ///< producer A published the laps, and so has a limit in its cache
  bool late_floor = false;    ///< the named group has acknowledged one of these, and nobody has moved its floor yet
  bool sleepers = false;      ///< those who have nothing to do sleep
};

/// Brings a new world there. `busy`: owners that run operations later, and so are awake.
void begin(World& world, Crew& crew, const Beginning& beginning, std::span<const unsigned> busy);

}  // namespace beltway::crash
