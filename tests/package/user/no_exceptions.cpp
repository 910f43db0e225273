// A program without exceptions: it meets errors as values, goes on, and moves messages. Compiled with -fno-exceptions.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "beltway/beltway.hpp"

namespace {

struct Order {
  static constexpr std::string_view beltway_name = "Order.1";
  int number = 0;
};
struct Bill {
  static constexpr std::string_view beltway_name = "Bill.1";
  int number = 0;
};

void check(bool good, const char* what) {
  if (good) return;
  std::printf("wrong: %s\n", what);
  std::exit(1);
}

template <class T>
void check_error(const beltway::Result<T, beltway::Error>& outcome, beltway::Errc reason, const char* text) {
  check(!outcome, text);
  std::printf("%s\n", outcome.error().what());
  check(outcome.error().reason() == reason && std::strstr(outcome.error().what(), text) != nullptr, text);
}

}  // namespace

int main() {
  using namespace std::chrono_literals;
  check_error(beltway::Connection::try_open({.socket = "/nowhere/beltwayd.sock"}), beltway::Errc::no_daemon,
              "/nowhere/beltwayd.sock");

  auto link = beltway::Connection::try_open();
  check(link.has_value(), "open");
  check_error(link->try_open_queue("none"), beltway::Errc::not_found, "none");
  check_error(link->try_declare("bad", {.slots = 3}), beltway::Errc::invalid_option, "slots");
  check_error(link->try_open_queue("none", 1ms), beltway::Errc::not_found, "none came in time");
  check_error(link->try_open_queue<Order>("none", 1ms), beltway::Errc::not_found, "none came in time");
  check_error(link->try_describe("none"), beltway::Errc::not_found, "none");
  check(link->try_ping() && link->try_ping()->pid > 0, "ping");
  check(link->try_list() && link->try_list()->empty(), "list");
  check_error(link->try_remove("none"), beltway::Errc::not_found, "none");

  auto queue = link->try_declare("plain", {.slots = 4, .max_producers = 1, .groups = {"billing"}});
  check(queue.has_value(), "declare");
  auto out = queue->try_producer();
  check(out.has_value(), "attach a producer");
  check_error(queue->try_producer(), beltway::Errc::limit_reached, "plain");
  check_error(queue->try_consumer({.group = "unknown"}), beltway::Errc::not_found, "unknown");
  check(*queue->try_wait_for_producers(1, 10s) == beltway::Status::ok, "the producer is attached");
  check(*queue->try_wait_for_consumers(1, 1ms) == beltway::Status::timeout, "no consumer is attached");
  check(queue->try_add_group("audit").has_value(), "add a group");
  check_error(queue->try_add_group("a b"), beltway::Errc::invalid_option, "a b");
  check(queue->try_describe() && queue->try_describe()->endpoints.size() == 1, "describe");
  auto in = queue->try_consumer({.group = "billing"});
  check(in.has_value(), "attach a consumer");
  check(out->try_publish("one") == beltway::Status::ok, "publish");
  int messages = 0;
  in->consume([&](beltway::Message& message) { messages += message.ack() ? 1 : 0; }, 10ms);
  check(messages == 1, "consume");
  int written = 0;
  check(out->try_publish(3, [&](auto place) { written += static_cast<int>(place.size()); }) == beltway::Status::ok,
        "publish by a writer");
  check(written == 3, "the writer is called");

  auto orders = link->try_declare<Order>("orders", {.groups = {"billing"}});
  check(orders.has_value(), "declare a typed queue");
  check_error(link->try_open_queue<Bill>("orders"), beltway::Errc::wrong_type, "Bill.1");
  auto numbers = orders->try_producer();
  auto readers = orders->try_consumer({.group = "billing"});
  check(numbers && readers, "attach typed endpoints");
  check(numbers->try_publish({7}) == beltway::Status::ok, "publish an order");
  auto order = readers->try_receive();
  check(order && (*order)->number == 7, "receive the order");
  order->ack();
  check(link->try_open_queue<Order>("orders", 1ms).has_value(), "open a typed queue that is there");
  check(link->try_remove("orders").has_value(), "remove");
  check_error(orders->untyped().try_wait_for_consumers(5, 10s), beltway::Errc::removed, "orders");
  check_error(orders->untyped().try_describe(), beltway::Errc::removed, "orders");
  std::printf("goes on after all errors\n");
  return 0;
}
