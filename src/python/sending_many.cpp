// The methods of Producer that publish many messages, or many parts, in one call.
#include <algorithm>
#include <array>
#include <vector>

#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/properties_values.hpp"
#include "python/sending.hpp"

namespace beltway::python {

namespace {

ProducerObject* sender_of(PyObject* self) noexcept { return reinterpret_cast<ProducerObject*>(self); }

constexpr std::size_t k_sent_at_once = 128;

/// Publishes batches, and counts.
class BatchPublisher {
 public:
  /// `deadline`: null: never waits.
  BatchPublisher(ProducerObject* self, const Deadline* deadline) : self_(self), deadline_(deadline) {
    static_cast<void>(enter_now());
  }

  /// Publishes all. False: there was no room for all of them, and the call must not wait. `before_waiting()` is called before
  /// the GIL is released.
  template <class BeforeWaiting>
  bool publish(std::span<const Bytes> messages, const BeforeWaiting& before_waiting) {
    while (!messages.empty()) {
      // Since the last batch code of Python may have run: it may have closed the producer, and another thread may be inside.
      if (self_->state->turns.is_taken()) before_waiting();
      Producer* const producer = enter_now();
      if (producer == nullptr) return false;
      Result<std::size_t> published = producer->try_publish_batch(messages);
      if (told(self_, published.status()) == Status::full) {
        if (deadline_ == nullptr) return false;
        before_waiting();
        publish_waiting(self_, *deadline_, [&](const Until& until) {
          published = producer->publish_batch_until(messages, until);
          return published.status();
        });
      }
      if (!published) raise_unpublished(self_, published.status(), [&] { producer->publish_batch(messages); });
      done_ += *published;
      messages = messages.subspan(*published);
    }
    return true;
  }

  [[nodiscard]] std::size_t done() const noexcept { return done_; }

 private:
  /// The producer, which stays as long as no code of Python runs. Null: another thread is inside, and the call must not wait.
  [[nodiscard]] Producer* enter_now() {
    const Deadline now(Deadline::Clock::time_point::min());
    Producer* const producer = enter(self_, "publish to", deadline_ == nullptr ? now : *deadline_);
    if (producer == nullptr && deadline_ != nullptr) raise_unpublished(self_, Status::timeout);
    return producer;
  }

  ProducerObject* self_;
  const Deadline* deadline_;
  std::size_t done_ = 0;
};

/// The messages of a list or a tuple. While the list is used as it is, no other thread runs, and no code of Python: the items
/// are bytes. Before anything else happens the items are held in a tuple.
class Items {
 public:
  explicit Items(PyObject* messages)
      : source_(PyList_CheckExact(messages) || PyTuple_CheckExact(messages) ? Ref::to(messages)
                                                                            : Ref(PySequence_Tuple(messages))),
        is_list_(PyList_CheckExact(source_.get())) {}

  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(is_list_ ? PyList_Size(source_.get()) : PyTuple_Size(source_.get()));
  }
  /// The bytes of items [first] and later, at most as many as fit. They are good until the next call.
  std::span<const Bytes> gather(std::size_t first) {
    views_.clear();
    const std::size_t count = std::min(size() - first, k_sent_at_once);
    for (std::size_t i = 0; i < count; ++i) {
      PyObject* const item = at(first + i);
      if (PyBytes_CheckExact(item)) [[likely]] {
        bytes_[i] = Bytes(PyBytes_AsString(item), static_cast<std::size_t>(PyBytes_Size(item)));
        continue;
      }
      if (is_list_) {  // the buffer of another object may be code of Python
        hold();
        return gather(first);
      }
      const BufferView& view = views_.emplace_back(item);
      bytes_[i] = Bytes(view.data(), view.size());
    }
    return std::span(bytes_).first(count);
  }
  /// From now on the items stay, whatever becomes of the list.
  void hold() {
    if (!is_list_) return;
    source_ = Ref(PyList_AsTuple(source_.get()));
    is_list_ = false;
  }

 private:
  [[nodiscard]] PyObject* at(std::size_t index) const {
    const auto place = static_cast<Py_ssize_t>(index);
    return is_list_ ? PyList_GetItem(source_.get(), place) : PyTuple_GetItem(source_.get(), place);
  }

  Ref source_;
  bool is_list_;
  std::array<Bytes, k_sent_at_once> bytes_;
  std::vector<BufferView> views_;
};

/// Calls `call(publisher)`. An error says how many messages were published before it.
template <class Action>
PyObject* counted(ProducerObject* self, const Deadline* deadline, const Action& action) {
  std::optional<BatchPublisher> publisher;
  PyObject* const result = guarded([&] {
    publisher.emplace(self, deadline);
    action(*publisher);
    return PyLong_FromSize_t(publisher->done());
  });
  if (result == nullptr) note_published(publisher ? publisher->done() : 0);
  return result;
}

PyObject* publish_items(ProducerObject* self, PyObject* messages, const Deadline* deadline) {
  return counted(self, deadline, [&](BatchPublisher& publisher) {
    Items items(messages);
    while (publisher.done() < items.size()) {
      const auto some = items.gather(publisher.done());
      if (!publisher.publish(some, [&items] { items.hold(); })) break;
    }
  });
}

}  // namespace

PyObject* publish_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [messages, timeout] = arguments("publish_many", {values, count, names}, {"messages", "timeout"}, 1, 1);
    const Deadline deadline = deadline_argument(timeout);
    return publish_items(sender_of(self), messages, &deadline);
  });
}

PyObject* try_publish_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [messages] = arguments("try_publish_many", {values, count, names}, {"messages"}, 1, 1);
    return publish_items(sender_of(self), messages, nullptr);
  });
}

PyObject* publish_array(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [array, timeout] = arguments("publish_array", {values, count, names}, {"array", "timeout"}, 1, 1);
    const Deadline deadline = deadline_argument(timeout);
    refuse_objects("array", array);
    const BufferView buffer(array, PyBUF_ND);
    const Py_buffer& view = buffer.view();
    if (view.ndim < 1) fail(PyExc_TypeError, "publish_array() needs an array with a dimension at least");
    const auto elements = static_cast<std::size_t>(view.shape[0]);
    const std::size_t bytes = elements == 0 ? 0 : buffer.size() / elements;
    return counted(sender_of(self), &deadline, [&](BatchPublisher& publisher) {
      std::array<Bytes, k_sent_at_once> batch;
      while (publisher.done() < elements) {
        const std::size_t first = publisher.done();
        const std::size_t wanted = std::min(elements - first, k_sent_at_once);
        for (std::size_t i = 0; i < wanted; ++i) batch[i] = Bytes(buffer.data() + (first + i) * bytes, bytes);
        publisher.publish(std::span(batch).first(wanted), [] {});
      }
    });
  });
}

PyObject* publish_parts(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [parts, timeout, said] =
        arguments("publish_parts", {values, count, names}, {"parts", "timeout", "properties"}, 1, 1);
    const Deadline deadline = deadline_argument(timeout);
    std::optional<OwnedProperties> texts;
    if (!is_none(said)) texts.emplace(said);
    const Ref list(PySequence_Tuple(parts));
    std::vector<BufferView> views;
    std::vector<Bytes> bytes;
    for (Py_ssize_t i = 0; i < PyTuple_Size(list.get()); ++i) {
      const BufferView& view = views.emplace_back(PyTuple_GetItem(list.get(), i));
      bytes.emplace_back(view.data(), view.size());
    }
    Producer* const producer = enter(sender_of(self), "publish to", deadline);
    if (producer == nullptr) raise_unpublished(sender_of(self), Status::timeout);
    const Properties properties = texts ? texts->get() : Properties{};
    Status status = told(sender_of(self), producer->try_publish_parts(bytes, properties));
    if (status == Status::full) {
      status = publish_waiting(sender_of(self), deadline, [&](const Until& until) {
        return producer->publish_parts_until(bytes, properties, until);
      });
    }
    if (status != Status::ok) {
      raise_unpublished(sender_of(self), status, [&] { producer->publish_parts(bytes, properties); });
    }
    return PyLong_FromUnsignedLongLong(last_position(*producer));
  });
}

}  // namespace beltway::python
