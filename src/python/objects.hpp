// The objects of the module, as they lie in memory, and how they are made. Each type has its methods in a file of its own.
// None of them refers to an object that may refer back, so no cycle goes through them, and they need no part in Python's search
// for cycles.
//
// Thread safety: all functions require the GIL.
#pragma once

#include "python/properties_values.hpp"
#include "python/turns.hpp"

#include <cstdint>
#include <deque>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "beltway/connection.hpp"
#include "beltway/consumer.hpp"
#include "beltway/detail/fork_guard.hpp"
#include "beltway/message.hpp"
#include "beltway/producer.hpp"
#include "beltway/queue.hpp"
#include "endpoint/overwriting.hpp"

namespace beltway::python {

/// How a message ends.
enum class End : std::uint8_t { none, ack, nack, nack_with_delay, reject, dropped };

/// A message that has ended in one thread while another thread waits in its consumer.
struct EndedMessage {
  Message message;
  End end;
  std::chrono::microseconds delay;
};

struct MessageObject;

struct ConsumerHandle {
  std::optional<Consumer> consumer;  // nothing: closed
  Turns turns;
  detail::ForkGuard guard;
  std::string queue;
  std::string group;
  bool is_lossy = false;
  bool is_automatic = false;       // ack="automatic"
  bool interrupted = false;        // interrupt() was called, and no call has told it yet
  std::size_t held = 0;            // message objects that hold a message
  std::size_t deferred = 0;        // of these: ended by the program, while views of them exist
  std::deque<Message> ahead = {};  // received and not given to the program: they come first
  std::vector<EndedMessage> ended = {};
  MessageObject* last = nullptr;  // that a `for` loop got last, borrowed; only if is_automatic

  /// Ends what other threads have ended meanwhile.
  void end_messages();
};

struct ProducerHandle {
  std::optional<Producer> producer;  // nothing: closed
  Turns turns;
  std::string queue;
  bool interrupted = false;
  std::size_t loans = 0;         // open ones
  std::vector<Loan> ended = {};  // dropped by other threads while one waits inside
};

struct ConnectionObject {
  PyObject head;
  std::optional<Connection>* state;
};
struct QueueObject {
  PyObject head;
  Queue* state;
};
struct ConsumerObject {
  PyObject head;
  ConsumerHandle* state;
};
struct ProducerObject {
  PyObject head;
  ProducerHandle* state;
};

/// What a message object keeps of a message whose bytes others may overwrite while the program has it: see
/// endpoint::may_be_overwritten(). No code of Python makes it: such code may let another thread receive.
struct MessageCopy {
  Ref bytes;
  std::optional<OwnedProperties> properties;
  ReceivedState state;  // of the properties
  std::optional<PublishTime> published_at;
  bool is_all;  // the message itself has ended: it is a lossy consumer's, whose bytes are good until the next receive
};

struct MessageObject {
  PyObject head;
  ConsumerObject* owner;  // a reference
  Message message;
  MessageCopy* copy;      // null: the message cannot be overwritten
  Py_ssize_t views;       // exported buffers
  std::int64_t delay_us;  // of a nack that waits for views
  End end;                // of `message`, or of the copy: none while the program holds it
};

struct LoanObject {
  PyObject head;
  ProducerObject* owner;  // a reference
  Loan loan;
  Py_ssize_t views;
  PyObject* own_view;  // that `with` gave
  bool commits;        // a call commits it, and may wait
};

struct ProcessObject {
  PyObject head;
  MessageObject* message;  // a reference
  std::int64_t delay_us;   // below 0: none was given
  bool reject;
};

/// The types, made when the module is loaded.
struct Types {
  PyTypeObject* connection;
  PyTypeObject* queue;
  PyTypeObject* producer;
  PyTypeObject* loan;
  PyTypeObject* consumer;
  PyTypeObject* message;
  PyTypeObject* process;
};
inline Types types{};

extern PyType_Spec connection_spec;
extern PyType_Spec queue_spec;
extern PyType_Spec producer_spec;
extern PyType_Spec loan_spec;
extern PyType_Spec consumer_spec;
extern PyType_Spec message_spec;
extern PyType_Spec process_spec;

/// Flags of all types: final, and made by the calls of this module alone.
inline constexpr unsigned k_type_flags =
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION;

/// A new object whose members are not made yet. Throws ErrorIsSet.
template <class Object>
[[nodiscard]] Object* new_object(PyTypeObject* type) {
  auto* const object = PyObject_New(Object, type);
  if (object == nullptr) throw ErrorIsSet{};
  return object;
}
/// A new object with a state of its own.
template <class Object, class State>
[[nodiscard]] PyObject* new_object(PyTypeObject* type, std::unique_ptr<State> state) {
  auto* const object = new_object<Object>(type);
  object->state = state.release();
  return reinterpret_cast<PyObject*>(object);
}
/// The last step of a type's dealloc, after its members have ended.
inline void free_object(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(reinterpret_cast<PyObject*>(type));
}

/// The consumer's message as an object, with a copy if the message may be overwritten. Null without an error: it is another
/// consumer's by now, and what was copied may be torn. Throws ErrorIsSet; then the message is dropped.
[[nodiscard]] PyObject* new_message(ConsumerObject* owner, Message message);
/// Null without an error: as new_message(). Throws ErrorIsSet.
[[nodiscard]] std::unique_ptr<MessageCopy> copy_message(const Message& message);
/// The payload as an object of Python. Throws ErrorIsSet.
[[nodiscard]] Ref copy_payload(const Message& message);
/// True if what was just copied from the message is whole.
[[nodiscard]] inline bool is_copied_whole(const Message& message) noexcept {
  return !endpoint::may_be_overwritten(message) || message.still_held();
}
/// Ends the message of an object. False if it had ended before. Throws what the library's call throws.
bool end_message(MessageObject* self, End end, std::chrono::microseconds delay = {});
/// True if the program holds the message of an object and has not ended it.
[[nodiscard]] inline bool is_held(const MessageObject* self) noexcept {
  return self->end == End::none && (static_cast<bool>(self->message) || (self->copy != nullptr && self->copy->is_all));
}
/// Takes the message out of an object that holds one and has no views of the queue's memory. An empty message: it does not, or it
/// is a lossy consumer's.
[[nodiscard]] Message take_message(MessageObject* self);
/// Acknowledges all messages of an iterable; the module's ack_many().
PyObject* ack_many(PyObject* module, PyObject* messages);

[[nodiscard]] PyObject* new_queue(Queue queue);
[[nodiscard]] PyObject* new_producer(Producer producer);
[[nodiscard]] PyObject* new_consumer(Consumer consumer, const ConsumerOptions& options);
/// The loan of a producer as an object.
[[nodiscard]] PyObject* new_loan(ProducerObject* owner, Loan loan);
/// The module's connect().
PyObject* connect(PyObject* module, PyObject* const* values, Py_ssize_t count, PyObject* names);

/// The producer of an object, ready for a call that may wait until `deadline`. Throws Error(misuse) if it is closed. Null:
/// another thread was inside all the time.
[[nodiscard]] Producer* enter(ProducerObject* self, const char* operation, const Deadline& deadline);
/// The position of the producer's last message.
[[nodiscard]] std::uint64_t last_position(const Producer& producer) noexcept;

/// __enter__ of objects that are given as they are.
PyObject* return_self(PyObject* self, PyObject* nothing);

}  // namespace beltway::python
