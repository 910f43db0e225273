// The public Producer and Loan, on top of ProducerCore.
#include "beltway/producer.hpp"

#include <string>

#include "beltway/error.hpp"
#include "endpoint/producer_core.hpp"

namespace beltway {

namespace {

// Attempts to publish, as the forms of ProducerCore want them.

template <class Fill>
auto publishing(endpoint::ProducerCore& core, std::size_t size, const Fill& fill) noexcept {
  return [&core, size, fill] { return core.put(size, fill); };
}

auto publishing_copy(endpoint::ProducerCore& core, Bytes message) noexcept {
  core.touch(message);
  return publishing(core, message.size(), detail::CopyOf{message});
}

auto publishing_parts(endpoint::ProducerCore& core, std::span<const Bytes> parts, std::size_t size) noexcept {
  core.touch_parts(parts, size);
  return publishing(core, size, [parts](std::byte* place) noexcept {
    for (const Bytes& part : parts) {
      detail::copy_racing(place, part.data(), part.size());
      place += part.size();
    }
  });
}

auto fill_with(std::size_t size, detail::Writer writer) noexcept {
  return [size, writer](std::byte* place) { writer.call(writer.object, {place, size}); };
}

auto publishing_writer(endpoint::ProducerCore& core, std::size_t size, detail::Writer writer) noexcept {
  return publishing(core, size, fill_with(size, writer));
}

/// What is left of a batch; `done` counts.
auto publishing_batch(endpoint::ProducerCore& core, std::span<const Bytes> messages, std::size_t& done) noexcept {
  return [&core, messages, &done] { return core.put_batch(messages, done); };
}

using Outcome = detail::InlinePublisher::Outcome;

}  // namespace

}  // namespace beltway

namespace beltway::endpoint {

Producer make_producer(Attachment attachment, const ProducerOptions& options) {
  return Producer(new ProducerCore(std::move(attachment), options));
}

}  // namespace beltway::endpoint

namespace beltway {

void detail::ProducerCoreDeleter::operator()(InlinePublisher* core) const noexcept {
  delete static_cast<endpoint::ProducerCore*>(core);
}

Producer::Producer(endpoint::ProducerCore* core) noexcept : core_(core) {}
endpoint::ProducerCore& Producer::core() const noexcept { return static_cast<endpoint::ProducerCore&>(*core_); }

/// Several producers, what is larger, and what waits.
std::uint64_t Producer::publish_slowly(Outcome put, Bytes message) {
  if (put == Outcome::not_handled) {
    core().run_blocking(message.size(), publishing_copy(core(), message));
  } else {
    core().follow_up();
  }
  return core().last();
}
Status Producer::try_publish_slowly(Outcome put, Bytes message) {
  if (put == Outcome::not_handled) return core().run_try(publishing_copy(core(), message));
  core().follow_up();
  return Status::ok;
}
Status Producer::publish_until(Bytes message, const Until& until) {
  return core().run_until(until, publishing_copy(core(), message));
}

std::uint64_t Producer::last_sequence() const { return core().last_sequence(); }

std::uint64_t Producer::publish_parts(std::span<const Bytes> parts) {
  const std::size_t size = endpoint::total_size(parts);
  core().run_blocking(size, publishing_parts(core(), parts, size));
  return core().last();
}
Status Producer::try_publish_parts(std::span<const Bytes> parts) {
  const detail::SingleUse<detail::InlinePublisher> use(*core_);
  return core().run_try(publishing_parts(core(), parts, endpoint::total_size(parts)));
}
Status Producer::publish_parts_until(std::span<const Bytes> parts, const Until& until) {
  return core().run_until(until, publishing_parts(core(), parts, endpoint::total_size(parts)));
}

std::uint64_t Producer::publish_writer(Outcome put, std::size_t size, detail::Writer writer) {
  if (put == Outcome::not_handled) {
    core().run_blocking(size, publishing_writer(core(), size, writer));
  } else {
    core().follow_up();
  }
  return core().last();
}
Status Producer::try_publish_writer(Outcome put, std::size_t size, detail::Writer writer) {
  if (put == Outcome::not_handled) return core().run_try(publishing_writer(core(), size, writer));
  core().follow_up();
  return Status::ok;
}
Status Producer::publish_writer_until(std::size_t size, detail::Writer writer, const Until& until) {
  return core().run_until(until, publishing_writer(core(), size, writer));
}

void Producer::publish_batch(std::span<const Bytes> messages) { publish_part_of_batch(messages, 0, messages.size()); }

void Producer::publish_part_of_batch(std::span<const Bytes> messages, std::size_t published_before,
                                     std::size_t batch_size) {
  std::size_t done = 0;
  const auto attempt = publishing_batch(core(), messages, done);
  try {
    core().run_blocking(0, [&] {
      const Status status = attempt();
      if (status == Status::too_large) core().throw_status(status, messages[done].size());
      return status;
    });
  } catch (const Error& error) {
    const std::size_t published = published_before + done;
    if (published == 0) throw;
    throw Error(error.reason(), error.what() + ("; the first " + std::to_string(published)) + " of the batch of " +
                                    std::to_string(batch_size) + " were published");
  }
}

namespace {
/// What a batch returns that `status` ended after `done` messages. An interruption between two of them is kept for the next
/// call.
Result<std::size_t> batch_result(endpoint::ProducerCore& core, std::size_t done, Status status) noexcept {
  if (done == 0 && status != Status::ok) return status;
  if (status == Status::interrupted) core.interrupt();
  return done;
}
}  // namespace

Result<std::size_t> Producer::try_publish_batch(std::span<const Bytes> messages) {
  const detail::SingleUse<detail::InlinePublisher> use(*core_);
  std::size_t done = 0;
  const Status status = core().run_try(publishing_batch(core(), messages, done));
  return batch_result(core(), done, status);
}
Result<std::size_t> Producer::publish_batch_until(std::span<const Bytes> messages, const Until& until) {
  std::size_t done = 0;
  const Status status = core().run_until(until, publishing_batch(core(), messages, done));
  return batch_result(core(), done, status);
}

Loan Producer::lend(std::size_t size) {
  ring::Lane::Loan lent;
  if (core().lend_now(size, lent)) [[likely]]
    return {&core(), lent.data, size, lent.record};
  return loan_slowly(size);
}
Loan Producer::loan_slowly(std::size_t size) {
  ring::Lane::Loan lent;
  const Status status = core().run_until({}, [&] { return core().lend(size, lent); });
  if (status != Status::ok) core().throw_status(status, size, endpoint::ProducerCore::Wanted::loan);
  return {&core(), lent.data, size, lent.record};
}
Result<Loan> Producer::lend_until(std::size_t size, const Until& until) {
  ring::Lane::Loan lent;
  const Status status = core().run_until(until, [&] { return core().lend(size, lent); });
  // Our own loans hold it.
  if (status == Status::full) core().throw_status(status, size, endpoint::ProducerCore::Wanted::loan);
  if (status != Status::ok) return status;
  return Loan(&core(), lent.data, size, lent.record);
}
Result<Loan> Producer::try_lend(std::size_t size) {
  ring::Lane::Loan lent;
  const Status status = core().run_try([&] { return core().lend(size, lent); });
  if (status != Status::ok) return status;
  return Loan(&core(), lent.data, size, lent.record);
}

int Producer::poll_fd() { return core().poll_fd(); }
void Producer::interrupt() const noexcept { core().interrupt(); }
std::size_t Producer::max_message_bytes() const noexcept { return core().max_message_bytes(); }
std::size_t Producer::max_inline_bytes() const noexcept { return core().max_inline_bytes(); }
ProducerCounters Producer::counters() const { return core().counters(); }
unsigned Producer::index() const noexcept { return core().index(); }
const std::string& Producer::queue_name() const noexcept { return core().queue_name(); }

namespace {

[[noreturn, gnu::cold, gnu::noinline]] void throw_misuse(const endpoint::ProducerCore* core, std::size_t lent,
                                                         std::size_t size) {
  if (core == nullptr) throw Error(Errc::misuse, "commit: this loan was committed, dropped or moved from before");
  throw Error(Errc::misuse, "commit to \"" + core->queue_name() + "\": " + std::to_string(size) +
                                " bytes of a loan of " + std::to_string(lent) + "; lend what is needed");
}

}  // namespace

endpoint::ProducerCore& Loan::core() const noexcept { return static_cast<endpoint::ProducerCore&>(*core_); }
bool Loan::commit_now(std::size_t size) {
  if (core_ == nullptr || size > size_) [[unlikely]]
    throw_misuse(core_ == nullptr ? nullptr : &core(), size_, size);
  if (block_ != 0) [[unlikely]] {
    if (!core().in_child()) stamp();
    return false;
  }
  const Outcome put = core().try_publish_loan(record_, size);
  if (put == Outcome::published_follow_up) [[unlikely]]
    core().follow_up();
  return put != Outcome::not_handled;
}
std::uint64_t Loan::put(std::size_t size) {
  if (!commit_now(size)) [[unlikely]]
    commit_slowly(size);
  const std::uint64_t position = core_->last();
  core_ = nullptr;
  return position;
}
void Loan::commit_slowly(std::size_t size) {
  core().run_blocking(size, [&] { return core().put_loan(data_, record_, size, block_bytes()); });
}
Status Loan::try_put(std::size_t size) {
  Status status = Status::ok;
  if (!commit_now(size)) status = core().run_try([&] { return core().put_loan(data_, record_, size, block_bytes()); });
  if (status == Status::ok) core_ = nullptr;
  return status;
}
Status Loan::put_until(std::size_t size, const Until& until) {
  if (until.stop().stop_requested()) return Status::stopped;
  Status status = Status::ok;
  if (!commit_now(size))
    status = core().run_until(until, [&] { return core().put_loan(data_, record_, size, block_bytes()); });
  if (status == Status::ok) core_ = nullptr;
  return status;
}
void Loan::drop() noexcept {
  if (core_ == nullptr) return;
  core().drop(record_);
  core_ = nullptr;
}

}  // namespace beltway
