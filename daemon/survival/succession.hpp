// Which program works on the queues that an earlier daemon has left: this program, or the one that made them.
//
// A program gives way if it cannot read the queues, or if it failed to start k_max_failed_starts times in a row. To give way, it
// execs the stored program (stored_program.hpp), else the program of its supervisor, with the same arguments, descriptors and
// process number. It gives way before it changes any queue. If there is neither program, it stays: it holds those queues
// (saved_queues.hpp) and serves other queues.
//
// $BELTWAY_PASSED_OVER tells the program that runs which program gave way, and why. `ping` and `list` show this text. The
// stored program never gives way itself: otherwise two programs could give way to each other for ever. Thread safety: a
// process's start, with one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "survival/saved_queues.hpp"
#include "survival/stored_program.hpp"

namespace beltway::daemon {

inline constexpr const char* k_passed_over = "BELTWAY_PASSED_OVER";

/// $BELTWAY_PASSED_OVER: empty if this is the program that was meant to run. Also cuts what is too long for an answer.
[[nodiscard]] std::string passed_over();

/// The program that must run in the place of this one, and why.
struct Predecessor {
  os::Fd program;
  std::string why;  ///< for people: names this program, its version, and what it met
};

/// Nothing: this program runs. Counts this start (see survey()). `supervisor`: the process that started this one, 0 if it is no
/// supervisor.
[[nodiscard]] std::optional<Predecessor> find_predecessor(const DescriptorStore& store, int supervisor);

/// Replaces this process by the predecessor with `arguments`. If that does not work, logs why and starts this program once
/// more, to hold the queues.
[[noreturn]] void give_way(const Predecessor& predecessor, const DescriptorStore& store,
                           const std::vector<std::string>& arguments);

/// Replaces this process by an open program, or by a file. `name`: what the program is called there. Both set errno and return
/// if that does not work.
void exec_descriptor(int program, const std::string& name, const std::vector<std::string>& arguments) noexcept;
void exec_file(const std::string& file, const std::string& name, const std::vector<std::string>& arguments) noexcept;

/// Where this program lies, or lay: its file may have been replaced.
[[nodiscard]] std::string own_program();

}  // namespace beltway::daemon
