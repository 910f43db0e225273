// Producer's calls that take properties, and loans with properties. See properties_block.hpp.
#include <string>

#include "beltway/error.hpp"
#include "endpoint/producer_core.hpp"
#include "endpoint/properties_block.hpp"

namespace beltway {

namespace {

using endpoint::ProducerCore;
using endpoint::PropertiesBlock;

[[noreturn, gnu::cold]] void throw_excess(const ProducerCore& core, const endpoint::PropertyExcess& excess) {
  throw Error(Errc::too_large, "publish to \"" + core.queue_name() + "\": a " + excess.what + " of " +
                                   std::to_string(excess.size) + " " + excess.unit +
                                   ", but a message may have at most " + std::to_string(excess.limit) +
                                   "; put what is larger into the payload");
}
/// Also refuses sizes to which a block cannot be added.
void check(const ProducerCore& core, const Properties& properties, std::size_t size) {
  if (const auto excess = endpoint::find_excess(properties)) throw_excess(core, *excess);
  if (size > k_max_message_bytes) core.throw_status(Status::too_large, size);
}
bool is_too_large(const Properties& properties, std::size_t size) noexcept {
  return size > k_max_message_bytes || endpoint::find_excess(properties);
}

/// A message with properties: `fill(std::byte*)` writes the `size` bytes of the payload.
template <class Fill>
class Extended {
 public:
  Extended(ProducerCore& core, const Properties& properties, std::size_t size, Fill fill,
           std::uint64_t sequence) noexcept
      : core_(core), block_(properties), size_(size), fill_(fill), sequence_(sequence) {
    if (bytes() > core.max_inline_bytes()) block_.pad_to_lines();
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return block_.size() + size_; }
  /// One attempt to publish it.
  Status put() {
    block_.stamp();
    const auto write = [this](std::byte* place) noexcept(noexcept(fill_(place))) {
      detail::copy_racing(place, block_.data(), block_.size());
      fill_(place + block_.size());
    };
    if (sequence_ != 0) return core_.put_sequenced(size_, write, sequence_, block_.size());
    return core_.put(size_, write, block_.size());
  }

 private:
  ProducerCore& core_;
  PropertiesBlock block_;
  const std::size_t size_;
  const Fill fill_;
  const std::uint64_t sequence_;  // 0: none
};

template <class Fill>
std::uint64_t run_blocking(ProducerCore& core, const Properties& properties, std::size_t size, Fill fill,
                           std::uint64_t sequence = 0) {
  check(core, properties, size);
  Extended message(core, properties, size, fill, sequence);
  core.run_blocking(message.bytes(), [&] { return message.put(); });
  return core.last();
}
template <class Fill>
Status run_try(ProducerCore& core, const Properties& properties, std::size_t size, Fill fill,
               std::uint64_t sequence = 0) {
  const detail::SingleUse<detail::InlinePublisher> use(core);
  if (is_too_large(properties, size)) return Status::too_large;
  Extended message(core, properties, size, fill, sequence);
  return core.run_try([&] { return message.put(); });
}
template <class Fill>
Status run_until(ProducerCore& core, const Properties& properties, std::size_t size, Fill fill, const Until& until,
                 std::uint64_t sequence = 0) {
  if (is_too_large(properties, size)) return Status::too_large;
  Extended message(core, properties, size, fill, sequence);
  return core.run_until(until, [&] { return message.put(); });
}

detail::CopyOf copy_of(const ProducerCore& core, const Bytes& message) noexcept {
  core.touch(message);
  return {message};
}

/// A fill that lays parts end to end.
struct CopyOfParts {
  std::span<const Bytes> parts;
  std::size_t size;

  CopyOfParts(const ProducerCore& core, std::span<const Bytes> of) noexcept
      : parts(of), size(endpoint::total_size(of)) {
    core.touch_parts(parts, size);
  }
  void operator()(std::byte* place) const noexcept {
    for (const Bytes& part : parts) {
      detail::copy_racing(place, part.data(), part.size());
      place += part.size();
    }
  }
};

/// A fill that calls a callback.
struct CallOf {
  detail::Writer writer;
  std::size_t size;
  void operator()(std::byte* place) const { writer.call(writer.object, {place, size}); }
};

}  // namespace

std::uint64_t Producer::publish(Bytes message, const Properties& properties) {
  return run_blocking(core(), properties, message.size(), copy_of(core(), message));
}
Status Producer::try_publish(Bytes message, const Properties& properties) {
  return run_try(core(), properties, message.size(), copy_of(core(), message));
}
Status Producer::publish_until(Bytes message, const Properties& properties, const Until& until) {
  return run_until(core(), properties, message.size(), copy_of(core(), message), until);
}

std::uint64_t Producer::publish_parts(std::span<const Bytes> parts, const Properties& properties) {
  const CopyOfParts fill(core(), parts);
  return run_blocking(core(), properties, fill.size, fill);
}
Status Producer::try_publish_parts(std::span<const Bytes> parts, const Properties& properties) {
  const CopyOfParts fill(core(), parts);
  return run_try(core(), properties, fill.size, fill);
}
Status Producer::publish_parts_until(std::span<const Bytes> parts, const Properties& properties, const Until& until) {
  const CopyOfParts fill(core(), parts);
  return run_until(core(), properties, fill.size, fill, until);
}

std::uint64_t Producer::publish_writer(std::size_t size, const Properties& properties, detail::Writer writer) {
  return run_blocking(core(), properties, size, CallOf{writer, size});
}
Status Producer::try_publish_writer(std::size_t size, const Properties& properties, detail::Writer writer) {
  return run_try(core(), properties, size, CallOf{writer, size});
}
Status Producer::publish_writer_until(std::size_t size, const Properties& properties, detail::Writer writer,
                                      const Until& until) {
  return run_until(core(), properties, size, CallOf{writer, size}, until);
}

// With options. An error of the sequence number comes before all others.

namespace {
bool is_duplicate(const ProducerCore& core, const PublishOptions& options) {
  return options.sequence != 0 && core.is_duplicate(options.sequence);
}
}  // namespace

Result<std::uint64_t> Producer::publish(Bytes message, const PublishOptions& options) {
  if (is_duplicate(core(), options)) return Status::duplicate;
  return run_blocking(core(), options.properties, message.size(), copy_of(core(), message), options.sequence);
}
Status Producer::try_publish(Bytes message, const PublishOptions& options) {
  if (is_duplicate(core(), options)) return Status::duplicate;
  return run_try(core(), options.properties, message.size(), copy_of(core(), message), options.sequence);
}
Status Producer::publish_until(Bytes message, const PublishOptions& options, const Until& until) {
  if (is_duplicate(core(), options)) return Status::duplicate;
  return run_until(core(), options.properties, message.size(), copy_of(core(), message), until, options.sequence);
}
Result<std::uint64_t> Producer::publish_writer(std::size_t size, detail::Writer writer, const PublishOptions& options) {
  if (is_duplicate(core(), options)) return Status::duplicate;
  return run_blocking(core(), options.properties, size, CallOf{writer, size}, options.sequence);
}
Status Producer::try_publish_writer(std::size_t size, detail::Writer writer, const PublishOptions& options) {
  if (is_duplicate(core(), options)) return Status::duplicate;
  return run_try(core(), options.properties, size, CallOf{writer, size}, options.sequence);
}
Status Producer::publish_writer_until(std::size_t size, detail::Writer writer, const PublishOptions& options,
                                      const Until& until) {
  if (is_duplicate(core(), options)) return Status::duplicate;
  return run_until(core(), options.properties, size, CallOf{writer, size}, until, options.sequence);
}

// Loans. The block is written when the memory is lent. It has whole cache lines, so that the payload is aligned as without. Bits
// of Loan::block_ beyond the size say which times the commit writes.

namespace {

constexpr std::uint64_t k_loan_has_publish_time = std::uint64_t{1} << 63;
constexpr unsigned k_loan_due_time_shift = 48;
constexpr std::uint64_t k_loan_due_time_mask = 0xff;  // where the due time lies in the block; 0: there is none

std::uint64_t times_of(const PropertiesBlock& block) noexcept {
  return (block.stamps() ? k_loan_has_publish_time : 0) |
         (block.expires() ? std::uint64_t{block.due_time_at()} << k_loan_due_time_shift : 0);
}

}  // namespace

Loan Producer::loan(std::size_t size, const Properties& properties) {
  check(core(), properties, size);
  PropertiesBlock block(properties);
  block.pad_to_lines();
  Loan lent = loan(size + block.size());
  lent.begin_with(block.data(), block.size(), times_of(block));
  return lent;
}
Result<Loan> Producer::loan_until(std::size_t size, const Properties& properties, const Until& until) {
  if (is_too_large(properties, size)) return Status::too_large;
  PropertiesBlock block(properties);
  block.pad_to_lines();
  Result<Loan> lent = loan_until(size + block.size(), until);
  if (lent) lent->begin_with(block.data(), block.size(), times_of(block));
  return lent;
}
Result<Loan> Producer::try_loan(std::size_t size, const Properties& properties) {
  if (is_too_large(properties, size)) return Status::too_large;
  PropertiesBlock block(properties);
  block.pad_to_lines();
  Result<Loan> lent = try_loan(size + block.size());
  if (lent) lent->begin_with(block.data(), block.size(), times_of(block));
  return lent;
}

void Loan::begin_with(const std::byte* block, std::size_t bytes, std::uint64_t times) noexcept {
  detail::copy_racing(data_, block, bytes);
  data_ += bytes;
  size_ -= bytes;
  block_ = bytes | times;
}

void Loan::stamp() noexcept {
  std::byte* const block = data_ - block_bytes();
  if ((block_ & k_loan_has_publish_time) != 0) {
    reinterpret_cast<detail::Word*>(block + endpoint::k_publish_time_offset)
        ->store_relaxed(endpoint::publish_time_now());
  }
  if (const std::uint64_t due_time_at = block_ >> k_loan_due_time_shift & k_loan_due_time_mask; due_time_at != 0) {
    // The first attempt to commit it makes the ttl a time; then it stays.
    auto& field = *reinterpret_cast<detail::Word*>(block + due_time_at);
    field.store_relaxed(endpoint::due_time_after(field.load_relaxed()));
    block_ &= ~(k_loan_due_time_mask << k_loan_due_time_shift);
  }
}

}  // namespace beltway
