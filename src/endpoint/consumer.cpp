// The public Consumer, on top of ConsumerCore.
#include "beltway/consumer.hpp"

#include "endpoint/consumer_core.hpp"

namespace beltway::endpoint {

Consumer make_consumer(Attachment attachment, const ConsumerOptions& options) {
  return make_consumer(std::move(attachment), options, waiting::SpinPolicy::of(options));
}
Consumer make_consumer(Attachment attachment, const ConsumerOptions& options, const waiting::SpinPolicy& policy) {
  return Consumer(new ConsumerCore(std::move(attachment), options, policy));
}

}  // namespace beltway::endpoint

namespace beltway {

Consumer::Consumer(endpoint::ConsumerCore* core) noexcept : core_(core) {}
endpoint::ConsumerCore& Consumer::core() const noexcept { return static_cast<endpoint::ConsumerCore&>(*core_); }

bool Consumer::await_next() noexcept { return core().await_next(); }
Result<Message> Consumer::try_receive_slowly() { return core().try_receive(); }
Result<Message> Consumer::receive_slowly(const Until& until) { return core().receive(until); }
Result<std::size_t> Consumer::try_receive_batch(std::span<Message> out) { return core().try_receive_batch(out); }
Result<std::size_t> Consumer::receive_batch(std::span<Message> out, const Until& until) {
  return core().receive_batch(out, until);
}
int Consumer::poll_fd() { return core().poll_fd(); }
void Consumer::interrupt() const noexcept { core().interrupt(); }
ConsumerCounters Consumer::counters() const noexcept { return core().counters(); }
unsigned Consumer::index() const noexcept { return core().index(); }
const std::string& Consumer::queue_name() const noexcept { return core().queue_name(); }
const std::string& Consumer::group() const noexcept { return core().group(); }

}  // namespace beltway
