// Slices, probes and tallies.
#include "harness/leader.hpp"

#include <time.h>

#include <algorithm>

#include "tool/bench/bench_clock.hpp"
#include "tool/bench/bench_probe.hpp"
#include "tool/bench/bench_slices.hpp"

namespace beltway::bench {

namespace {

using tool::now_ns;

/// One worker's part of the slices, whoever it is.
class Worker {
 public:
  Worker(Page& page, const Spec& spec, std::uint32_t worker, std::vector<std::unique_ptr<Candidate>>& candidates)
      : page_(page), spec_(spec), worker_(worker) {
    for (const auto& candidate : candidates) endpoints_.push_back(candidate->attach(worker));
  }

  void follow() {
    tool::follow(page_.control, worker_ == 1, [this](std::uint64_t messages) {
      Endpoint& endpoint = *endpoints_[page_.candidate.value.load(std::memory_order_relaxed)];
      if (spec_.mode == Mode::latency) return endpoint.pong(messages);
      if (worker_ <= spec_.producers && worker_ != 1) return produce(endpoint, messages);
      consume(endpoint, messages);
    });
  }

  /// A producer's share: the leader takes what does not divide.
  void produce(Endpoint& endpoint, std::uint64_t messages) {
    const std::uint64_t share = messages / spec_.producers + (worker_ == 0 ? messages % spec_.producers : 0);
    if (spec_.mode == Mode::throughput) return endpoint.produce(share);
    endpoint.produce_at(share, page_.interval_ticks.value.load(std::memory_order_relaxed));
  }

  /// The leader's part; ns that the slice took. `ticks`: of its round trips.
  std::uint64_t lead(std::size_t candidate, std::uint64_t messages, tool::Histogram& ticks) {
    Endpoint& endpoint = *endpoints_[candidate];
    const std::uint64_t start = now_ns();
    if (spec_.mode == Mode::latency) {
      endpoint.ping(messages, ticks);
      return now_ns() - start;
    }
    produce(endpoint, messages);
    const std::uint64_t sent = now_ns();
    // The slice is over when the last consumer has its last message, which only they can tell.
    consumers_done_ += spec_.consumers;
    tool::wait_until(
        [&] { return page_.control.consumers_done.value.load(std::memory_order_acquire) == consumers_done_; });
    return std::max(sent, page_.control.last_receive_ns.value.load(std::memory_order_relaxed)) - start;
  }

 private:
  void consume(Endpoint& endpoint, std::uint64_t messages) {
    tool::BenchShared& control = page_.control;
    goal_ += messages;
    if (spec_.mode == Mode::one_way) {
      tool::Histogram& ticks = page_.one_way[worker_ == 1 ? 0 : worker_ - spec_.producers];
      ticks.clear();
      endpoint.consume_timed(messages, ticks);
    } else if (spec_.consumers > 1 && spec_.fanout == Fanout::shared) {
      endpoint.consume_share(control.taken.value, goal_);
    } else {
      endpoint.consume(messages);
    }
    const std::uint64_t now = now_ns();
    std::uint64_t latest = control.last_receive_ns.value.load(std::memory_order_relaxed);
    while (latest < now &&
           !control.last_receive_ns.value.compare_exchange_weak(latest, now, std::memory_order_relaxed)) {
    }
    control.consumers_done.value.fetch_add(1, std::memory_order_release);  // pairs with the acquire in lead()
  }

  Page& page_;
  const Spec& spec_;
  std::uint32_t worker_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::uint64_t goal_ = 0;
  std::uint64_t consumers_done_ = 0;
};

class Leader {
 public:
  Leader(Page& page, const Spec& spec, const Settings& settings, Worker& worker, Results& results)
      : page_(page),
        spec_(spec),
        settings_(settings),
        worker_(worker),
        results_(results),
        orders_(page.control, spec.workers() - 1),
        messages_(results.candidates.size()) {}

  void run() {
    const tool::TickScale scale;
    if (spec_.mode == Mode::one_way) {
      measure_tick(scale);
      std::ranges::fill(messages_, std::max<std::uint64_t>(16, spec_.rate * settings_.slice_ns / k_second_ns));
    }
    for (std::size_t i = 0; i < messages_.size(); ++i) warm_up(i);
    last_probe_ns_ = run_probe();
    for (std::uint32_t run = 0; run < settings_.runs; ++run) run_once(run);
    results_.ns_per_tick = scale.ns_per_tick();
    orders_.give(tool::OrderKind::end);
    orders_.await_finished();
  }

 private:
  static constexpr std::uint64_t k_second_ns = 1'000'000'000;
  static constexpr std::uint64_t k_first_warm_up_messages = 64;
  static constexpr std::uint64_t k_far_nap_ns = 500'000;

  static void nap(std::uint64_t duration_ns) {
    const timespec duration{0, static_cast<long>(duration_ns)};
    nanosleep(&duration, nullptr);
  }

  void measure_tick(const tool::TickScale& scale) {
    nap(20'000'000);
    const double interval_ns = 1e9 * spec_.producers / static_cast<double>(spec_.rate);
    page_.interval_ticks.value.store(static_cast<std::uint64_t>(interval_ns / scale.ns_per_tick()));
  }

  /// Until every candidate has the near slices that it should have, or the time is over. All take their turns in each
  /// round, also those that have enough: none is measured at another time than its neighbours.
  void run_once(std::uint32_t run) {
    const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(settings_.run_s * 1e9);
    bool enough = false;
    while (!enough && now_ns() < end) {
      enough = true;
      for (std::size_t i = 0; i < messages_.size() && now_ns() < end; ++i) {
        RunResult& result = results_.candidates[i].runs[run];
        measure_slice(i, result);
        enough = enough && result.near.probes_ns.size() >= settings_.slices;
      }
    }
  }

  void measure_slice(std::size_t candidate, RunResult& result) {
    const double before_ns = last_probe_ns_;
    if (!near(before_ns) && !settings_.keep_far) {
      ++result.far_slices;
      nap(k_far_nap_ns);  // the host decides when it is near again
      last_probe_ns_ = run_probe();
      return;
    }
    ticks_.clear();
    const std::uint64_t messages = messages_[candidate];
    const std::uint64_t elapsed_ns = std::max<std::uint64_t>(1, run_slice(candidate, messages));
    last_probe_ns_ = run_probe();
    const bool counts = near(before_ns) && near(last_probe_ns_);
    if (!counts) ++result.far_slices;
    if (counts || settings_.keep_far) {
      Tally& tally = counts ? result.near : result.far;
      tally.rates.push_back(static_cast<double>(messages) * 1e9 / static_cast<double>(elapsed_ns));
      tally.probes_ns.push_back((before_ns + last_probe_ns_) / 2);
      tally.ticks.merge(ticks_);
    }
    if (spec_.mode != Mode::one_way) messages_[candidate] = fitting(messages, elapsed_ns);
  }

  [[nodiscard]] bool near(double probe_ns) const {
    return probe_ns >= settings_.near.low_ns && probe_ns <= settings_.near.high_ns;
  }

  [[nodiscard]] std::uint64_t fitting(std::uint64_t messages, std::uint64_t elapsed_ns) const {
    const double wanted =
        static_cast<double>(messages) * static_cast<double>(settings_.slice_ns) / static_cast<double>(elapsed_ns);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  }

  /// Ever longer slices, which count for nothing, until one is about as long as it should be.
  void warm_up(std::size_t candidate) {
    if (messages_[candidate] != 0) {
      run_slice(candidate, messages_[candidate]);
      return;
    }
    for (std::uint64_t messages = k_first_warm_up_messages;;) {
      const std::uint64_t next = fitting(messages, std::max<std::uint64_t>(1, run_slice(candidate, messages)));
      messages_[candidate] = next;
      if (next < 2 * messages) return;
      messages = std::min(next, 8 * messages);
    }
  }

  std::uint64_t run_slice(std::size_t candidate, std::uint64_t messages) {
    page_.candidate.value.store(candidate, std::memory_order_relaxed);  // goes with the release in give()
    orders_.give(tool::OrderKind::slice, messages);
    const std::uint64_t elapsed_ns = worker_.lead(candidate, messages, ticks_);
    orders_.await_finished();
    if (spec_.mode == Mode::one_way) {
      for (std::uint32_t i = 0; i < spec_.consumers; ++i) ticks_.merge(page_.one_way[i]);
    }
    return elapsed_ns;
  }

  double run_probe() {
    orders_.give(tool::OrderKind::probe);
    const double result_ns = tool::probe(page_.control);
    orders_.await_finished();
    return result_ns;
  }

  Page& page_;
  const Spec& spec_;
  const Settings& settings_;
  Worker& worker_;
  Results& results_;
  tool::Orders orders_;
  std::vector<std::uint64_t> messages_;  // of a slice, for each candidate
  tool::Histogram ticks_;                // of the slice in hand
  double last_probe_ns_ = 0;
};

}  // namespace

void run_worker(Page& page, const Spec& spec, const Settings& settings, std::uint32_t number,
                std::vector<std::unique_ptr<Candidate>>& candidates, const std::function<void(Results&)>& report) {
  Worker worker(page, spec, number, candidates);
  tool::SharedWord& attached = page.control.attached;
  attached.value.fetch_add(1, std::memory_order_release);  // pairs with the acquire below
  if (number != 0) return worker.follow();
  tool::wait_until([&] { return attached.value.load(std::memory_order_acquire) == spec.workers(); });
  Results results;
  results.candidates.resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    results.candidates[i].bytes_in_flight = candidates[i]->bytes_in_flight();
    results.candidates[i].runs.resize(settings.runs);
  }
  Leader(page, spec, settings, worker, results).run();
  report(results);
}

}  // namespace beltway::bench
