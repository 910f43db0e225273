// The public Consumer, on top of ConsumerCore.
#include "beltway/consumer.hpp"

#include "endpoint/consumer_core.hpp"
#include "endpoint/reattachment.hpp"

namespace beltway::endpoint {

Consumer make_consumer(Attachment attachment, const ConsumerOptions& options) {
  return make_consumer(std::move(attachment), options, waiting::SpinPolicy::of(options));
}
Consumer make_consumer(Attachment attachment, const ConsumerOptions& options, const waiting::SpinPolicy& policy) {
  return Consumer(new ConsumerCore(std::move(attachment), options, policy));
}

Consumer make_reattaching_consumer(Attachment attachment, const ConsumerOptions& options,
                                   std::function<Attachment()> attach_again) {
  std::unique_ptr<ConsumerCore, detail::ConsumerCoreDeleter> core(
      new ConsumerCore(std::move(attachment), options, waiting::SpinPolicy::of(options)));
  auto reattachment = std::make_unique<Reattachment>(core.get(), options, std::move(attach_again));
  return Consumer(core.release(), reattachment.release());
}

}  // namespace beltway::endpoint

namespace beltway::detail {

void ReattachmentDeleter::operator()(endpoint::Reattachment* reattachment) const noexcept { delete reattachment; }

}  // namespace beltway::detail

namespace beltway {

Consumer::Consumer(endpoint::ConsumerCore* core, endpoint::Reattachment* reattachment) noexcept
    : core_(core), reattachment_(reattachment) {}
endpoint::ConsumerCore& Consumer::core() const noexcept { return static_cast<endpoint::ConsumerCore&>(*core_); }

template <class Receive>
auto Consumer::receive_or_reattach(const Receive& receive) -> decltype(receive(core())) {
  if (!reattachment_) [[likely]]
    return receive(core());
  // In a function of its own, so that the way above is a jump.
  const auto receive_again = [this, &receive]() __attribute__((noinline, cold)) -> decltype(receive(core())) {
    for (;;) {
      auto result = receive(core());
      if (result || result.status() != Status::evicted) return result;
      if (const Status status = reattachment_->go_on(core_); status != Status::ok) return status;
    }
  };
  return receive_again();
}

bool Consumer::await_next() noexcept { return core().await_next(); }
Result<Message> Consumer::try_receive_slowly() {
  return receive_or_reattach([](endpoint::ConsumerCore& core) { return core.try_receive(); });
}
Result<Message> Consumer::receive_slowly(const Until& until) {
  return receive_or_reattach([&until](endpoint::ConsumerCore& core) { return core.receive(until); });
}
Result<std::size_t> Consumer::try_receive_batch(std::span<Message> out) {
  return receive_or_reattach([out](endpoint::ConsumerCore& core) { return core.try_receive_batch(out); });
}
Result<std::size_t> Consumer::receive_batch(std::span<Message> out, const Until& until) {
  return receive_or_reattach([&](endpoint::ConsumerCore& core) { return core.receive_batch(out, until); });
}
int Consumer::poll_fd() { return core().poll_fd(); }
void Consumer::interrupt() const noexcept {
  if (reattachment_) {
    reattachment_->interrupt();
  } else {
    core().interrupt();
  }
}
ConsumerCounters Consumer::counters() const { return core().counters(); }
std::uint64_t Consumer::reattached() const noexcept { return reattachment_ ? reattachment_->count() : 0; }
unsigned Consumer::index() const noexcept { return core().index(); }
const std::string& Consumer::queue_name() const noexcept { return core().queue_name(); }
const std::string& Consumer::group() const noexcept { return core().group(); }

}  // namespace beltway
