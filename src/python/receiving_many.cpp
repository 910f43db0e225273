// The methods of Consumer that take many messages in one call.
#include <algorithm>
#include <array>
#include <cstring>

#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/receiving.hpp"

namespace beltway::python {

namespace {

ConsumerObject* receiver_of(PyObject* self) noexcept { return reinterpret_cast<ConsumerObject*>(self); }

constexpr std::size_t k_received_at_once = 64;

/// A call of Python that ends the messages which it has not used.
class Batch {
 public:
  Batch(ConsumerObject* owner, const Deadline& deadline) : owner_(owner), deadline_(deadline) {}

  /// The next messages, at most `count`. Waits for them if the caller has used `none` so far. Empty: there are no more for
  /// now. Throws the error of a status that comes before the first message that is used.
  std::span<Message> next(std::size_t count, bool none) {
    const std::size_t wanted = std::min(count, k_received_at_once);
    if (wanted == 0) return {};
    const Deadline now(Deadline::Clock::time_point::min());
    const Result<std::size_t> received =
        next_messages(owner_, std::span(messages_).first(wanted), none ? deadline_ : now);
    if (received) return std::span(messages_).first(*received);
    if (none && !is_nothing_yet(received.status())) raise_status(received.status(), receive_context(owner_));
    return {};  // a later call tells the status again
  }

  /// The messages from here on come first at the next receive.
  void give_back(std::span<Message> rest) {
    auto& ahead = owner_->state->ahead;
    ahead.insert(ahead.begin(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  }

 private:
  ConsumerObject* owner_;
  const Deadline deadline_;
  std::array<Message, k_received_at_once> messages_;
};

/// The length of the list that most calls need. A longer one grows.
void append(PyObject* list, PyObject* item) {
  const Ref owned(item);
  if (PyList_Append(list, owned.get()) != 0) throw ErrorIsSet{};
}

/// Returns how many there are: those that are not another consumer's by now.
std::size_t append_payloads(PyObject* list, std::span<const Message> messages) {
  std::size_t count = 0;
  for (const Message& each : messages) {
    Ref payload = copy_payload(each);
    if (!is_copied_whole(each)) continue;
    append(list, payload.release());
    ++count;
  }
  return count;
}

PyObject* messages_list(ConsumerObject* self, std::size_t count, const Deadline& deadline) {
  Ref list(PyList_New(0));
  Batch batch(self, deadline);
  for (std::size_t done = 0; done < count;) {
    const std::span<Message> some = batch.next(count - done, done == 0);
    if (some.empty()) break;
    for (Message& each : some) {
      PyObject* const made = new_message(self, std::move(each));
      if (made == nullptr) continue;  // another consumer has it
      append(list.get(), made);
      ++done;
    }
    if (some.size() < k_received_at_once && done != 0) break;
  }
  return list.release();
}

/// Where the elements of an array lie.
struct Elements {
  std::byte* data;
  std::size_t count;
  std::size_t bytes;  // of one
};

Elements elements_of(const Py_buffer& view, const char* name) {
  if (view.ndim < 1 || view.shape == nullptr)
    fail(PyExc_TypeError, std::string(name) + " must have a dimension at least");
  auto bytes = static_cast<std::size_t>(view.itemsize);
  for (int i = 1; i < view.ndim; ++i) bytes *= static_cast<std::size_t>(view.shape[i]);
  if (bytes == 0) fail(PyExc_ValueError, std::string(name) + " must have elements of a byte at least");
  return {static_cast<std::byte*>(view.buf), static_cast<std::size_t>(view.shape[0]), bytes};
}

std::size_t fill(ConsumerObject* self, const Elements& to, const Deadline& deadline) {
  Batch batch(self, deadline);
  std::size_t done = 0;
  while (done < to.count) {
    const std::span<Message> some = batch.next(to.count - done, done == 0);
    if (some.empty()) break;
    const auto odd =
        std::find_if(some.begin(), some.end(), [&](const Message& each) { return each.size() != to.bytes; });
    const auto fitting = static_cast<std::size_t>(odd - some.begin());
    for (const Message& each : some.first(fitting)) {
      std::memcpy(to.data + done * to.bytes, each.bytes().data(), to.bytes);
      if (is_copied_whole(each)) ++done;
    }
    ack_batch(some.first(fitting));
    if (odd != some.end()) {
      const std::size_t size = odd->size();
      batch.give_back(some.subspan(fitting));
      if (done > 0) break;
      fail(PyExc_ValueError, receive_context(self) + ": the next message has " + std::to_string(size) +
                                 " bytes, and an element of the array has " + std::to_string(to.bytes) +
                                 "; receive() gives that message");
    }
    if (some.size() < k_received_at_once && done != 0) break;
  }
  return done;
}

}  // namespace

PyObject* receive_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, timeout] = arguments("receive_many", {values, count, names}, {"count", "timeout"}, 2, 1);
    const std::size_t most = number_argument("count", wanted);
    return messages_list(receiver_of(self), most, deadline_argument(timeout));
  });
}

PyObject* try_receive_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted] = arguments("try_receive_many", {values, count, names}, {"count"}, 1, 1);
    const Deadline now(Deadline::Clock::time_point::min());
    return messages_list(receiver_of(self), number_argument("count", wanted), now);
  });
}

PyObject* receive_many_bytes(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, timeout] = arguments("receive_many_bytes", {values, count, names}, {"count", "timeout"}, 2, 1);
    const std::size_t most = number_argument("count", wanted);
    Batch batch(receiver_of(self), deadline_argument(timeout));
    Ref list;
    if (receiver_of(self)->state->is_lossy)
      list = Ref(PyList_New(0));  // a new list may start Python's search for cycles
    for (std::size_t done = 0;;) {
      const std::span<Message> some = batch.next(most - done, done == 0);
      const auto is_safe = [](const Message& each) { return !endpoint::may_be_overwritten(each); };
      if (!list && std::all_of(some.begin(), some.end(), is_safe)) {
        // The first batch: a list of its length, which is filled without growing.
        list = Ref(PyList_New(static_cast<Py_ssize_t>(some.size())));
        for (std::size_t i = 0; i < some.size(); ++i) {
          if (PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), copy_payload(some[i]).release()) != 0)
            throw ErrorIsSet{};
        }
        done += some.size();
      } else {
        if (!list) list = Ref(PyList_New(0));
        done += append_payloads(list.get(), some);
      }
      ack_batch(some);
      if ((some.size() < k_received_at_once && done != 0) || some.empty() || done >= most) return list.release();
    }
  });
}

PyObject* receive_into(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [array, timeout] = arguments("receive_into", {values, count, names}, {"array", "timeout"}, 2, 1);
    refuse_objects("array", array);
    const BufferView view(array, PyBUF_WRITABLE | PyBUF_ND);
    return PyLong_FromSize_t(fill(receiver_of(self), elements_of(view.view(), "array"), deadline_argument(timeout)));
  });
}

PyObject* receive_array(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [dtype, wanted, timeout] =
        arguments("receive_array", {values, count, names}, {"dtype", "count", "timeout"}, 3, 2);
    const Ref numpy(PyImport_ImportModule("numpy"));
    const Ref array(PyObject_CallMethod(numpy.get(), "empty", "OO", wanted, dtype));
    refuse_objects("the new array", array.get());
    std::size_t filled = 0;
    {
      const BufferView view(array.get(), PyBUF_WRITABLE | PyBUF_ND);
      filled = fill(receiver_of(self), elements_of(view.view(), "the new array"), deadline_argument(timeout));
    }
    return PySequence_GetSlice(array.get(), 0, static_cast<Py_ssize_t>(filled));
  });
}

}  // namespace beltway::python
