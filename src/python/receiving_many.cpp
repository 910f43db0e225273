// The methods of Consumer that take many messages in one call.
#include <algorithm>
#include <array>
#include <cstring>

#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/receiving.hpp"

namespace beltway::python {

namespace {

ConsumerObject* of(PyObject* self) noexcept { return reinterpret_cast<ConsumerObject*>(self); }

constexpr std::size_t k_batch = 64;

/// A call of Python that ends the messages which it has not used.
class Batch {
 public:
  Batch(ConsumerObject* owner, PyObject* timeout) : owner_(owner), timeout_(timeout) {}

  /// The next messages, at most `count`. The first call waits. Empty: there are no more for now. Throws the error of a status
  /// that comes before the first message.
  std::span<Message> next(std::size_t count) {
    const std::size_t wanted = std::min(count, k_batch);
    if (wanted == 0) return {};
    const Result<std::size_t> received = next_messages(owner_, std::span(messages_).first(wanted), timeout_);
    if (received) {
      timeout_ = zero_.get();
      is_first_ = false;
      return std::span(messages_).first(*received);
    }
    if (is_first_ && !is_nothing_yet(received.status())) raise_status(received.status(), receive_context(owner_));
    return {};  // a later call tells the status again
  }

  /// The messages from here on come first at the next receive.
  void give_back(std::span<Message> rest) {
    auto& ahead = owner_->state->ahead;
    ahead.insert(ahead.begin(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  }

 private:
  ConsumerObject* owner_;
  PyObject* timeout_;
  bool is_first_ = true;
  const Ref zero_{PyLong_FromLong(0)};
  std::array<Message, k_batch> messages_;
};

Ref bytes_of(const Message& message) {
  const auto bytes = message.bytes();
  return Ref(
      PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size())));
}

/// The length of the list that most calls need. A longer one grows.
void append(PyObject* list, PyObject* item) {
  const Ref owned(item);
  if (PyList_Append(list, owned.get()) != 0) throw ErrorIsSet{};
}

PyObject* messages_list(ConsumerObject* self, std::size_t count, PyObject* timeout) {
  Ref list(PyList_New(0));
  Batch batch(self, timeout);
  for (std::size_t done = 0; done < count;) {
    const std::span<Message> some = batch.next(count - done);
    if (some.empty()) break;
    for (Message& each : some) append(list.get(), new_message(self, std::move(each)));
    done += some.size();
    if (some.size() < k_batch) break;
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

std::size_t fill(ConsumerObject* self, const Elements& to, PyObject* timeout) {
  Batch batch(self, timeout);
  std::size_t done = 0;
  while (done < to.count) {
    const std::span<Message> some = batch.next(to.count - done);
    if (some.empty()) break;
    const auto odd =
        std::find_if(some.begin(), some.end(), [&](const Message& each) { return each.size() != to.bytes; });
    const auto fitting = static_cast<std::size_t>(odd - some.begin());
    for (const Message& each : some.first(fitting))
      std::memcpy(to.data + done++ * to.bytes, each.bytes().data(), to.bytes);
    ack_batch(some.first(fitting));
    if (odd != some.end()) {
      const std::size_t size = odd->size();
      batch.give_back(some.subspan(fitting));
      if (done > 0) break;
      fail(PyExc_ValueError, receive_context(self) + ": the next message has " + std::to_string(size) +
                                 " bytes, and an element of the array has " + std::to_string(to.bytes) +
                                 "; receive() gives that message");
    }
    if (some.size() < k_batch) break;
  }
  return done;
}

}  // namespace

PyObject* receive_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, timeout] = arguments("receive_many", {values, count, names}, {"count", "timeout"}, 2, 1);
    return messages_list(of(self), number_argument("count", wanted), timeout);
  });
}

PyObject* try_receive_many(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted] = arguments("try_receive_many", {values, count, names}, {"count"}, 1, 1);
    const Ref zero(PyLong_FromLong(0));
    return messages_list(of(self), number_argument("count", wanted), zero.get());
  });
}

PyObject* receive_many_bytes(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, timeout] = arguments("receive_many_bytes", {values, count, names}, {"count", "timeout"}, 2, 1);
    const std::size_t most = number_argument("count", wanted);
    Batch batch(of(self), timeout);
    Ref list;
    if (of(self)->state->is_lossy) list = Ref(PyList_New(0));  // a new list may start Python's search for cycles
    for (std::size_t done = 0;;) {
      const std::span<Message> some = batch.next(most - done);
      if (!list) {  // the first batch: a list of its length, which is filled without growing
        list = Ref(PyList_New(static_cast<Py_ssize_t>(some.size())));
        for (std::size_t i = 0; i < some.size(); ++i) {
          if (PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), bytes_of(some[i]).release()) != 0)
            throw ErrorIsSet{};
        }
      } else {
        for (const Message& each : some) append(list.get(), bytes_of(each).release());
      }
      ack_batch(some);
      done += some.size();
      if (some.size() < k_batch || done >= most) return list.release();
    }
  });
}

PyObject* receive_into(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [array, timeout] = arguments("receive_into", {values, count, names}, {"array", "timeout"}, 2, 1);
    refuse_objects("array", array);
    const BufferView view(array, PyBUF_WRITABLE | PyBUF_ND);
    return PyLong_FromSize_t(fill(of(self), elements_of(view.view(), "array"), timeout));
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
      filled = fill(of(self), elements_of(view.view(), "the new array"), timeout);
    }
    return PySequence_GetSlice(array.get(), 0, static_cast<Py_ssize_t>(filled));
  });
}

}  // namespace beltway::python
