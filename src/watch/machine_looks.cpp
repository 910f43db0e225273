// See machine_looks.hpp.
#include "watch/machine_looks.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>

#include "watch/look_budget.hpp"
#include "watch/machine.hpp"

namespace beltway::watch {

namespace {

/// A look at the machine is a few calls and small files.
constexpr std::chrono::seconds k_between_machine_looks{1};
/// A look at the descriptors goes through those of each attached process.
constexpr std::chrono::seconds k_between_descriptor_looks{5};
/// The part of a processor that these looks may take. Beyond it they come later.
constexpr std::int64_t k_most_one_of = 500;

}  // namespace

template <class Look>
void MachineLooks::renew(Kept& kept, Nanoseconds now, Nanoseconds pause, const Look& look) {
  if (kept.due_at && now < *kept.due_at) return;
  const Nanoseconds before = LookBudget::used();
  kept.verdicts = look();
  kept.due_at = now + std::max(pause, (LookBudget::used() - before) * k_most_one_of);
}

std::vector<Verdict> MachineLooks::verdicts(const Fleet& fleet, Nanoseconds now) {
  renew(machine_, now, k_between_machine_looks, [] { return machine_verdicts(this_machine()); });
  renew(descriptors_, now, k_between_descriptor_looks, [&fleet] { return descriptor_verdicts(fleet); });
  std::vector<Verdict> all = machine_.verdicts;
  for (Verdict& verdict : all) {
    if (verdict.kind == "memory_low") verdict.remedies = remedies_by_removal(fleet);
  }
  std::ranges::copy(descriptors_.verdicts, std::back_inserter(all));
  return all;
}

}  // namespace beltway::watch
