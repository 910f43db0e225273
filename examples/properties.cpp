// Requests that say where their answer goes, and answers that say what they answer. The server knows no client beforehand.
//
//   properties serve
//   properties ask QUESTION...
#include <unistd.h>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>

#include "beltway/beltway.hpp"

namespace {
using namespace std::chrono_literals;

void serve(const beltway::Connection& link, const beltway::Queue& questions, const beltway::StopOn& stop) {
  auto in = questions.consumer({.group = "servers"});
  while (auto question = in.receive(stop)) {
    const auto properties = question->properties();
    // Whoever asked may be gone, and its queue with it.
    if (auto queue = link.try_open_queue(properties.reply_to())) {
      queue->producer().publish_parts({"you asked: ", question->text()}, {.correlation_id = properties.correlation_id(),
                                                                          .content_type = "text/plain",
                                                                          .trace_id = properties.trace_id(),
                                                                          .publish_time = beltway::Properties::now});
    }
    question->ack();
  }
}

void ask(const beltway::Connection& link, const beltway::Queue& questions, int count, char** texts) {
  const std::string mine = "answers/" + std::to_string(getpid());
  auto in = link.declare(mine, {.slots = 64, .exclusive = true}).consumer({.follow = true});
  auto out = questions.producer();
  for (int i = 0; i < count; ++i) {
    out.publish(texts[i], {.correlation_id = std::to_string(i), .reply_to = mine, .content_type = "text/plain"});
  }
  for (int i = 0; i < count; ++i) {
    auto answer = in.receive(5s);
    if (!answer) throw beltway::Error(beltway::Errc::interrupted, "no server answers");
    std::cout << answer->properties().correlation_id() << ": " << answer->text() << '\n';
  }
}
}  // namespace

int main(int argc, char** argv) try {
  const std::string_view role = argc > 1 ? argv[1] : "";
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto link = beltway::Connection::open();
  const auto questions = link.declare("questions", {.groups = {"servers"}});
  role == "serve" ? serve(link, questions, stop) : ask(link, questions, argc - 2, argv + 2);
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
