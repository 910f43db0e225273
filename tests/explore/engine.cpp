// Who runs, and how an execution begins and ends. Accesses to memory are in memory.cpp.
#include "engine.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "arena.hpp"

namespace beltway::explore {

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr std::size_t k_trace_bytes = 1 << 20;

}  // namespace

Engine& Engine::the() {
  static Engine engine;
  return engine;
}

Engine::Engine() {
  // Now, since nothing may be allocated for good during an execution.
  trace_.reserve(k_trace_bytes);
  failure_.reserve(1024);
  for (Actor& actor : actors_) actor.stack = std::make_unique<Stack>(&Engine::body);
}

void Engine::body() {
  Engine& engine = the();
  engine.me().job();
  engine.me().state = Actor::State::done;
  engine.hand_over();
  std::abort();
}

unsigned Engine::add(std::function<void()> job, ActorOptions options) {
  if (actor_count_ == actors_.size()) std::abort();
  Actor& actor = actors_[actor_count_];
  actor.job = std::move(job);
  actor.options = std::move(options);
  return static_cast<unsigned>(actor_count_++);
}

void Engine::reset() {
  for (Actor& actor : actors_) {
    // What these hold lies in the arena of the execution before.
    actor.job = nullptr;
    actor.options = {};
    actor.state = Actor::State::waiting;
    actor.timed_out = actor.fused = actor.woken = false;
    actor.buffer.clear();
  }
  actor_count_ = 0;
  current_ = k_nobody;
  preemptions_ = bounds_.preemptions;
  delays_ = bounds_.delays;
  kills_ = bounds_.kills;
  timeouts_ = bounds_.timeouts;
  points_ = 0;
  now_ns_ = 0;
  event_sets_.fill({});
  event_set_count_ = 0;
  failure_.clear();
  trace_.clear();
}

void Engine::run(const Scenario& scenario) {
  reset();
  const ArenaScope arena;
  scenario.setup();
  if (failure_.empty()) hand_over();
  current_ = k_nobody;
  if (!failure_.empty()) return;
  for (Actor& actor : actors_) flush(actor);
  trace("-- check\n");
  scenario.check();
}

Outcome Engine::explore(const Scenario& scenario) {
  bounds_ = scenario.bounds;
  bounds_.preemptions += static_cast<unsigned>(from_environment("BELTWAY_EXPLORE_PREEMPTIONS", 0));
  bounds_.delays += static_cast<unsigned>(from_environment("BELTWAY_EXPLORE_DELAYS", 0));
  const std::uint64_t times = from_environment("BELTWAY_EXPLORE_EXECUTIONS", 1);
  Outcome outcome;
  const auto try_once = [&] {
    run(scenario);
    ++outcome.executions;
    if (failure_.empty()) return true;
    outcome.failure = failure_;
    choices_.again();
    tracing_ = true;
    run(scenario);
    tracing_ = false;
    outcome.schedule = trace_;
    return false;
  };
  // Few preemptions first: where the whole is cut off, what is left out are late variations and not whole kinds.
  const unsigned most = bounds_.preemptions;
  bool more = false;
  for (bounds_.preemptions = 0; bounds_.preemptions <= most && !more; ++bounds_.preemptions) {
    choices_.begin();
    for (more = true; more && outcome.executions < scenario.bounds.executions * times; more = choices_.next()) {
      if (!try_once()) return outcome;
    }
    if (!more) outcome.exhaustive = bounds_.preemptions;
  }
  bounds_.preemptions = k_random_preemptions;
  bounds_.delays = k_random_delays;
  for (std::uint64_t i = 1; i <= scenario.bounds.random * times; ++i) {
    choices_.begin_random(i);
    if (!try_once()) return outcome;
  }
  return outcome;
}

bool Engine::runnable(const Actor& actor) const {
  switch (actor.state) {
    case Actor::State::waiting: return !actor.options.gate || actor.options.gate();
    case Actor::State::ready: return true;
    case Actor::State::asleep: return actor.woken || (actor.patience_ns != 0 && timeouts_ != 0);
    case Actor::State::done:
    case Actor::State::dead: break;
  }
  return false;
}

int Engine::pick(bool may_stay) {
  std::array<int, k_max_actors + 2> options{};
  unsigned count = 0;
  if (may_stay) options[count++] = current_;
  for (int i = 0; i < static_cast<int>(actor_count_) && (!may_stay || preemptions_ != 0); ++i) {
    if (!(may_stay && i == current_) && runnable(actors_[static_cast<std::size_t>(i)])) options[count++] = i;
  }
  if (may_stay && kills_ != 0 && me().options.mortal) options[count++] = k_kill;
  if (count == 0) return k_nobody;
  return options[choices_.choose(count, may_stay ? k_odds : 2)];
}

void Engine::switch_to(int next) {
  Actor& to = actors_[static_cast<std::size_t>(next)];
  Context& from = active() ? me().context : main_;
  Context* place = &to.context;
  current_ = next;
  if (to.state == Actor::State::waiting) place = &to.stack->beginning();
  if (to.state == Actor::State::asleep) {
    to.timed_out = !std::exchange(to.woken, false);
    if (to.timed_out) {
      --timeouts_;
      now_ns_ += to.patience_ns;
    }
    trace("%s %s\n", to.options.name, to.timed_out ? "reaches its deadline" : "wakes up");
  }
  to.state = Actor::State::ready;
  switch_context(from, *place);
}

void Engine::hand_over() {
  const int next = pick(false);
  if (next != k_nobody) {
    switch_to(next);
  } else if (active()) {
    stop();
  }
}

void Engine::stop() {
  switch_context(me().context, main_);
  std::abort();
}

void Engine::die() {
  trace("%s is killed\n", me().options.name);
  --kills_;
  flush(me());
  me().state = Actor::State::dead;
  hand_over();
  std::abort();
}

void Engine::point() {
  if (me().fused) return;
  if (++points_ > k_max_points) fail("this goes on for ever");
  const int next = pick(true);
  if (next == current_) return;
  if (next == k_kill) die();
  --preemptions_;
  switch_to(next);
}

void Engine::kill_point() {
  if (kills_ == 0 || !me().options.mortal || choices_.choose(2, k_odds) == 0) return;
  die();
}

void Engine::wake(const void* place, const char* what) {
  trace("%s %s\n", active() ? me().options.name : "check", what);
  for (std::size_t i = 0; i < actor_count_; ++i) {
    if (actors_[i].state == Actor::State::asleep && actors_[i].sleeps_on == place) actors_[i].woken = true;
  }
}

void Engine::ring(int bell) {
  trace("%s rings bell %d\n", active() ? me().options.name : "check", bell);
  for (int i = 0; i < event_set_count_; ++i) {
    if (event_set(i).bell != bell) continue;
    event_set(i).edges.bell = true;
    wake(&event_set(i), "is heard");
  }
}

int Engine::add_event_set(int bell) {
  if (event_set_count_ == static_cast<int>(k_max_event_sets)) std::abort();
  event_set(event_set_count_).bell = bell;
  return event_set_count_++;
}

bool Engine::sleep(const void* place, std::uint64_t patience_ns) {
  if (!active()) return false;
  Actor& actor = me();
  actor.sleeps_on = place;
  actor.woken = false;
  actor.patience_ns = patience_ns < k_for_ever_ns ? patience_ns : 0;
  actor.state = Actor::State::asleep;
  trace("%s falls asleep\n", actor.options.name);
  hand_over();
  return !actor.timed_out;
}

void Engine::fail(const char* what) {
  if (failure_.empty()) failure_ = what;
  trace("!! %s\n", what);
  if (active()) stop();
}

void Engine::trace(const char* format, ...) {
  if (!tracing_) return;
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  const std::string_view text = line;
  if (trace_.size() + text.size() < k_trace_bytes) trace_ += text;
}

// -- explorer.hpp -------------------------------------------------------------------------------------------------

Outcome explore(const Scenario& scenario) { return Engine::the().explore(scenario); }
unsigned add_actor(std::function<void()> job, ActorOptions options) {
  return Engine::the().add(std::move(job), std::move(options));
}
void set_describe(Describe describe) { Engine::the().set_describe(describe); }
void fail(const char* what) { Engine::the().fail(what); }
void note(const char* format, unsigned long long value) {
  Engine& engine = Engine::the();
  if (!engine.tracing()) return;
  char text[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
  engine.trace("%s: %s\n", engine.active() ? engine.me().options.name : "check", text);
}
bool is_dead(unsigned actor) { return Engine::the().actor(actor).state == Actor::State::dead; }
bool is_done(unsigned actor) { return Engine::the().actor(actor).state == Actor::State::done; }
bool is_asleep(unsigned actor) { return Engine::the().actor(actor).state == Actor::State::asleep; }

}  // namespace beltway::explore
