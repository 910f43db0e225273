#include "queues/workers.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

namespace beltway::daemon {
namespace {

/// One user's gigabytes must not hold up another's.
constexpr std::size_t k_threads = 2;

}  // namespace

void Workers::run(std::function<void()> work, std::function<void()> done) {
  if (finished_) return;
  if (!pool_) {
    sigset_t all{};
    sigset_t before{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pool_.emplace(k_threads);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  boost::asio::post(*pool_, [&io = io_, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;  // here, and not wherever `done` ends: it may be memory that takes long to give back
    if (done) boost::asio::post(io, std::move(done));
  });
}

void Workers::finish() noexcept {
  finished_ = true;
  if (!pool_) return;
  pool_->stop();
  pool_->join();
  pool_.reset();
}

}  // namespace beltway::daemon
