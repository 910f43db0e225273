// iceoryx 2: loan, write in place, publish; take with spin polling, read in place, release. Blocking producers, so that nothing
// is lost. Its daemon, iox-roudi, is started by the scenario with one pool of chunks of the message's size.
#include <unistd.h>

#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include <algorithm>

#include "candidates/endpoint.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::bench {

namespace {

/// Once a process. Its name is known to the daemon.
void start_runtime() {
  static const bool started = [] {
    const Unpinned anywhere;
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kError);
    const std::string name = "beltway-bench-" + std::to_string(getpid());
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
    return true;
  }();
  static_cast<void>(started);
}

class IceoryxChannel {
 public:
  static constexpr Traits k_traits{.broadcast = true};

  IceoryxChannel(const Spec& spec, const std::string& name) : size_(spec.size_bytes), name_(name) {
    constexpr std::uint64_t k_most = iox::MAX_SUBSCRIBER_QUEUE_CAPACITY;
    queue_ = std::min(spec.elements(size_), k_most);
  }
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return queue_ * size_; }

  class Sender {
   public:
    Sender(IceoryxChannel& channel, std::uint32_t /*index*/)
        : size_(static_cast<std::uint32_t>(channel.size_)), publisher_(channel.service(), options()) {}
    void send(std::uint64_t value) {
      publisher_.loan(size_)
          .and_then([&](void* payload) {
            tool::fill({static_cast<std::byte*>(payload), size_}, value);
            publisher_.publish(payload);
          })
          .or_else([](iox::popo::AllocationError) {
            throw tool::Failure(tool::ExitCode::failed, "bench: iceoryx lends nothing");
          });
    }

   private:
    static iox::popo::PublisherOptions options() {
      iox::popo::PublisherOptions options;
      options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
      return options;
    }
    std::uint32_t size_;
    iox::popo::UntypedPublisher publisher_;
  };

  class Receiver {
   public:
    Receiver(IceoryxChannel& channel, std::uint32_t /*index*/)
        : size_(channel.size_), subscriber_(channel.service(), channel.subscriber_options()) {
      constexpr unsigned k_nap_us = 1000;
      while (subscriber_.getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) usleep(k_nap_us);
    }
    std::uint64_t receive() {
      std::uint64_t value = 0;
      bool got = false;
      tool::spin_until([&] {
        subscriber_.take().and_then([&](const void* payload) {
          value = read_back({static_cast<const std::byte*>(payload), size_});
          subscriber_.release(payload);
          got = true;
        });
        return got;
      });
      return value;
    }

   private:
    std::size_t size_;
    iox::popo::UntypedSubscriber subscriber_;
  };

 private:
  [[nodiscard]] iox::capro::ServiceDescription service() const {
    start_runtime();
    const iox::capro::IdString_t instance(iox::cxx::TruncateToCapacity, name_);
    return {"beltway", "bench", instance};
  }
  [[nodiscard]] iox::popo::SubscriberOptions subscriber_options() const {
    iox::popo::SubscriberOptions options;
    options.queueCapacity = queue_;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    return options;
  }

  std::size_t size_;
  std::string name_;
  std::uint64_t queue_ = 0;
};

}  // namespace

void add_iceoryx(Entries& entries) {
  add<IceoryxChannel>(entries, "iceoryx", "untyped loan and publish; take with spinning, release");
}

}  // namespace beltway::bench
