// See log_writer.hpp.
#include "survival/log_writer.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "survival/log_file.hpp"

namespace beltway::daemon {
namespace {

/// How long a process waits at its end until its last lines are written.
constexpr std::chrono::milliseconds k_last_words_ms{500};

/// How long the thread waits for memory.
constexpr std::chrono::milliseconds k_pause_ms{50};

std::uint64_t lines_in(std::string_view text) noexcept {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

struct LogWriter::Shared {
  explicit Shared(Options wanted) : options(std::move(wanted)), file(options.file, options.file_bytes) {}

  const Options options;
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable rest;
  std::deque<std::string> backlog;
  std::size_t bytes = 0;  ///< in the backlog and in the thread's hands
  bool has_thread = false;
  bool busy = false;
  bool closed = false;
  std::uint64_t lost = 0;
  std::uint64_t told = 0;
  int why = 0;  ///< errno of the last loss; 0: the backlog was full
  int opened = ETIMEDOUT;
  LogFile file;  ///< used by the writing thread alone

  void lose(std::string_view text, int reason) noexcept {
    lost += lines_in(text);
    why = reason;
  }
  /// Whole lines for one write: no more than a pipe takes in one piece, so that two processes do not mix theirs.
  std::string take() {
    std::string text;
    text.reserve(std::max<std::size_t>(backlog.front().size(), PIPE_BUF));  // from here on nothing can fail
    text = backlog.front();
    backlog.pop_front();
    while (!backlog.empty() && text.size() + backlog.front().size() <= PIPE_BUF) {
      text += backlog.front();
      backlog.pop_front();
    }
    return text;
  }
  static bool start_thread(const std::shared_ptr<Shared>& self) noexcept;
  static void run(const std::shared_ptr<Shared>& self);
  void write_next(std::unique_lock<std::mutex>& lock);
  void tell_loss(std::unique_lock<std::mutex>& lock);
};

bool LogWriter::Shared::start_thread(const std::shared_ptr<Shared>& self) noexcept {
  if (self->has_thread) return true;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(run, self).detach();
    self->has_thread = true;
  } catch (const std::exception&) {  // the next line tries again
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return self->has_thread;
}

void LogWriter::Shared::run(const std::shared_ptr<Shared>& self) {
  std::unique_lock lock(self->mutex);
  for (;;) {
    self->work.wait(lock, [&] { return !self->backlog.empty() || self->closed; });
    if (self->backlog.empty()) break;
    self->busy = true;
    try {
      self->write_next(lock);
    } catch (const std::exception&) {  // no memory; the lock is held, see tell_loss()
      self->rest.wait_for(lock, k_pause_ms);
    }
    self->busy = false;
    if (self->backlog.empty()) self->rest.notify_all();
  }
  self->file.close();
  self->has_thread = false;
  self->rest.notify_all();
}

void LogWriter::Shared::write_next(std::unique_lock<std::mutex>& lock) {
  const std::string text = take();
  lock.unlock();
  const int error = file.write(text);
  lock.lock();
  bytes -= text.size();
  if (text.empty()) opened = error;
  if (error != 0) {
    lose(text, error);
  } else if (lost != told && options.tell && !text.empty()) {
    tell_loss(lock);
  }
}

void LogWriter::Shared::tell_loss(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t now_lost = lost;
  // Made under the lock: a thread that forks holds it, so that no lock of the C library is left behind in the child.
  const std::string line = options.tell(
      now_lost - told, why == 0 ? "they came faster than they could be written" : std::generic_category().message(why));
  lock.unlock();
  const int error = file.write(line);
  lock.lock();
  if (error == 0) told = now_lost;
}

LogWriter::LogWriter(Options options) : shared_(std::make_shared<Shared>(std::move(options))) {}

LogWriter::~LogWriter() {
  std::unique_lock lock(shared_->mutex);
  shared_->closed = true;
  shared_->work.notify_all();
  // If the thread is not inside a write, it closes the file and ends at once.
  const auto gone = [this] { return !shared_->has_thread || shared_->busy; };
  shared_->rest.wait_for(lock, k_last_words_ms, gone);
}

void LogWriter::put(std::string lines) noexcept {
  const std::lock_guard lock(shared_->mutex);
  const std::size_t size = lines.size();
  if (shared_->bytes + size > shared_->options.backlog_bytes) return shared_->lose(lines, 0);
  if (!Shared::start_thread(shared_)) return shared_->lose(lines, EAGAIN);
  try {
    shared_->backlog.push_back(std::move(lines));
    shared_->bytes += size;
    shared_->work.notify_one();
  } catch (const std::bad_alloc&) {
    shared_->lose(lines, ENOMEM);
  }
}

bool LogWriter::flush(std::chrono::milliseconds patience) noexcept {
  std::unique_lock lock(shared_->mutex);
  return shared_->rest.wait_for(lock, patience, [&] { return shared_->backlog.empty() && !shared_->busy; });
}

std::uint64_t LogWriter::lost() const noexcept {
  const std::lock_guard lock(shared_->mutex);
  return shared_->lost;
}

int LogWriter::try_open(std::chrono::milliseconds patience) noexcept {
  put({});
  flush(patience);
  const std::lock_guard lock(shared_->mutex);
  return shared_->opened;
}

void LogWriter::before_fork() noexcept { shared_->mutex.lock(); }

void LogWriter::after_fork(bool in_child) noexcept {
  shared_->mutex.unlock();
  if (!in_child) return;
  // What the parent's thread uses stays as it is in this copy of the memory. It must not be destroyed: a thread that the child
  // does not have waits in it.
  static_cast<void>(new std::shared_ptr<Shared>(shared_));
  shared_ = std::make_shared<Shared>(shared_->options);
}

void tell_people(const std::string& text) noexcept {
  try {
    LogWriter writer({});
    writer.put(text + '\n');
    writer.flush(k_last_words_ms);
  } catch (const std::exception&) {  // no memory for words
  }
}

}  // namespace beltway::daemon
