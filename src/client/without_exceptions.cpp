// The calls of Connection and Queue that return an Error instead of throwing it, and the type checks of typed.hpp.
#include <new>
#include <string>

#include "beltway/connection.hpp"
#include "beltway/typed.hpp"
#include "wire/option_values.hpp"

namespace beltway {

namespace {

/// Made before memory can run out. Its text is so short that a copy allocates nothing.
const Error k_no_memory(Errc::limit_reached, "out of memory");

/// What `call()` returns or throws.
template <class T, class Call>
Result<T, Error> result_of(const Call& call) noexcept {
  try {
    return call();
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return k_no_memory;
  } catch (const std::exception& other) {
    return Error(Errc::system, other.what());
  }
}

std::string text(const TypeTag& tag) { return tag.size == 0 ? "untyped bytes" : wire::text_of(tag); }

}  // namespace

Result<Connection, Error> Connection::try_open(const ConnectionOptions& options) noexcept {
  return result_of<Connection>([&] { return open(options); });
}

Result<Queue, Error> Connection::try_declare(std::string_view name) const noexcept {
  return result_of<Queue>([&] { return declare(name); });
}

Result<Queue, Error> Connection::try_declare(std::string_view name, const QueueOptions& options) const noexcept {
  return result_of<Queue>([&] { return declare(name, options); });
}

Result<Queue, Error> Connection::try_open_queue(std::string_view name) const noexcept {
  return result_of<Queue>([&] { return open_queue(name); });
}

Result<Queue, Error> Connection::try_open_queue(std::string_view name, const Until& until) const noexcept {
  return result_of<Queue>([&] { return open_queue(name, until); });
}

Result<std::vector<QueueInfo>, Error> Connection::try_list() const noexcept {
  return result_of<std::vector<QueueInfo>>([&] { return list(); });
}

Result<EventPage, Error> Connection::try_events(std::uint64_t since, std::uint32_t count) const noexcept {
  return result_of<EventPage>([&] { return events(since, count); });
}

Result<QueueInfo, Error> Connection::try_describe(std::string_view name) const noexcept {
  return result_of<QueueInfo>([&] { return describe(name); });
}

Result<Connection::DaemonInfo, Error> Connection::try_ping() const noexcept {
  return result_of<DaemonInfo>([&] { return ping(); });
}

Result<void, Error> Connection::try_remove(std::string_view name, const RemoveOptions& options) const noexcept {
  return result_of<void>([&] {
    remove(name, options);
    return Result<void, Error>();
  });
}

Result<Producer, Error> Queue::try_producer(const ProducerOptions& options) const noexcept {
  return result_of<Producer>([&] { return producer(options); });
}

Result<Consumer, Error> Queue::try_consumer(const ConsumerOptions& options) const noexcept {
  return result_of<Consumer>([&] { return consumer(options); });
}

Result<Status, Error> Queue::try_wait_for_consumers(unsigned count, const Until& until) const noexcept {
  return result_of<Status>([&] { return wait_for_consumers(count, until); });
}

Result<Status, Error> Queue::try_wait_for_producers(unsigned count, const Until& until) const noexcept {
  return result_of<Status>([&] { return wait_for_producers(count, until); });
}

Result<void, Error> Queue::try_add_group(const NamedGroup& group, Start start) const noexcept {
  return result_of<void>([&] {
    add_group(group, start);
    return Result<void, Error>();
  });
}

Result<void, Error> Queue::try_evict(unsigned consumer) const noexcept {
  return result_of<void>([&] {
    evict(consumer);
    return Result<void, Error>();
  });
}

Result<QueueInfo, Error> Queue::try_describe() const noexcept {
  return result_of<QueueInfo>([&] { return describe(); });
}

}  // namespace beltway

namespace beltway::detail {

void throw_wrong_size(const std::string& queue, std::size_t size, const TypeTag& type) {
  throw Error(Errc::wrong_type, "receive from \"" + queue + "\": a message of " + std::to_string(size) +
                                    " bytes where " + type.name + " has " + std::to_string(type.size) +
                                    "; an untyped producer published it");
}

Result<Queue, Error> try_declare_typed(const Connection& link, std::string_view name, TypeTag type) noexcept {
  return result_of<Queue>([&] { return link.declare_some(name, {.type = std::move(type)}, {"type"}).queue; });
}

std::optional<Error> wrong_type(const Queue& queue, const TypeTag& wanted) {
  const TypeTag& there = queue.options().type;
  if (there == wanted) return std::nullopt;
  return Error(Errc::wrong_type, "open \"" + queue.name() + "\": it holds " + text(there) + ", not " + text(wanted) +
                                     "; declare it with that type or open it as what it is");
}

}  // namespace beltway::detail
