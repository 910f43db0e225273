// Accesses to shared memory, each a step of the actor that makes it. See memory.hpp and, for the model, explorer.hpp.
#include "memory.hpp"

#include <cstring>
#include <utility>

#include "engine.hpp"

namespace beltway::explore {

namespace {

alignas(4096) std::byte shared[k_shared_bytes];
bool quiet_words[k_shared_bytes / 8];

Engine& engine() { return Engine::the(); }

std::size_t word_index(const void* word) noexcept {
  return (reinterpret_cast<std::uintptr_t>(word) - reinterpret_cast<std::uintptr_t>(shared)) / 8;
}
bool is_shared(const void* place) noexcept { return word_index(place) < k_shared_bytes / 8; }
bool is_step(const void* word) noexcept {
  return engine().active() && is_shared(word) && !quiet_words[word_index(word)];
}

std::uint64_t changed(std::uint64_t value, Change change, std::uint64_t operand) noexcept {
  switch (change) {
    case Change::set: return operand;
    case Change::bit_or: return value | operand;
    case Change::bit_and: return value & operand;
    case Change::add: return value + operand;
  }
  return value;
}

}  // namespace

// -- what the engine does with buffered stores --------------------------------------------------------------------

void Engine::show(Actor& owner, const BufferedStore& store) {
  *store.word = store.value;
  if (!tracing_ || bounds_.delays == 0) return;
  char text[200] = "?";
  if (describe_ != nullptr) describe_(store.word, store.value, text, sizeof text);
  trace("    (%s's store becomes visible: %s)\n", owner.options.name, text);
}

void Engine::flush(Actor& actor) {
  actor.buffer.flush_all([&](const BufferedStore& store) { show(actor, store); });
}

void Engine::flush_everybody() {
  for (std::size_t i = 0; i < actor_count_; ++i) flush(actors_[i]);
}

void Engine::settle(const std::uint64_t& word) {
  for (std::size_t i = 0; i < actor_count_; ++i) {
    if (static_cast<int>(i) != current_ && !actors_[i].buffer.empty()) settle_with(actors_[i], word);
  }
}

void Engine::settle_with(Actor& other, const std::uint64_t& word) {
  const unsigned count = other.buffer.count(&word);
  if (count == 0) return;
  const unsigned late = other.buffer.count_late(&word);
  unsigned left = late;
  if (!me().fused) {
    const unsigned ways = delays_ != 0 ? count : late;
    left = choices_.choose(ways + 1, 3);
    if (left > late) --delays_;
  }
  if (left != 0) {
    other.buffer.mark_late(&word, left);
    trace("    (%s does not see %s's last store there)\n", me().options.name, other.options.name);
  }
  other.buffer.flush(&word, left, bounds_.weak, [&](const BufferedStore& store) { show(other, store); });
}

void Engine::trace_access(const char* what, const std::uint64_t& word, std::uint64_t value, const char* outcome) {
  if (!tracing_) return;
  char text[200] = "?";
  if (describe_ != nullptr) describe_(&word, value, text, sizeof text);
  trace("%s %s %s%s%s\n", me().options.name, what, text, outcome == nullptr ? "" : ": ",
        outcome == nullptr ? "" : outcome);
}

// -- memory.hpp ---------------------------------------------------------------------------------------------------

std::byte* shared_memory() noexcept { return shared; }

void set_quiet(const void* begin, std::size_t size, bool quiet) noexcept {
  const std::size_t first = word_index(begin);
  for (std::size_t i = 0; i < size / 8; ++i) quiet_words[first + i] = quiet;
}

std::uint64_t load(const std::uint64_t& word) noexcept {
  if (!is_step(&word)) return word;
  if (const BufferedStore* const own = engine().me().buffer.find(&word)) return own->value;
  engine().point();
  engine().settle(word);
  engine().trace_access("reads", word, word);
  return word;
}

void store(std::uint64_t& word, std::uint64_t value, bool release) noexcept {
  if (!is_step(&word)) {
    word = value;
    return;
  }
  engine().me().fused = false;
  if (release || !engine().keeps_stores()) {
    engine().point();
  } else {
    engine().kill_point();
  }
  engine().trace_access("stores", word, value);
  if (!engine().keeps_stores()) {
    word = value;
    return;
  }
  StoreBuffer& buffer = engine().me().buffer;
  if (buffer.full()) engine().flush(engine().me());
  buffer.push(&word, value, release);
}

bool compare_and_swap(std::uint64_t& word, std::uint64_t expected, std::uint64_t desired) noexcept {
  if (is_step(&word)) {
    engine().me().fused = false;
    engine().point();
    engine().flush(engine().me());
    engine().settle(word);
    engine().trace_access("swaps to", word, desired, word == expected ? "done" : "FAILS, it changed");
  }
  if (word != expected) return false;
  word = desired;
  return true;
}

bool compare_and_swap_pair(std::uint64_t& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                           std::uint64_t b) noexcept {
  std::uint64_t& second = (&first)[1];
  if (is_step(&first)) {
    engine().me().fused = false;
    engine().point();
    engine().flush(engine().me());
    engine().settle(first);
    engine().settle(second);
    engine().trace_access("swaps, and the next word, to", first, a,
                          first == expected_a && second == expected_b ? "done" : "FAILS");
  }
  if (first != expected_a || second != expected_b) return false;
  first = a;
  second = b;
  return true;
}

std::uint64_t modify(std::uint64_t& word, Change change, std::uint64_t operand) noexcept {
  if (is_step(&word)) {
    engine().me().fused = false;
    engine().point();
    engine().flush(engine().me());
    engine().settle(word);
    engine().trace_access("sets", word, changed(word, change, operand));
  }
  const std::uint64_t before = word;
  word = changed(word, change, operand);
  return before;
}

void full_fence() noexcept {
  if (engine().active()) engine().flush(engine().me());
}

void release_fence() noexcept {
  if (engine().active()) engine().me().buffer.fence();
}

void copy_racing(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  for (std::size_t at = 0; at + 8 <= size; at += 8) {
    std::uint64_t word = 0;
    if (is_shared(from + at)) {
      word = load(*reinterpret_cast<const std::uint64_t*>(from + at));
    } else {
      std::memcpy(&word, from + at, 8);
    }
    if (is_shared(to + at)) {
      store(*reinterpret_cast<std::uint64_t*>(to + at), word, false);
    } else {
      std::memcpy(to + at, &word, 8);
    }
  }
  // The last bytes, into private memory.
  for (std::size_t at = size / 8 * 8; at < size; ++at) {
    if (!is_shared(from + at)) {
      to[at] = from[at];
      continue;
    }
    const std::size_t within = reinterpret_cast<std::uintptr_t>(from + at) % 8;
    const std::uint64_t word = load(*reinterpret_cast<const std::uint64_t*>(from + at - within));
    to[at] = static_cast<std::byte>(word >> 8 * within);
  }
}

void cpu_relax() noexcept {
  if (engine().active()) engine().me().fused = true;
}

void heavy_barrier() noexcept {
  if (!engine().active()) return;
  engine().me().fused = false;
  engine().point();
  engine().trace("%s: heavy barrier\n", engine().me().options.name);
  engine().flush_everybody();
}

namespace {

/// A system call is a step, and a full barrier for whoever makes it.
void enter_kernel() noexcept {
  if (!engine().active()) return;
  engine().me().fused = false;
  engine().point();
  engine().flush(engine().me());
}

}  // namespace

bool sleep_on(const std::uint64_t& word, std::uint64_t expected, std::uint64_t patience_ns) noexcept {
  enter_kernel();
  // The look and falling asleep are one step.
  return word != expected || engine().sleep(&word, patience_ns);
}

void wake_sleeper(const std::uint64_t& word) noexcept {
  enter_kernel();
  engine().wake(&word, "wakes the sleeper");
}

void ring_bell(int bell) noexcept {
  enter_kernel();
  engine().ring(bell);
}

int add_event_set(int bell) noexcept { return engine().add_event_set(bell); }

Edges take_edges(int set) noexcept {
  enter_kernel();
  return std::exchange(engine().event_set(set).edges, {});
}

void ring_event_set(int set) noexcept {
  enter_kernel();
  engine().event_set(set).edges.self = true;
  engine().wake(&engine().event_set(set), "rings its own event set");
}

void wait_readable(int set) noexcept {
  enter_kernel();
  EventSetModel& model = engine().event_set(set);
  // Readable until the edges are taken: this takes none.
  if (!model.edges.bell && !model.edges.self) static_cast<void>(engine().sleep(&model, k_for_ever_ns));
}

void pass_time(std::uint64_t ns) noexcept { engine().pass_time(ns); }

std::uint64_t now_ns() noexcept {
  if (engine().active()) engine().me().fused = false;
  return engine().now_ns();
}

}  // namespace beltway::explore
