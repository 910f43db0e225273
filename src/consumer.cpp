// The public Consumer, on top of ConsumerCore.
#include "beltway/consumer.hpp"

#include "consumer_core.hpp"

namespace beltway {

Consumer make_consumer(Attachment attachment, const ConsumerOptions& options) {
  return Consumer(new detail::ConsumerCore(std::move(attachment), options));
}

Received Consumer::try_receive() { return core_->try_receive(); }
Received Consumer::receive(const Until& until) { return core_->receive(until); }
Batch Consumer::try_receive_batch(std::span<Message> out) { return core_->try_receive_batch(out); }
Batch Consumer::receive_batch(std::span<Message> out, const Until& until) { return core_->receive_batch(out, until); }
int Consumer::fd() { return core_->fd(); }
ConsumerCounters Consumer::counters() const noexcept { return core_->counters(); }
unsigned Consumer::index() const noexcept { return core_->index(); }
const std::string& Consumer::queue_name() const noexcept { return core_->queue_name(); }
const std::string& Consumer::group() const noexcept { return core_->group(); }

}  // namespace beltway
