// See web_worker.hpp.
#include "tool/web/web_worker.hpp"

#include <utility>

namespace beltway::tool {

WebWorker::WebWorker(std::size_t waiting, Job each, std::chrono::milliseconds pause)
    : most_waiting_(waiting), each_(std::move(each)), pause_(pause), due_(std::chrono::steady_clock::now()) {
  thread_ = std::thread([this] { work(); });
}

WebWorker::~WebWorker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool WebWorker::offer(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= most_waiting_) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

WebWorker::Job WebWorker::next() {
  std::unique_lock lock(mutex_);
  const auto wakes = [this] { return ending_ || !jobs_.empty(); };
  if (!each_) {
    changed_.wait(lock, wakes);
  } else if (std::chrono::steady_clock::now() >= due_ || !changed_.wait_until(lock, due_, wakes)) {
    return {};  // many jobs do not keep `each` from its turn
  }
  if (ending_ || jobs_.empty()) return {};
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void WebWorker::work() {
  for (;;) {
    const Job job = next();
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
    }
    if (job) {
      job();
    } else if (each_) {
      each_();
      due_ = std::chrono::steady_clock::now() + pause_;
    }
  }
}

}  // namespace beltway::tool
