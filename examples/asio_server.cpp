// A server of 300 coroutines over one consumer: each takes a request, waits for something slow (here a timer), answers and
// acknowledges. All in one thread; a full queue of answers suspends those who answer and nobody else.
// `asio_server [REQUESTS]` ends after them, or at SIGTERM or Ctrl-C.
#include <boost/asio.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <string>
#include <thread>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"

namespace asio = boost::asio;
struct Server {
  asio::awaitable<void> serve() {
    asio::steady_timer database(requests.get_executor());
    try {
      for (;;) {
        beltway::Message request = co_await requests.async_receive(asio::use_awaitable);
        database.expires_after(std::chrono::milliseconds(1)), co_await database.async_wait(asio::use_awaitable);
        co_await answers.async_publish("answer to " + std::string(request.text()), asio::use_awaitable);
        request.ack();  // only now: if this process dies before, another server gets the request
      }
    } catch (const boost::system::system_error& error) {
      if (error.code() != beltway::Status::end_of_stream) throw;
    }
  }
  beltway::AsyncConsumer requests;
  beltway::AsyncProducer answers;
};

int main(int argc, char** argv) try {
  const int count = argc > 1 ? std::atoi(argv[1]) : 3000;
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto requests = beltway::Connection::open().declare("requests", {.groups = {"servers"}});
  const auto answers = beltway::Connection::open().declare("answers-to-requests", {.slots = 64});
  auto in = requests.consumer({.group = "servers", .end_of_stream = beltway::EndOfStream::after_producer});
  auto out = answers.producer();
  std::jthread client([&, client_in = answers.consumer(), client_out = requests.producer()]() mutable {
    constexpr int k_ahead = 500;  // of the answers: two full queues that wait for each other would wait for ever
    for (int i = 0; i < count || i - count < k_ahead; ++i) {
      if (i < count && client_out.publish_until("request " + std::to_string(i), stop) != beltway::Status::ok) return;
      if (i < k_ahead) continue;
      auto answer = client_in.receive(stop);
      if (!answer) return;
      std::cout << answer->text() << '\n';
    }
  });
  asio::io_context io;
  const std::stop_callback leave(stop.token(), [&io] { io.stop(); });  // requests in hand go back to the group
  Server server{{io, in}, {io, out}};
  for (int i = 0; i < 300; ++i) asio::co_spawn(io, server.serve(), asio::detached);
  io.run();
} catch (const std::exception& error) {
  return std::cerr << error.what() << '\n', 1;
}
