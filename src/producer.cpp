// The public Producer and Loan, on top of ProducerCore.
#include "beltway/producer.hpp"

#include <string>

#include "beltway/error.hpp"
#include "producer_core.hpp"

namespace beltway {

namespace {

std::size_t total_size(std::span<const Bytes> parts) noexcept {
  std::size_t size = 0;
  for (const Bytes& part : parts) size += part.size();
  return size;
}

/// An attempt to publish one message, as the forms of ProducerCore want it.
auto publishing(detail::ProducerCore& core, const Bytes& message) noexcept {
  return [&core, message] {
    return core.put(message.size(),
                    [message](std::byte* place) noexcept { copy_racing(place, message.data(), message.size()); });
  };
}

auto publishing_parts(detail::ProducerCore& core, std::span<const Bytes> parts, std::size_t size) noexcept {
  for (const Bytes& part : parts) detail::touch(part);
  return [&core, parts, size] {
    return core.put(size, [parts](std::byte* place) noexcept {
      for (const Bytes& part : parts) {
        copy_racing(place, part.data(), part.size());
        place += part.size();
      }
    });
  };
}

auto publishing_writer(detail::ProducerCore& core, std::size_t size, detail::Writer writer) noexcept {
  return [&core, size, writer] {
    return core.put(size, [size, writer](std::byte* place) { writer.call(writer.object, {place, size}); });
  };
}

// Each is three ways: at once, at once with something to do afterwards, and the general one. What is not the first is out of
// line, so that the way of most messages saves no registers for them.
using detail::ProducerCore;
[[gnu::noinline]] std::uint64_t publish_end(ProducerCore& core) noexcept {
  core.after_put();
  return core.position();
}
[[gnu::noinline]] Status try_publish_end(ProducerCore& core) noexcept {
  core.after_put();
  return Status::ok;
}
template <class Slowly>
[[gnu::always_inline]] inline std::uint64_t publish(ProducerCore& core, ProducerCore::Put put, const Slowly& slowly) {
  if (put == ProducerCore::Put::done) [[likely]]
    return core.position();
  return put == ProducerCore::Put::more_to_do ? publish_end(core) : slowly();
}
template <class Slowly>
[[gnu::always_inline]] inline Status try_publish(ProducerCore& core, ProducerCore::Put put, const Slowly& slowly) {
  if (put == ProducerCore::Put::done) [[likely]]
    return Status::ok;
  return put == ProducerCore::Put::more_to_do ? try_publish_end(core) : slowly();
}

[[gnu::noinline]] std::uint64_t publish_slowly(ProducerCore& core, Bytes message) {
  core.blocking(message.size(), publishing(core, message));
  return core.position();
}
[[gnu::noinline]] Status try_publish_slowly(ProducerCore& core, Bytes message) {
  return core.once(publishing(core, message));
}
// More than is copied without a call.
[[gnu::always_inline]] inline ProducerCore::Put put_larger_now(ProducerCore& core, const Bytes& message) noexcept {
  const auto copy = [&](std::byte* place) noexcept { copy_racing(place, message.data(), message.size()); };
  return core.put_now(message.size(), copy);
}
[[gnu::noinline]] std::uint64_t publish_larger(ProducerCore& core, Bytes message) {
  return publish(core, put_larger_now(core, message), [&] { return publish_slowly(core, message); });
}
[[gnu::noinline]] Status try_publish_larger(ProducerCore& core, Bytes message) {
  return try_publish(core, put_larger_now(core, message), [&] { return try_publish_slowly(core, message); });
}

/// An attempt to publish what is left of a batch; `done` counts.
auto publishing_batch(detail::ProducerCore& core, std::span<const Bytes> messages, std::size_t& done) noexcept {
  return [&core, messages, &done] {
    const std::size_t before = done;
    Status status = Status::ok;
    for (;;) {
      done += core.put_some_now(messages.subspan(done));
      if (done == messages.size()) break;
      detail::touch(messages[done]);
      status = publishing(core, messages[done])();
      if (status != Status::ok) break;
      ++done;
    }
    if (done != before && status != Status::ok) core.announce();
    return status;
  };
}

}  // namespace

Producer make_producer(Attachment attachment, const ProducerOptions& options) {
  return Producer(new detail::ProducerCore(std::move(attachment), options));
}

void detail::ProducerCoreDeleter::operator()(ProducerCore* core) const noexcept { delete core; }

std::uint64_t Producer::publish(Bytes message) {
  detail::touch(message);
  return beltway::publish(*core_, core_->put_small_now(message), [&] {
    return core_->may_put_now() ? publish_larger(*core_, message) : publish_slowly(*core_, message);
  });
}
Status Producer::try_publish(Bytes message) {
  detail::touch(message);
  return beltway::try_publish(*core_, core_->put_small_now(message), [&] {
    return core_->may_put_now() ? try_publish_larger(*core_, message) : try_publish_slowly(*core_, message);
  });
}
Status Producer::publish_until(Bytes message, const Until& until) {
  detail::touch(message);
  return core_->until(until, publishing(*core_, message));
}

std::uint64_t Producer::publish_parts(std::span<const Bytes> parts) {
  const std::size_t size = total_size(parts);
  core_->blocking(size, publishing_parts(*core_, parts, size));
  return core_->position();
}
Status Producer::try_publish_parts(std::span<const Bytes> parts) {
  return core_->once(publishing_parts(*core_, parts, total_size(parts)));
}
Status Producer::publish_parts_until(std::span<const Bytes> parts, const Until& until) {
  return core_->until(until, publishing_parts(*core_, parts, total_size(parts)));
}

std::uint64_t Producer::publish_writer(std::size_t size, detail::Writer writer) {
  const auto write = [&](std::byte* place) { writer.call(writer.object, {place, size}); };
  return beltway::publish(*core_, core_->put_now(size, write), [&] {
    core_->blocking(size, publishing_writer(*core_, size, writer));
    return core_->position();
  });
}
Status Producer::try_publish_writer(std::size_t size, detail::Writer writer) {
  const auto write = [&](std::byte* place) { writer.call(writer.object, {place, size}); };
  return beltway::try_publish(*core_, core_->put_now(size, write),
                              [&] { return core_->once(publishing_writer(*core_, size, writer)); });
}
Status Producer::publish_writer_until(std::size_t size, detail::Writer writer, const Until& until) {
  return core_->until(until, publishing_writer(*core_, size, writer));
}

void Producer::publish_batch(std::span<const Bytes> messages) {
  std::size_t done = 0;
  const auto attempt = publishing_batch(*core_, messages, done);
  core_->blocking(0, [&] {
    const Status status = attempt();
    if (status == Status::too_large) core_->throw_status(status, messages[done].size());
    return status;
  });
}
Producer::BatchResult Producer::try_publish_batch(std::span<const Bytes> messages) {
  BatchResult result;
  result.status = core_->once(publishing_batch(*core_, messages, result.count));
  return result;
}
Producer::BatchResult Producer::publish_batch_until(std::span<const Bytes> messages, const Until& until) {
  BatchResult result;
  result.status = core_->until(until, publishing_batch(*core_, messages, result.count));
  return result;
}

Lent Producer::loan(std::size_t size, const Until& until) {
  Lane::Lent lent;
  const Status status = core_->until(until, [&] { return core_->lend(size, lent); });
  if (status == Status::too_large || status == Status::full) core_->throw_status(status, size);
  if (status != Status::ok) return status;
  return Loan(core_.get(), lent.data, size, lent.record);
}
Lent Producer::try_loan(std::size_t size) {
  Lane::Lent lent;
  const Status status = core_->once([&] { return core_->lend(size, lent); });
  if (status != Status::ok) return status;
  return Loan(core_.get(), lent.data, size, lent.record);
}

int Producer::fd() { return core_->fd(); }
std::size_t Producer::max_message_bytes() const noexcept { return core_->max_message_bytes(); }
std::size_t Producer::max_inline_bytes() const noexcept { return core_->max_inline_bytes(); }
ProducerCounters Producer::counters() const noexcept { return core_->counters(); }
unsigned Producer::index() const noexcept { return core_->index(); }
const std::string& Producer::queue_name() const noexcept { return core_->queue_name(); }

namespace {

void check_loan(const detail::ProducerCore* core, std::size_t lent, std::size_t size) {
  if (core == nullptr) throw Error(Errc::misuse, "commit: this loan was committed, dropped or moved from before");
  if (size <= lent) return;
  throw Error(Errc::misuse, "commit to \"" + core->queue_name() + "\": " + std::to_string(size) +
                                " bytes of a loan of " + std::to_string(lent) + "; lend what is needed");
}

}  // namespace

std::uint64_t Loan::commit(std::size_t size) {
  check_loan(core_, size_, size);
  core_->blocking(size, [&] { return core_->put_loan(data_, record_, size); });
  return std::exchange(core_, nullptr)->position();
}
Status Loan::try_commit(std::size_t size) {
  check_loan(core_, size_, size);
  const Status status = core_->once([&] { return core_->put_loan(data_, record_, size); });
  if (status == Status::ok) core_ = nullptr;
  return status;
}
Status Loan::commit_until(std::size_t size, const Until& until) {
  check_loan(core_, size_, size);
  const Status status = core_->until(until, [&] { return core_->put_loan(data_, record_, size); });
  if (status == Status::ok) core_ = nullptr;
  return status;
}
void Loan::drop() noexcept {
  if (core_ != nullptr) std::exchange(core_, nullptr)->drop(record_);
}

}  // namespace beltway
