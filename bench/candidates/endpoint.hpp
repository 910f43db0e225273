// The loops of a slice, made for each channel so that its calls are inlined, and the candidate made of one or two channels.
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>

#include "candidates/candidate.hpp"
#include "tool/bench/bench_clock.hpp"

namespace beltway::bench {

template <class Channel>
class EndpointOf final : public Endpoint {
 public:
  EndpointOf(const Spec& spec, Channel* out, Channel* in, std::uint32_t index) : batch_(spec.batch) {
    if (out != nullptr) sender_.emplace(*out, index);
    if (in != nullptr) receiver_.emplace(*in, index);
  }

  void ping(std::uint64_t rounds, tool::Histogram& ticks) override {
    for (std::uint64_t before = tool::now_ticks(); rounds > 0; --rounds) {
      sender_->send(++value_);
      static_cast<void>(receiver_->receive());
      const std::uint64_t after = tool::now_ticks();
      ticks.record(after - before);
      before = after;
    }
  }

  void pong(std::uint64_t rounds) override {
    for (; rounds > 0; --rounds) sender_->send(receiver_->receive());
  }

  void produce(std::uint64_t count) override {
    if constexpr (requires(typename Channel::Sender& sender) { sender.send_many(0, 1); }) {
      while (count > 0) {
        const std::uint64_t now = std::min<std::uint64_t>(count, batch_);
        sender_->send_many(value_ + 1, now);
        value_ += now;
        count -= now;
      }
    } else {
      for (; count > 0; --count) sender_->send(++value_);
    }
  }

  void consume(std::uint64_t count) override {
    if constexpr (k_receives_many) {
      while (count > 0) count -= receiver_->receive_many(count);
    } else {
      for (; count > 0; --count) static_cast<void>(receiver_->receive());
    }
  }

  void consume_share([[maybe_unused]] std::atomic<std::uint64_t>& taken, [[maybe_unused]] std::uint64_t goal) override {
    if constexpr (requires(typename Channel::Receiver& receiver, std::uint64_t& value) {
                    receiver.try_receive(value);
                  }) {
      constexpr unsigned k_tell_after = 64;
      constexpr unsigned k_patience = 1000;  // fruitless tries before looking whether all is taken
      unsigned untold = 0;
      unsigned fruitless = 0;
      const auto tell = [&] {
        const std::uint64_t all = taken.fetch_add(untold, std::memory_order_relaxed) + untold;
        untold = 0;
        return all;
      };
      for (;;) {
        std::uint64_t value = 0;
        if (receiver_->try_receive(value)) {
          fruitless = 0;
          if (++untold == k_tell_after && tell() >= goal) return;
        } else if (++fruitless == k_patience) {
          fruitless = 0;
          if (tell() >= goal) return;
          sched_yield();
        }
      }
    }
  }

  void produce_at(std::uint64_t count, std::uint64_t interval_ticks) override {
    std::uint64_t due = tool::now_ticks() + interval_ticks;
    for (; count > 0; --count, due += interval_ticks) {
      while (tool::now_ticks() < due) continue;
      sender_->send(due);
    }
  }

  void consume_timed(std::uint64_t count, tool::Histogram& ticks) override {
    for (; count > 0; --count) {
      const std::uint64_t due = receiver_->receive();
      const std::uint64_t now = tool::now_ticks();
      ticks.record(now > due ? now - due : 0);
    }
  }

 private:
  static constexpr bool k_receives_many =
      requires(typename Channel::Receiver& receiver) { receiver.receive_many(std::uint64_t{1}); };

  std::optional<typename Channel::Sender> sender_;
  std::optional<typename Channel::Receiver> receiver_;
  std::uint64_t value_ = 0;
  std::uint32_t batch_;
};

template <class Channel>
class CandidateOf final : public Candidate {
 public:
  explicit CandidateOf(const Spec& spec, const std::string& name)
      : spec_(spec), there_(spec_, spec.name + "-" + name + "-there") {
    if (spec.mode == Mode::latency) back_.emplace(spec_, spec.name + "-" + name + "-back");
  }

  std::unique_ptr<Endpoint> attach(std::uint32_t worker) override {
    using Made = EndpointOf<Channel>;
    if (back_) {
      Channel& back = *back_;
      return worker == 0 ? std::make_unique<Made>(spec_, &there_, &back, 0U)
                         : std::make_unique<Made>(spec_, &back, &there_, 0U);
    }
    if (worker == 1) return std::make_unique<Made>(spec_, nullptr, &there_, 0U);
    if (worker <= spec_.producers) return std::make_unique<Made>(spec_, &there_, nullptr, worker == 0 ? 0 : worker - 1);
    return std::make_unique<Made>(spec_, nullptr, &there_, worker - spec_.producers);
  }

  std::uint64_t bytes_in_flight() const override { return there_.bytes_in_flight(); }

 private:
  const Spec spec_;
  Channel there_;
  std::optional<Channel> back_;
};

[[nodiscard]] inline bool can(const Traits& traits, const Spec& spec) noexcept {
  if (traits.round_trips_only && spec.mode != Mode::latency) return false;
  if (traits.throughput_only && spec.mode != Mode::throughput) return false;
  if (spec.producers > 1 && !traits.many_producers) return false;
  if (spec.consumers > 1) return spec.fanout == Fanout::all ? traits.broadcast : traits.shared;
  return true;
}

/// `fits`: what beside the traits a scenario must be.
template <class Channel>
void add(Entries& entries, const std::string& name, const std::string& what,
         const std::function<bool(const Spec&)>& fits = {}) {
  entries.push_back({name, what,
                     [fits](const Spec& spec) { return can(Channel::k_traits, spec) && (!fits || fits(spec)); },
                     [name](const Spec& spec) { return std::make_unique<CandidateOf<Channel>>(spec, name); }});
}

}  // namespace beltway::bench
