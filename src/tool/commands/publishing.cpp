// Batches of small messages, loans for large ones.
#include "tool/commands/publishing.hpp"

#include <algorithm>

#include "base/tool_command.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

/// Messages of one publish_batch: enough to spread its costs, few enough to start reading early.
constexpr std::size_t k_batch = 256;
/// From here on a read() a message costs less than copying it once more.
constexpr std::size_t k_loan_from_bytes = 4096;

}  // namespace

Publishing::Publishing(Producer& producer, const PublishPlan& plan, std::stop_token stop)
    : producer_(producer), plan_(plan), stop_(std::move(stop)) {
  if (plan_.rate) pacer_.emplace(*plan_.rate);
}

void Publishing::arguments(const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  std::vector<Bytes> messages(texts.begin(), texts.end());
  const std::uint64_t wanted = plan_.count.value_or(texts.size());
  // Short lists are laid end to end, so that a million copies of one text go in batches too.
  while (messages.size() < std::min<std::uint64_t>(k_batch, wanted)) {
    messages.insert(messages.end(), texts.begin(), texts.end());
  }
  std::size_t at = 0;
  while (sent() < wanted && !stop_.stop_requested()) {
    const std::uint64_t most = std::min<std::uint64_t>(wanted - sent(), 2 * k_batch);
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(most, messages.size() - at));
    if (!send(std::span(messages).subspan(at, count))) return;
    at = (at + count) % messages.size();
  }
}

void Publishing::lines(const InputFile& file) {
  drain(MessageReader(file, {.max_bytes = producer_.max_message_bytes()}, stop_));
}

void Publishing::pieces(const InputFile& file, std::size_t piece_bytes) {
  if (piece_bytes > producer_.max_message_bytes()) {
    throw Failure(ExitCode::failed, "publish to \"" + producer_.queue_name() + "\": --chunk of " +
                                        std::to_string(piece_bytes) + " bytes, but a message may have at most " +
                                        std::to_string(producer_.max_message_bytes()) +
                                        "; use smaller chunks, or declare the queue with more --lane-bytes");
  }
  if (piece_bytes > producer_.max_inline_bytes() && piece_bytes >= k_loan_from_bytes && !plan_.numbered) {
    loans(file, piece_bytes);
  } else {
    drain(MessageReader(file, {.piece_bytes = piece_bytes, .max_bytes = producer_.max_message_bytes()}, stop_));
  }
}

void Publishing::drain(MessageReader reader) {
  for (;;) {
    const std::size_t may = allowed(k_batch);
    if (may == 0) return;
    const std::span<const Bytes> messages = reader.next(may);
    if (messages.empty() || !send(messages)) return;
  }
}

void Publishing::loans(const InputFile& file, std::size_t piece_bytes) {
  while (allowed(1) > 0) {
    Result<Loan> lent = producer_.loan_until(piece_bytes, plan_.properties, until());
    if (!check(lent.status())) return;
    const std::size_t size = file.read_full(lent->bytes(), stop_);
    if (size == 0 || stop_.stop_requested()) return;
    if (pacer_ && pacer_->wait(1, stop_) == 0) return;
    // Before the commit: afterwards the memory is the consumers' and soon another message's.
    if (plan_.digest) digest_.add(lent->bytes().first(size));
    if (!check(lent->commit_until(size, until()))) return;
    ++messages_;
    bytes_ += size;
    if (plan_.progress != nullptr) plan_.progress->set(messages_, bytes_);
  }
}

bool Publishing::send_numbered(std::span<const Bytes> messages) {
  for (const Bytes& message : messages) {
    const std::uint64_t number = sent() + 1;
    if (number > producer_.last_sequence()) {
      if (pacer_ && pacer_->wait(1, stop_) == 0) return false;
      if (!check(producer_.publish_until(message, {.sequence = number, .properties = plan_.properties}, until())))
        return false;
      counted({&message, 1});
    } else {
      ++skipped_;
    }
    if (stop_.stop_requested()) return false;
  }
  return true;
}

bool Publishing::send(std::span<const Bytes> messages) {
  if (plan_.numbered) return send_numbered(messages);
  while (!messages.empty()) {
    const std::size_t due = pacer_ ? pacer_->wait(messages.size(), stop_) : messages.size();
    if (due == 0) return false;
    const Until patience = until();
    for (std::span<const Bytes> now = messages.first(due); !now.empty();) {
      const Result<std::size_t> published = publish_some(now, patience);
      if (!check(published.status())) return false;
      counted(now.first(*published));
      now = now.subspan(*published);
    }
    messages = messages.subspan(due);
  }
  return !stop_.stop_requested();
}

Result<std::size_t> Publishing::publish_some(std::span<const Bytes> messages, const Until& until) {
  if (plan_.properties.empty()) return producer_.publish_batch_until(messages, until);
  const Status status = producer_.publish_until(messages.front(), plan_.properties, until);
  if (status != Status::ok) return status;
  return std::size_t{1};
}

std::size_t Publishing::allowed(std::size_t wanted) const {
  if (stop_.stop_requested()) return 0;
  if (!plan_.count) return wanted;
  return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, *plan_.count - std::min(*plan_.count, sent())));
}

Until Publishing::until() const { return plan_.timeout ? Until(*plan_.timeout, stop_) : Until(stop_); }

void Publishing::counted(std::span<const Bytes> messages) {
  messages_ += messages.size();
  for (const Bytes& message : messages) {
    bytes_ += message.size();
    if (plan_.digest) digest_.add(std::span(message.data(), message.size()));
  }
  if (plan_.progress != nullptr) plan_.progress->set(messages_, bytes_);
}

bool Publishing::check(Status status) const {
  if (status == Status::ok) return true;
  if (status == Status::stopped) return false;
  const std::string context = "publish to \"" + producer_.queue_name() + "\"";
  const std::string so_far = " (" + std::to_string(messages_) + " messages are published)";
  if (status == Status::timeout) {
    throw Failure(ExitCode::timeout, context + ": full for " +
                                         format_duration(plan_.timeout.value_or(std::chrono::nanoseconds{})) + so_far +
                                         "; \"" + tool_command("show", {producer_.queue_name()}) +
                                         "\" names the processes that hold it");
  }
  if (status == Status::too_large) {
    throw Failure(ExitCode::failed, context + ": message " + std::to_string(sent() + 1) + " has more than the " +
                                        std::to_string(producer_.max_message_bytes()) + " bytes that fit" +
                                        (plan_.properties.empty() ? "" : " with its properties") + so_far);
  }
  throw failure_of(status, context + so_far);
}

}  // namespace beltway::tool
