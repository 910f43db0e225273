// The receiving loop.
#include "tool/commands/subscribing.hpp"

#include <algorithm>

#include "tool/process/interrupt.hpp"

namespace beltway::tool {

Subscribing::Subscribing(Consumer& consumer, const SubscribePlan& plan, Output& output, std::stop_token stop)
    : consumer_(consumer),
      plan_(plan),
      output_(output),
      writer_(output, plan.format, plan.properties),
      stop_(std::move(stop)),
      batch_(std::max<std::size_t>(1, plan.batch)) {}

Status Subscribing::run() {
  std::optional<Until> until;
  while (!plan_.count || messages_ < *plan_.count) {
    if (!until) until = plan_.timeout ? Until(*plan_.timeout, stop_) : Until(stop_);
    const std::uint64_t left = plan_.count ? *plan_.count - messages_ : batch_.size();
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(left, batch_.size()));
    const Result<std::size_t> got = consumer_.receive_batch(std::span(batch_).first(most), *until);
    if (got) {
      last_at_ = std::chrono::steady_clock::now();
      if (messages_ == 0) first_at_ = last_at_;
      take(std::span(batch_).first(*got));
      if (plan_.progress != nullptr) plan_.progress->set(messages_, bytes_);
      until.reset();
      if (stop_.stop_requested()) return Status::stopped;
    } else {
      return got.status();
    }
  }
  return Status::ok;
}

void Subscribing::take(std::span<Message> batch) {
  auto unwritten = batch.begin();  // received, and perhaps in the buffer, but not surely written
  const auto settle = [&](auto end) {
    std::for_each(unwritten, end, [this](const Message& message) { count_one(message); });
    ack_batch({unwritten, end});
    unwritten = end;
  };
  try {
    for (auto message = batch.begin(); message != batch.end() && !stop_.stop_requested(); ++message) {
      writer_.write(*message);
      if (output_.pending() == 0) {
        settle(message + 1);
      } else if (message + 1 == batch.end() || stop_.stop_requested()) {
        output_.flush();
        settle(message + 1);
      }
    }
  } catch (const Stopped&) {  // NOLINT(bugprone-empty-catch): handled below
    // The reader does not read: what it has not got goes back with the rest.
  }
  for (Message& message : batch) {
    if (message) message.nack();
  }
}

void Subscribing::count_one(const Message& message) {
  ++messages_;
  bytes_ += message.size();
  lost_ += message.lost();
  redelivered_ += message.deliveries() > 1 ? 1 : 0;
  if (plan_.digest) digest_.add(message.bytes());
}

}  // namespace beltway::tool
