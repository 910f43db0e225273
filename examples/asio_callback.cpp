// Boost.Asio with callbacks: each operation ends with an error or a result, and starts the next one.
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <iostream>
#include <stop_token>
#include <string>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"

namespace {
using boost::system::error_code;

class Greeter {
 public:
  Greeter(boost::asio::io_context& io, beltway::Producer& out, beltway::Consumer& in) : sender_(io, out), in_(io, in) {}

  void send(int left) {
    text_ = left == 0 ? std::string(1 << 24, '!') : "greeting " + std::to_string(left);
    // The bytes must stay until the callback: `text_` does. A full queue makes this wait, and nothing else in the loop.
    sender_.async_publish(text_, [this, left](error_code error) {
      if (!error) return send(left - 1);
      std::cout << "not sent: " << error.message() << '\n';
    });
  }

  void receive() {
    in_.async_receive([this](error_code error, beltway::Message message) {
      std::cout << (error ? "no more: " + error.message() : std::string(message.text())) << '\n';
      if (error) return;
      receive();                                         // the next one, which this may then cancel
      if (message.text() == "greeting 1") in_.cancel();  // nothing more will come
    });
  }

 private:
  beltway::AsyncProducer sender_;
  beltway::AsyncConsumer in_;
  std::string text_;
};

}  // namespace

int main() try {
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto queue = beltway::Connection::open().declare("greetings");
  auto out = queue.producer();
  auto in = queue.consumer();
  boost::asio::io_context io;
  const std::stop_callback leave(stop.token(), [&io] { io.stop(); });
  Greeter greeter(io, out, in);
  greeter.receive();
  greeter.send(3);
  io.run();
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
