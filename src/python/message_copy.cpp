// Messages that others may overwrite while the program has them are copied when they are delivered.
#include "python/objects.hpp"

namespace beltway::python {

std::unique_ptr<MessageCopy> copy_message(const Message& message) {
  auto copy = std::make_unique<MessageCopy>();
  copy->bytes = copy_payload(message);
  if (message.has_properties()) {
    const PropertiesView view = message.properties();
    copy->properties.emplace(static_cast<Properties>(view));
    copy->state = ReceivedState(view);
  }
  copy->published_at = message.published_at();
  if (!is_copied_whole(message)) return nullptr;
  return copy;
}

Ref copy_payload(const Message& message) {
  const auto bytes = message.bytes();
  return Ref(
      PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size())));
}

}  // namespace beltway::python
