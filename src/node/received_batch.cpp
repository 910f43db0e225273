#include "node/received_batch.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "endpoint/overwriting.hpp"
#include "node/encoded_properties.hpp"
#include "node/record.hpp"

namespace beltway::node {

namespace {

/// Messages. The reader has brought the line in which a message begins; the copy would wait for the one in which it ends.
constexpr std::size_t k_prefetch_distance = 8;

void prefetch_end(const Message& message) noexcept {
  const std::span<const std::byte> bytes = message.bytes();
  if (!bytes.empty()) __builtin_prefetch(&bytes.back());
}

}  // namespace

void ReceivedBatch::set_memory(std::span<std::byte> memory) {
  memory_ = memory.size() > k_entries_bytes ? memory : std::span<std::byte>();
  if (messages_.empty()) messages_.resize(k_most);
}

void ReceivedBatch::clear() noexcept {
  messages_.clear();
  memory_ = {};
  held_ = 0;
  begin();
}

std::span<Message> ReceivedBatch::room(std::size_t count) {
  // Messages that are not kept are empty after add(): their objects are used again.
  const auto free = std::span(messages_).subspan(keeps_ ? count_ : 0);
  return free.first(std::min({count, free.size(), k_most - count_}));
}

ReceivedBatch::Added ReceivedBatch::add(std::span<Message> run) {
  std::size_t taken = 0;
  std::size_t needed = 0;
  while (taken < run.size() && needed == 0) {
    if (taken + k_prefetch_distance < run.size()) prefetch_end(run[taken + k_prefetch_distance]);
    needed = copy(run[taken], count_ + taken);
    if (needed == 0) ++taken;
  }
  count_ours(run.first(taken));
  return {taken, needed};
}

std::size_t ReceivedBatch::copy(const Message& message, std::size_t index) {
  const std::span<const std::byte> bytes = message.bytes();
  const std::size_t end = aligned(used_ + bytes.size());
  if (end > memory_.size()) return end - used_;
  BatchEntry head{
      .begin = static_cast<std::uint32_t>(used_),
      .size = static_cast<std::uint32_t>(bytes.size()),
      .position = static_cast<double>(message.position()),
      .properties_begin = 0,
      .properties_bytes = 0,
      .deliveries = message.deliveries(),
      .reserved = 0,
  };
  if (message.has_properties()) [[unlikely]] {
    if (const std::size_t needed = copy_properties(message, head); needed != 0) return needed;
  } else {
    used_ = end;
  }
  if (!bytes.empty()) std::memcpy(memory_.data() + head.begin, bytes.data(), bytes.size());
  std::memcpy(entry(index), &head, sizeof head);
  return 0;
}

std::size_t ReceivedBatch::copy_properties(const Message& message, BatchEntry& head) {
  const EncodedProperties properties(message);
  const std::size_t begin = aligned(used_ + message.size());
  const std::size_t end = aligned(begin + properties.size());
  if (end > memory_.size()) return end - used_;
  properties.copy_to(memory_.data() + begin);
  head.properties_begin = static_cast<std::uint32_t>(begin);
  head.properties_bytes = static_cast<std::uint32_t>(properties.size());
  used_ = end;
  return 0;
}

void ReceivedBatch::count_ours(std::span<Message> copied) noexcept {
  std::size_t ours = copied.size();
  // The question comes after the copies: what it asks may have become true while they were made.
  if (!keeps_ || (!copied.empty() && endpoint::may_be_overwritten(copied.front()))) {
    ours = 0;
    for (std::size_t i = 0; i < copied.size(); ++i) {
      Message& message = copied[i];
      if (!(keeps_ ? message.still_held() : message.ack())) {
        message = Message();
        continue;
      }
      if (i != ours) {
        std::memcpy(entry(count_ + ours), entry(count_ + i), sizeof(BatchEntry));
        copied[ours] = std::move(message);
      }
      ++ours;
    }
  }
  count_ += ours;
  if (keeps_) held_ += ours;
}

Message* ReceivedBatch::find(std::size_t index) noexcept {
  if (!keeps_ || index >= count_ || !messages_[index]) return nullptr;
  return &messages_[index];
}

Message ReceivedBatch::take(std::size_t index) noexcept {
  Message* const found = find(index);
  if (found == nullptr) return {};
  --held_;
  return std::move(*found);
}

std::size_t ReceivedBatch::ack() noexcept {
  if (held_ == 0) return 0;
  held_ = 0;
  return ack_batch(std::span(messages_).first(count_));
}

}  // namespace beltway::node
