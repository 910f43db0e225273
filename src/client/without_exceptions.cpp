// The calls of Connection and Queue that return an Error instead of throwing it, and the type checks of typed.hpp.
#include <new>
#include <string>

#include "beltway/connection.hpp"
#include "beltway/typed.hpp"

namespace beltway {
namespace {

/// What `call()` returns or throws.
template <class Result, class Call>
Expected<Result> expected(const Call& call) noexcept {
  try {
    return call();
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(Errc::limit_reached, "out of memory");
  } catch (const std::exception& other) {
    return Error(Errc::system, other.what());
  }
}

std::string text(const TypeTag& tag) {
  if (tag.size == 0) return "untyped bytes";
  return tag.name + " (" + std::to_string(tag.size) + " bytes, aligned to " + std::to_string(tag.alignment) + ")";
}

}  // namespace

Expected<Connection> Connection::try_open(const ConnectionOptions& options) noexcept {
  return expected<Connection>([&] { return open(options); });
}

Expected<Queue> Connection::try_declare(std::string_view name, const QueueOptions& options) const noexcept {
  return expected<Queue>([&] { return declare(name, options); });
}

Expected<Queue> Connection::try_open_queue(std::string_view name) const noexcept {
  return expected<Queue>([&] { return open_queue(name); });
}

Expected<void> Connection::try_remove(std::string_view name) const noexcept {
  return expected<void>([&] {
    remove(name);
    return Expected<void>();
  });
}

Expected<Producer> Queue::try_producer(const ProducerOptions& options) const noexcept {
  return expected<Producer>([&] { return producer(options); });
}

Expected<Consumer> Queue::try_consumer(const ConsumerOptions& options) const noexcept {
  return expected<Consumer>([&] { return consumer(options); });
}

namespace detail {

void throw_wrong_size(const std::string& queue, std::size_t size, const TypeTag& type) {
  throw Error(Errc::wrong_type, "receive from \"" + queue + "\": a message of " + std::to_string(size) +
                                    " bytes where " + type.name + " has " + std::to_string(type.size) +
                                    "; an untyped producer published it");
}

std::optional<Error> wrong_type(const Queue& queue, const TypeTag& wanted) {
  const TypeTag& there = queue.options().type;
  if (there == wanted) return std::nullopt;
  return Error(Errc::wrong_type, "open \"" + queue.name() + "\": it holds " + text(there) + ", not " + text(wanted) +
                                     "; declare it with that type or open it as what it is");
}

}  // namespace detail
}  // namespace beltway
