// Publishing and receiving of checked payloads.
#include "tool/bench/bench_payload.hpp"

#include <algorithm>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

PayloadSource::PayloadSource(Producer& producer, const BenchPlan& plan)
    : producer_(producer),
      size_(static_cast<std::size_t>(plan.size_bytes)),
      copy_(plan.copy || plan.batch > 1),
      in_slot_(size_ <= producer.max_inline_bytes()) {
  if (!copy_) return;
  buffer_.resize(size_ * plan.batch);
  for (std::size_t i = 0; i < plan.batch; ++i) batch_.emplace_back(buffer_.data() + i * size_, size_);
}

void PayloadSource::publish_one() {
  const std::uint64_t value = ++value_;
  if (copy_) {
    fill(std::span(buffer_).first(size_), value);
    producer_.publish(batch_.front());
  } else if (in_slot_) {
    producer_.publish(size_, [value](std::span<std::byte> place) { fill(place, value); });
  } else {
    Loan loan = producer_.loan(size_);
    fill(loan.bytes(), value);
    loan.commit();
  }
}

void PayloadSource::publish(std::uint64_t count) {
  if (batch_.size() < 2) {
    for (; count > 0; --count) publish_one();
    return;
  }
  while (count > 0) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(count, batch_.size()));
    for (std::size_t i = 0; i < now; ++i) fill(std::span(buffer_).subspan(i * size_, size_), ++value_);
    producer_.publish_batch(std::span(batch_).first(now));
    count -= now;
  }
}

PayloadSink::PayloadSink(Consumer& consumer, const BenchPlan& plan)
    : consumer_(consumer), size_(static_cast<std::size_t>(plan.size_bytes)), batch_(plan.batch) {}

void PayloadSink::receive_one() {
  Result<Message> received = consumer_.receive();
  if (!received) throw failure_of(received.status(), "bench: receive");
  check(*received);
  received->ack();
}

void PayloadSink::receive(std::uint64_t count) {
  if (batch_.size() < 2) {
    for (; count > 0; --count) receive_one();
    return;
  }
  while (count > 0) count -= receive_some(count, {});
}

std::uint64_t PayloadSink::receive_some(std::uint64_t most, const Until& until) {
  const std::span<Message> place =
      std::span(batch_).first(static_cast<std::size_t>(std::min<std::uint64_t>(most, batch_.size())));
  const Result<std::size_t> got = consumer_.receive_batch(place, until);
  if (got.status() == Status::timeout) return 0;
  if (!got) throw failure_of(got.status(), "bench: receive");
  for (const Message& message : place.first(*got)) check(message);
  ack_batch(place.first(*got));
  return *got;
}

void PayloadSink::check(const Message& message) const {
  if (message.size() != size_ || !adds_up(message.bytes())) {
    throw Failure(ExitCode::failed, "bench: the message at position " + std::to_string(message.position()) +
                                        " is not what was published");
  }
}

}  // namespace beltway::tool
