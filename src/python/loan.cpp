// The type Loan: memory of the queue, to be written in place. A commit with views left would let the program write into a
// published message, so it raises BufferError. The view that `with` gives is released by the commit.
#include "python/arguments.hpp"
#include "python/errors.hpp"
#include "python/objects.hpp"
#include "python/properties_values.hpp"
#include "python/sending.hpp"

namespace beltway::python {

namespace {

LoanObject* of(PyObject* self) noexcept { return reinterpret_cast<LoanObject*>(self); }

std::string loan_context(const LoanObject* self, const char* operation) {
  return context_of(operation, self->owner->state->queue);
}

/// Releases the view of the `with` block. Throws ErrorIsSet (BufferError) if other views are left.
void release_views(LoanObject* self, const char* operation) {
  if (self->own_view != nullptr) {
    const Ref view(std::exchange(self->own_view, nullptr));
    PyObject* const released = PyObject_CallMethod(view.get(), "release", nullptr);
    if (released == nullptr) PyErr_Clear();  // what is exported from it counts below
    Py_XDECREF(released);
  }
  if (self->views != 0) {
    fail(PyExc_BufferError,
         loan_context(self, operation) +
             ": arrays or memoryviews of it exist; delete them first, so that the program cannot write into a "
             "published message");
  }
}

/// While a commit waits, the loan belongs to it. Throws Error(misuse) for another thread, or a handler of a signal.
void check_idle(const LoanObject* self, const char* operation) {
  if (self->commits)
    throw Error(Errc::misuse, loan_context(self, operation) + ": a commit of it waits; let it end first");
}

/// The loan ends, or has ended: its producer may be closed.
void note_end(LoanObject* self) {
  if (!self->loan) --self->owner->state->loans;
}

void drop_loan(LoanObject* self) {
  if (!self->loan) return;
  ProducerHandle& state = *self->owner->state;
  if (state.turns.is_taken()) {  // the thread that is inside drops it
    state.ended.push_back(std::move(self->loan));
    state.producer->interrupt();
  } else {
    self->loan.drop();
  }
  note_end(self);
}

std::size_t size_argument(const LoanObject* self, PyObject* size) {
  check_idle(self, "commit a loan of");
  if (!self->loan) throw Error(Errc::misuse, loan_context(self, "commit a loan of") + ": the loan has ended");
  const std::size_t bytes = is_none(size) ? self->loan.size() : number_argument("size", size);
  if (bytes > self->loan.size()) {
    throw Error(Errc::misuse, loan_context(self, "commit a loan of") + ": " + std::to_string(bytes) +
                                  " bytes are more than the " + std::to_string(self->loan.size()) + " that were lent");
  }
  return bytes;
}

std::uint64_t commit_waiting(LoanObject* self, PyObject* size, const Deadline& deadline) {
  const std::size_t bytes = size_argument(self, size);
  release_views(self, "commit a loan of");
  self->commits = true;
  const detail::UnwindGuard idle([self]() noexcept { self->commits = false; });
  Producer* const producer = enter(self->owner, "commit a loan of", deadline);
  if (producer == nullptr) raise_unpublished(self->owner, Status::timeout);
  Status status = told(self->owner, self->loan.try_commit(bytes));
  if (status == Status::full) {
    status = publish_waiting(self->owner, deadline,
                             [&](const Until& until) { return self->loan.commit_until(bytes, until); });
  }
  if (status != Status::ok) raise_unpublished(self->owner, status, [&] { self->loan.commit(bytes); });
  note_end(self);
  return last_position(*producer);
}

PyObject* commit(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [size, timeout] = arguments("commit", {values, count, names}, {"size", "timeout"}, 1, 0);
    return PyLong_FromUnsignedLongLong(commit_waiting(of(self), size, deadline_argument(timeout)));
  });
}

PyObject* try_commit(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [size] = arguments("try_commit", {values, count, names}, {"size"}, 1, 0);
    const std::size_t bytes = size_argument(of(self), size);
    release_views(of(self), "commit a loan of");
    ProducerObject* const owner = of(self)->owner;
    if (enter(owner, "commit a loan of", Deadline(Deadline::Clock::time_point::min())) == nullptr)
      return boolean(false);
    const Status status = told(owner, of(self)->loan.try_commit(bytes));
    if (status == Status::full) return boolean(false);
    if (status != Status::ok) raise_unpublished(owner, status, [&] { of(self)->loan.commit(bytes); });
    note_end(of(self));
    return boolean(true);
  });
}

PyObject* drop(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    check_idle(of(self), "drop a loan of");
    release_views(of(self), "drop a loan of");
    drop_loan(of(self));
    return none();
  });
}

PyObject* enter_block(PyObject* self, PyObject* /*nothing*/) {
  return guarded([&] {
    if (of(self)->own_view == nullptr) of(self)->own_view = Ref(PyMemoryView_FromObject(self)).release();
    return Py_NewRef(of(self)->own_view);
  });
}

PyObject* exit_block(PyObject* self, PyObject* const* values, Py_ssize_t count) {
  return guarded([&] {
    LoanObject* const loan = of(self);
    if (!loan->loan) return none();  // the block has ended it
    check_idle(loan, "end a loan of");
    if (count == 0 || values[0] == Py_None) {
      commit_waiting(loan, nullptr, Deadline{});
    } else if (loan->views <= (loan->own_view == nullptr ? 0 : 1)) {
      release_views(loan, "drop a loan of");
      drop_loan(loan);
    }
    // Else views are left besides ours: the loan is dropped with the last of them.
    return none();
  });
}

PyObject* get_size(PyObject* self, void* /*closure*/) {
  return PyLong_FromSize_t(of(self)->loan ? of(self)->loan.size() : 0);
}

Py_ssize_t length(PyObject* self) { return of(self)->loan ? static_cast<Py_ssize_t>(of(self)->loan.size()) : 0; }

int is_true(PyObject* self) { return of(self)->loan ? 1 : 0; }

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded_int([&] {
    if (!of(self)->loan) throw Error(Errc::misuse, loan_context(of(self), "write a loan of") + ": the loan has ended");
    of(self)->owner->state->turns.refuse_in_child("write a loan of", of(self)->owner->state->queue);
    check_idle(of(self), "write a loan of");
    const auto bytes = of(self)->loan.bytes();
    if (PyBuffer_FillInfo(view, self, bytes.data(), static_cast<Py_ssize_t>(bytes.size()), 0, flags) != 0)
      throw ErrorIsSet{};
    ++of(self)->views;
  });
}

void release_buffer(PyObject* self, Py_buffer* /*view*/) { --of(self)->views; }

void dealloc(PyObject* self) {
  drop_loan(of(self));
  of(self)->loan.~Loan();
  Py_DECREF(reinterpret_cast<PyObject*>(of(self)->owner));
  free_object(self);
}

PyMethodDef methods[] = {
    {"commit", as_method(commit), METH_FASTCALL | METH_KEYWORDS,
     "commit($self, size=None, *, timeout=None)\n--\n\nPublishes the loan, or its first `size` bytes. Waits while the "
     "queue is "
     "full. Returns the position.\n\nRaises BufferError while arrays or memoryviews of the loan exist."},
    {"try_commit", as_method(try_commit), METH_FASTCALL | METH_KEYWORDS,
     "try_commit($self, size=None)\n--\n\nAs commit(), but never waits. False if the queue is full; the loan stays "
     "open."},
    {"drop", drop, METH_NOARGS, "drop($self, /)\n--\n\nEnds the loan without a message."},
    {"__enter__", enter_block, METH_NOARGS, "__enter__($self, /)\n--\n\nReturns a writable memoryview of the loan."},
    {"__exit__", as_method(exit_block), METH_FASTCALL,
     "__exit__($self, kind, error, trace, /)\n--\n\nCommits the whole loan, or drops it after an exception, unless the "
     "block has "
     "ended it."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef members[] = {{"size", get_size, nullptr, "Its bytes; 0: it has ended.", nullptr},
                         {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("Memory of the queue, made by Producer.lend(). No consumer sees it before commit(). "
                                  "It begins with old bytes.\n\n"
                                  "It has the buffer protocol, writable: memoryview(loan), numpy.frombuffer(loan, "
                                  "dtype). Delete such views before\n"
                                  "the commit. A `with` gives a memoryview, releases it at its end, and commits.")},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {Py_tp_dealloc, as_slot(dealloc)},
    {Py_sq_length, as_slot(length)},
    {Py_nb_bool, as_slot(is_true)},
    {Py_bf_getbuffer, as_slot(get_buffer)},
    {Py_bf_releasebuffer, as_slot(release_buffer)},
    {0, nullptr}};

}  // namespace

PyType_Spec loan_spec{"beltway.Loan", sizeof(LoanObject), 0, k_type_flags, slots};

PyObject* new_loan(ProducerObject* owner, Loan loan) {
  auto* const object = new_object<LoanObject>(types.loan);
  new (&object->loan) Loan(std::move(loan));
  object->owner = reinterpret_cast<ProducerObject*>(Py_NewRef(reinterpret_cast<PyObject*>(owner)));
  object->views = 0;
  object->own_view = nullptr;
  object->commits = false;
  ++owner->state->loans;
  return reinterpret_cast<PyObject*>(object);
}

PyObject* lend(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, timeout, said] =
        arguments("lend", {values, count, names}, {"size", "timeout", "properties"}, 1, 1);
    const std::size_t size = number_argument("size", wanted);
    const Deadline deadline = deadline_argument(timeout);
    std::optional<OwnedProperties> texts;
    if (!is_none(said)) texts.emplace(said);
    const Properties properties = texts ? texts->get() : Properties{};
    auto* const owner = reinterpret_cast<ProducerObject*>(self);
    Producer* const producer = enter(owner, "lend from", deadline);
    if (producer == nullptr) raise_unpublished(owner, Status::timeout);
    Result<Loan> lent = producer->try_loan(size, properties);
    if (told(owner, lent.status()) == Status::full) {
      publish_waiting(owner, deadline, [&](const Until& until) {
        lent = producer->loan_until(size, properties, until);
        return lent.status();
      });
    }
    if (!lent) raise_unpublished(owner, lent.status(), [&] { static_cast<void>(producer->loan(size, properties)); });
    return new_loan(owner, *std::move(lent));
  });
}

PyObject* try_lend(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return guarded([&] {
    const auto [wanted, said] = arguments("try_lend", {values, count, names}, {"size", "properties"}, 1, 1);
    const std::size_t size = number_argument("size", wanted);
    std::optional<OwnedProperties> texts;
    if (!is_none(said)) texts.emplace(said);
    auto* const owner = reinterpret_cast<ProducerObject*>(self);
    Producer* const producer = enter(owner, "lend from", Deadline(Deadline::Clock::time_point::min()));
    if (producer == nullptr) return none();
    const Properties properties = texts ? texts->get() : Properties{};
    Result<Loan> lent = producer->try_loan(size, properties);
    if (lent) return new_loan(owner, *std::move(lent));
    if (told(owner, lent.status()) == Status::full) return none();
    raise_unpublished(owner, lent.status(), [&] { static_cast<void>(producer->loan(size, properties)); });
  });
}

}  // namespace beltway::python
