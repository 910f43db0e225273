// Boost.Asio with futures: the loop runs in a thread of its own, and another waits for what it is interested in.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <thread>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"

using namespace std::chrono_literals;

int main() try {
  const auto queue = beltway::Connection::open().declare("answers", {.groups = {"askers"}});
  auto out = queue.producer();
  // A message of a named group may be used and acknowledged in another thread than the one that received it.
  auto in = queue.consumer({.group = "askers"});

  boost::asio::io_context io;
  beltway::AsyncConsumer answers(io, in);
  beltway::AsyncProducer sender(io, out);
  auto work = boost::asio::make_work_guard(io);
  std::jthread loop([&io] { io.run(); });

  std::future<beltway::Message> answer = answers.async_receive(boost::asio::use_future);
  if (answer.wait_for(10ms) == std::future_status::timeout) std::cout << "nothing yet\n";

  const std::string text = "forty-two";
  sender.async_publish(text, boost::asio::use_future).get();
  beltway::Message message = answer.get();
  std::cout << "the answer: " << message.text() << '\n';
  message.ack();

  answer = answers.async_receive(boost::asio::use_future);
  answers.cancel();
  try {
    answer.get();
  } catch (const boost::system::system_error& error) {
    std::cout << "cancelled: " << (error.code() == boost::asio::error::operation_aborted ? "yes" : "no") << '\n';
  }
  work.reset();
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
