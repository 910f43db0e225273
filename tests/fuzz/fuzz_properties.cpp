// The reader of a properties block, over bytes that a peer may have written: every text lies inside of the block, and what makes
// sense comes out the same when it is published again.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "endpoint/properties_block.hpp"

namespace {

using namespace beltway;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Reads each byte, so that the sanitizer sees it.
std::size_t sum(std::string_view text, std::span<const std::byte> block) {
  if (text.empty()) return 0;
  const auto* const begin = reinterpret_cast<const char*>(block.data());
  require(text.data() >= begin && text.data() + text.size() <= begin + block.size());
  std::size_t all = 0;
  for (const char each : text) all += static_cast<unsigned char>(each);
  return all;
}

std::size_t read_all(const PropertiesView& view, std::span<const std::byte> block) {
  std::size_t all = sum(view.key(), block) + sum(view.correlation_id(), block) + sum(view.reply_to(), block) +
                    sum(view.content_type(), block) + sum(view.trace_id(), block);
  require(view.headers().size() <= k_max_headers);
  for (const MessageHeader& header : view.headers()) all += sum(header.name, block) + sum(header.value, block);
  if (const DeadLetter* const letter = view.dead_letter()) all += sum(letter->queue, block) + sum(letter->group, block);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> block(reinterpret_cast<const std::byte*>(data), size);
  const PropertiesView view(block);
  const std::size_t all = read_all(view, block);
  Properties properties = view;
  require(properties.ttl.count() == 0);
  if (const auto due = view.expires_at())
    properties.ttl = std::chrono::microseconds(due->time_since_epoch() / std::chrono::microseconds(1) + 1);
  if (endpoint::find_excess(properties)) return 0;  // headers of more than 4 KiB: no block of ours has them
  endpoint::PropertiesBlock again(properties);
  again.stamp();
  const std::span<const std::byte> written(again.data(), again.size());
  const PropertiesView same(written);
  require(same.expires_at().has_value() == view.expires_at().has_value());
  require(!same.is_damaged() && same.headers().size() == view.headers().size());
  require(read_all(same, written) == all);
  return 0;
}
