// The inside of the explorer: actors, what they may still do, and who runs. See explorer.hpp for what it models.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "choices.hpp"
#include "explorer.hpp"
#include "fiber.hpp"
#include "memory.hpp"
#include "store_buffer.hpp"

namespace beltway::explore {

inline constexpr std::size_t k_max_event_sets = 8;
/// A sleep of so long or longer never ends by itself.
inline constexpr std::uint64_t k_for_ever_ns = 1'000'000'000;

/// What an endpoint in event mode listens with.
struct EventSetModel {
  int bell = 0;
  Edges edges;
};

struct Actor {
  enum class State : std::uint8_t { waiting, ready, asleep, done, dead };

  std::unique_ptr<Stack> stack;
  Context context{};
  std::function<void()> job;
  ActorOptions options;
  State state = State::waiting;
  const void* sleeps_on = nullptr;  // a word or an event set
  bool woken = false;
  std::uint64_t patience_ns = 0;
  bool timed_out = false;
  bool fused = false;  // see cpu_relax()
  StoreBuffer buffer;
};

class Engine {
 public:
  static Engine& the();

  Outcome explore(const Scenario& scenario);
  unsigned add(std::function<void()> job, ActorOptions options);

  /// False in setup and check: there is nobody to interleave with.
  [[nodiscard]] bool active() const noexcept { return current_ >= 0; }
  [[nodiscard]] Actor& me() noexcept { return actors_[static_cast<std::size_t>(current_)]; }
  [[nodiscard]] Actor& actor(unsigned number) noexcept { return actors_[number]; }

  /// Before an access that others can notice: somebody else may go on first.
  void point();
  /// Before a store: it may be the last thing that this actor does not do.
  void kill_point();
  /// Before an access to `word`: what others stored there becomes visible, or stays unseen.
  void settle(const std::uint64_t& word);
  void flush(Actor& actor);
  void flush_everybody();
  [[nodiscard]] bool keeps_stores() const noexcept { return bounds_.delays != 0; }

  /// Wakes those who sleep on `place` now. `what`: for the trace.
  void wake(const void* place, const char* what);
  void ring(int bell);
  /// False if the patience ended first.
  bool sleep(const void* place, std::uint64_t patience_ns);
  int add_event_set(int bell);
  [[nodiscard]] EventSetModel& event_set(int set) noexcept { return event_sets_[static_cast<std::size_t>(set)]; }
  [[nodiscard]] std::uint64_t now_ns() const noexcept { return now_ns_; }
  void pass_time(std::uint64_t ns) noexcept { now_ns_ += ns; }

  void fail(const char* what);
  [[nodiscard]] bool tracing() const noexcept { return tracing_; }
  void trace(const char* format, ...) __attribute__((format(printf, 2, 3)));
  /// One access of the running actor. `outcome`: null or what came of it.
  void trace_access(const char* what, const std::uint64_t& word, std::uint64_t value, const char* outcome = nullptr);
  void set_describe(Describe describe) { describe_ = describe; }

 private:
  static constexpr int k_nobody = -1;
  static constexpr int k_kill = -2;
  static constexpr unsigned k_max_points = 20'000;
  static constexpr unsigned k_odds = 12;

  Engine();
  static void body();
  void run(const Scenario& scenario);
  void reset();
  [[nodiscard]] bool runnable(const Actor& actor) const;
  int pick(bool may_stay);
  void switch_to(int next);
  void hand_over();
  [[noreturn]] void die();
  [[noreturn]] void stop();
  void settle_with(Actor& other, const std::uint64_t& word);
  void show(Actor& owner, const BufferedStore& store);

  Bounds bounds_;
  Choices choices_;
  std::array<Actor, k_max_actors> actors_;
  std::size_t actor_count_ = 0;
  int current_ = k_nobody;
  Context main_{};
  unsigned preemptions_ = 0;
  unsigned delays_ = 0;
  unsigned kills_ = 0;
  unsigned timeouts_ = 0;
  unsigned points_ = 0;
  std::uint64_t now_ns_ = 0;
  std::array<EventSetModel, k_max_event_sets> event_sets_{};
  int event_set_count_ = 0;
  Describe describe_ = nullptr;

  bool tracing_ = false;
  std::string failure_;
  std::string trace_;
};

}  // namespace beltway::explore
