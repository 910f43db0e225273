// The commands of `beltway` that the upgrade tests use of a side, over the library of that side: the whole tool takes longer to
// compile than library and daemon. It compiles with the library of each side.
//
//   ping | list | show QUEUE | declare QUEUE [--slots N] [--group G] | pub QUEUE [TEXT] [--rate N/s]
//   sub QUEUE --group G [--follow] [--count N] [--timeout Ns]
//
// Exit codes: 0 done, 1 an error, which is said as the library says it, 2 wrong arguments.
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"

namespace {

using namespace beltway;

/// A command's words: those without a name in their order, and those that follow a name.
struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> named;

  [[nodiscard]] const std::string& at(std::size_t index) const { return plain.at(index); }
  [[nodiscard]] int number(const std::string& name) const { return std::stoi(named.at(name)); }
};

Words words_of(int argc, char** argv) {
  Words words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      words.plain.push_back(word);
    } else if (word == "--follow") {
      words.named[word] = "";
    } else if (i + 1 < argc) {
      words.named[word] = argv[++i];
    } else {
      throw std::out_of_range(word);
    }
  }
  return words;
}

void declare(const Connection& link, const Words& words) {
  QueueOptions options;
  if (words.named.contains("--slots")) options.slots = static_cast<std::uint32_t>(words.number("--slots"));
  if (words.named.contains("--group")) options.groups = {NamedGroup(words.named.at("--group"))};
  (void)link.declare(words.at(1), options);
}

void publish(const Connection& link, const Words& words) {
  auto producer = link.open_queue(words.at(1)).producer();
  if (words.plain.size() > 2) {
    producer.publish(words.at(2));
    return;
  }
  std::chrono::microseconds pause{0};
  if (words.named.contains("--rate")) pause = std::chrono::microseconds(1'000'000 / words.number("--rate"));
  auto due = std::chrono::steady_clock::now();
  for (std::string line; std::getline(std::cin, line); due += pause) {
    std::this_thread::sleep_until(due);
    producer.publish(line);
  }
}

/// True if it ended as it was asked to.
bool subscribe(const Connection& link, const Words& words) {
  ConsumerOptions options;
  options.group = words.named.at("--group");
  options.follow = words.named.contains("--follow");
  auto consumer = link.open_queue(words.at(1)).consumer(options);
  int left = words.named.contains("--count") ? words.number("--count") : -1;
  while (left != 0) {
    auto received = words.named.contains("--timeout")
                        ? consumer.receive(std::chrono::seconds(words.number("--timeout")))
                        : consumer.receive();
    if (!received) {
      std::cerr << to_string(received.status()) << '\n';
      return received.status() == Status::end_of_stream;
    }
    // Printed before it is acknowledged: a consumer that is killed in between loses nothing.
    std::cout << received->text() << std::endl;
    received->ack();
    if (left > 0) --left;
  }
  return true;
}

bool run(const Words& words) {
  const std::string& command = words.at(0);
  ConnectionOptions options;
  options.start_daemon = command != "ping";  // with which a test waits for its own
  const Connection link = Connection::open(options);
  if (command == "ping") {
    (void)link.ping();
  } else if (command == "list") {
    for (const QueueInfo& queue : link.list()) std::cout << queue.name << '\n';
  } else if (command == "show") {
    std::cout << link.open_queue(words.at(1)).describe().name << '\n';
  } else if (command == "declare") {
    declare(link, words);
  } else if (command == "pub") {
    publish(link, words);
  } else if (command == "sub") {
    return subscribe(link, words);
  } else {
    throw std::out_of_range(command);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(words_of(argc, argv)) ? 0 : 1;
  } catch (const std::logic_error& error) {
    std::cerr << "side_client: no such command, or an argument is missing: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "beltway: " << error.what() << '\n';
    return 1;
  }
}
