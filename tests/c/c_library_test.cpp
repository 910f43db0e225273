// The C library from the outside and from the inside: its symbols, its names, its defaults, and the structs that are C++ objects.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/structs.hpp"
#include "count_allocations.hpp"
#include "daemon.hpp"
#include "local_queue.hpp"
#include "wire/options_schema.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

TEST(CLibrary, library_exports_c_calls_alone) {
  const Outcome symbols = run({"nm", "-D", "--defined-only", BELTWAY_C_LIBRARY});
  ASSERT_TRUE(symbols.exit.ok()) << symbols.err;
  std::size_t calls = 0;
  std::istringstream lines(symbols.out);
  for (std::string address, kind, name; lines >> address >> kind >> name;) {
    if (name == "BELTWAY_C_0" || name.starts_with("BELTWAY_C_0@")) continue;  // the version of all of them
    EXPECT_TRUE(name.starts_with("beltway_")) << name;
    EXPECT_TRUE(name.ends_with("@@BELTWAY_C_0")) << name << " has no version";
    ++calls;
  }
  EXPECT_GT(calls, 100U);
}

TEST(CLibrary, the_soname_has_no_minor_version) {
  const Outcome dynamic = run({"readelf", "-d", BELTWAY_C_LIBRARY});
  EXPECT_NE(dynamic.out.find("[libbeltway-c.so.0]"), std::string::npos) << dynamic.out;
}

/// Each call that a header declares is defined in the library that is loaded.
TEST(CLibrary, each_declared_call_is_exported) {
  void* const library = ::dlopen(BELTWAY_C_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  std::size_t calls = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BELTWAY_TEST_SOURCES "/include/beltway/c")) {
    const std::string text = read_file(entry.path());
    const std::string mark = "\nBELTWAY_C_CALL ";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
      const auto end = text.find('(', at);
      const auto begin = text.find_last_of(" *", end) + 1;
      const std::string name = text.substr(begin, end - begin);
      EXPECT_NE(::dlsym(library, name.c_str()), nullptr) << name;
      ++calls;
    }
  }
  EXPECT_GT(calls, 100U);
  ::dlclose(library);
}

TEST(CLibrary, option_names_are_those_of_the_table) {
  std::set<std::string> wanted;
  for (const json& row : json::parse(run({program("option_table")}).out)) {
    const std::string name = row["json"];
    // A typed queue is three members.
    wanted.insert(row["of"].get<std::string>() + ' ' + (name == "type" ? "type_name" : name));
  }
  std::set<std::string> found;
  std::istringstream lines(run({program("c_option_names")}).out);
  for (std::string line; std::getline(lines, line);) found.insert(line);
  EXPECT_EQ(found, wanted);
}

TEST(CLibrary, outcome_names_and_values_are_those_of_the_table) {
  const json outcomes = json::parse(run({program("option_table"), "--outcomes"}).out);
  for (const auto& [name, value] : outcomes["statuses"].items())
    EXPECT_EQ(beltway_status_name(static_cast<beltway_status>(value.get<int>())), name);
  for (const auto& [name, value] : outcomes["errors"].items())
    EXPECT_EQ(beltway_errc_name(static_cast<beltway_errc>(value.get<int>())), name);
  EXPECT_STREQ(beltway_errc_name(static_cast<beltway_errc>(outcomes["errors"].size() + 1)), "unknown");
  EXPECT_STREQ(beltway_status_name(static_cast<beltway_status>(outcomes["statuses"].size())), "unknown");
}

template <class Options>
void expect_defaults(const Options& options) {
  for (const auto& row : wire::options_of<Options>()) EXPECT_TRUE(row.is_default(options)) << row.name;
}

TEST(CLibrary, macros_hold_the_defaults_of_the_cpp_options) {
  const beltway_queue_options queue = BELTWAY_QUEUE_OPTIONS_INIT;
  const beltway_producer_options producer = BELTWAY_PRODUCER_OPTIONS_INIT;
  const beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  const beltway_group group = BELTWAY_GROUP_INIT("workers");
  const beltway_connection_options connection = BELTWAY_CONNECTION_OPTIONS_INIT;
  expect_defaults(c::cpp(&queue));
  expect_defaults(c::cpp(static_cast<const beltway_queue_options*>(nullptr)));
  expect_defaults(c::cpp(&producer));
  expect_defaults(c::cpp(&consumer));
  expect_defaults(c::cpp(group).options);
  EXPECT_EQ(c::cpp(group).name, "workers");
  EXPECT_EQ(c::cpp(&connection).timeout, ConnectionOptions().timeout);
  EXPECT_EQ(c::cpp(&connection).start_daemon, ConnectionOptions().start_daemon);
  EXPECT_EQ(c::cpp(&connection).socket, "");
  EXPECT_EQ(c::cpp(&connection).stopped_timeout, ConnectionOptions().stopped_timeout);
  beltway_connection_options hasty = connection;
  hasty.stopped_timeout_ms = 250;
  EXPECT_EQ(c::cpp(&hasty).stopped_timeout, std::chrono::milliseconds(250));
}

/// A struct in its second version.
struct Grown {
  std::size_t size;
  std::uint64_t first;
  std::uint64_t added;
};
constexpr std::size_t k_first_bytes = offsetof(Grown, added);

TEST(CLibrary, a_struct_of_an_older_program_has_defaults_for_what_was_added) {
  const Grown old{.size = k_first_bytes, .first = 7, .added = 99};
  const Grown whole = c::taken(&old, Grown{.size = sizeof(Grown), .first = 1, .added = 2}, "grown", k_first_bytes);
  EXPECT_EQ(whole.first, 7U);
  EXPECT_EQ(whole.added, 2U);
  const Grown shorter{.size = k_first_bytes - 1, .first = 7, .added = 99};
  EXPECT_THROW(static_cast<void>(c::taken(&shorter, Grown{}, "grown", k_first_bytes)), Error);
}

TEST(CLibrary, a_struct_of_an_older_program_is_filled_as_far_as_it_goes) {
  const auto fill = [](Grown& to) {
    to.first = 7;
    to.added = 8;
  };
  Grown old{.size = k_first_bytes, .first = 0, .added = 99};
  c::fill_known(&old, "grown", fill, k_first_bytes);
  EXPECT_EQ(old.size, k_first_bytes);
  EXPECT_EQ(old.first, 7U);
  EXPECT_EQ(old.added, 99U) << "this is behind the program's struct";
  Grown now{.size = sizeof(Grown), .first = 0, .added = 0};
  c::fill_known(&now, "grown", fill, k_first_bytes);
  EXPECT_EQ(now.added, 8U);
  Grown unset{};
  EXPECT_THROW(c::fill_known(&unset, "grown", fill, k_first_bytes), Error);
}

TEST(CLibrary, each_word_of_an_option_has_its_enumerator) {
  beltway_queue_options queue = BELTWAY_QUEUE_OPTIONS_INIT;
  queue.fence = BELTWAY_FENCE_SYMMETRIC;
  queue.stamps = BELTWAY_STAMPS_FINE;
  EXPECT_EQ(c::cpp(&queue).fence, Fence::symmetric);
  EXPECT_EQ(c::cpp(&queue).stamps, Stamps::fine);
  queue.stamps = BELTWAY_STAMPS_COARSE;
  EXPECT_EQ(c::cpp(&queue).stamps, Stamps::coarse);
  beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  consumer.start = BELTWAY_START_OLDEST;
  consumer.ack = BELTWAY_ACK_AUTOMATIC;
  consumer.wait = BELTWAY_WAIT_SLEEP;
  consumer.end_of_stream = BELTWAY_END_DRAINED;
  EXPECT_EQ(c::cpp(&consumer).start, Start::oldest);
  EXPECT_EQ(c::cpp(&consumer).ack, Ack::automatic);
  EXPECT_EQ(c::cpp(&consumer).wait, WaitStrategy::sleep);
  EXPECT_EQ(c::cpp(&consumer).end_of_stream, EndOfStream::drained);
  consumer.wait = BELTWAY_WAIT_SPIN;
  consumer.end_of_stream = BELTWAY_END_AFTER_PRODUCER;
  EXPECT_EQ(c::cpp(&consumer).wait, WaitStrategy::spin);
  EXPECT_EQ(c::cpp(&consumer).end_of_stream, EndOfStream::after_producer);
  consumer.end_of_stream = BELTWAY_END_NEVER;
  EXPECT_EQ(c::cpp(&consumer).end_of_stream, EndOfStream::never);
}

TEST(CLibrary, a_c_message_is_the_cpp_message) {
  LocalQueue queue({.slots = 8, .max_producers = 2, .max_groups = 1, .groups = {"group"}});
  Producer first = queue.producer();
  Producer second = queue.producer();
  Consumer in = queue.consumer({.group = "group"});
  first.publish("before");
  second.publish("a message", Properties{.key = "key"});
  beltway_message message = BELTWAY_MESSAGE_INIT;
  ASSERT_FALSE(static_cast<bool>(c::cpp(&message)));
  ASSERT_TRUE(in.try_receive()->ack());
  ASSERT_TRUE(in.try_receive()->nack());
  c::cpp(&message) = *in.try_receive();
  const Message& same = c::cpp(&message);
  EXPECT_EQ(message.data, same.bytes().data());
  EXPECT_EQ(message.size, 9U);
  EXPECT_EQ(message.size, same.size());
  EXPECT_EQ(message.position, 1U);
  EXPECT_EQ(message.position, same.position());
  EXPECT_EQ(message.producer, 1U);
  EXPECT_EQ(message.producer, same.producer());
  EXPECT_EQ(message.lost, same.lost());
  EXPECT_EQ(beltway_message_deliveries(&message), 2U);
  EXPECT_EQ(beltway_message_deliveries(&message), same.deliveries());
  EXPECT_TRUE(beltway_message_has_properties(&message));
  EXPECT_EQ(same.properties().key(), "key");
  EXPECT_EQ(beltway_ack(&message), 1);
  EXPECT_EQ(message.internal_owner, nullptr);
}

TEST(CLibrary, a_c_message_tells_what_a_lossy_consumer_lost) {
  LocalQueue queue({.slots = 4, .max_producers = 1, .max_groups = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.lossy = true});
  for (int i = 0; i < 9; ++i) out.publish("x");
  beltway_message message = BELTWAY_MESSAGE_INIT;
  c::cpp(&message) = *in.try_receive();
  EXPECT_GT(message.lost, 0U);
  EXPECT_EQ(message.lost, c::cpp(&message).lost());
  beltway_message_drop(&message);
}

TEST(CLibrary, a_c_loan_and_c_bytes_are_the_cpp_ones) {
  LocalQueue queue({.slots = 8, .lane_bytes = 65536, .max_producers = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  beltway_loan loan = BELTWAY_LOAN_INIT;
  ASSERT_FALSE(static_cast<bool>(c::cpp(&loan)));
  c::cpp(&loan) = out.loan(500);
  EXPECT_EQ(loan.data, c::cpp(&loan).bytes().data());
  EXPECT_EQ(loan.size, 500U);
  beltway_loan_drop(&loan);
  EXPECT_EQ(loan.internal_owner, nullptr);
  const beltway_bytes bytes[2] = {{"one", 3}, {"three", 5}};
  const std::span<const Bytes> same = c::cpp(bytes, 2);
  EXPECT_EQ(same[1].data(), bytes[1].data);
  EXPECT_EQ(same[1].size(), 5U);
}

TEST(CLibrary, messages_cost_no_allocation) {
  LocalQueue queue({.slots = 64, .lane_bytes = 65536, .max_producers = 1, .max_groups = 1, .groups = {"group"}});
  beltway_producer out{queue.producer()};
  beltway_consumer in{queue.consumer({.group = "group"})};
  const beltway_bytes batch[3] = {{"one", 3}, {"two", 3}, {"three", 5}};
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  properties.key = beltway_text_of("key");
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  options.properties = &properties;
  beltway_received_properties received;
  received.size = sizeof received;
  beltway_loan loan = BELTWAY_LOAN_INIT;
  beltway_message messages[4] = {};
  const auto pass_messages = [&] {
    std::size_t count = 0;
    EXPECT_EQ(beltway_publish(&out, "one", 3), BELTWAY_OK);
    EXPECT_EQ(beltway_publish_with(&out, "one", 3, &options, nullptr), BELTWAY_OK);
    EXPECT_EQ(beltway_publish_batch(&out, batch, 3, nullptr), BELTWAY_OK);
    EXPECT_EQ(beltway_try_lend(&out, 500, &properties, &loan), BELTWAY_OK);
    EXPECT_EQ(beltway_commit(&loan, 500, nullptr), BELTWAY_OK);
    EXPECT_EQ(beltway_receive(&in, &messages[0]), BELTWAY_OK);
    EXPECT_EQ(beltway_ack(&messages[0]), 1);
    EXPECT_EQ(beltway_try_receive(&in, &messages[0]), BELTWAY_OK);
    EXPECT_EQ(beltway_message_properties(&messages[0], &received), BELTWAY_OK);
    EXPECT_EQ(beltway_ack(&messages[0]), 1);
    EXPECT_EQ(beltway_receive_batch(&in, messages, 4, &count), BELTWAY_OK);
    EXPECT_EQ(beltway_ack_batch(messages, count), 4U);
  };
  pass_messages();
  const std::uint64_t before = allocations();
  for (int i = 0; i < 100; ++i) pass_messages();
  EXPECT_EQ(allocations(), before);
}

TEST(CLibrary, an_exception_of_a_callback_does_not_leave_a_c_call) {
  LocalQueue queue({.slots = 8, .max_producers = 1, .max_groups = 1, .groups = {"group"}});
  beltway_producer out{queue.producer()};
  beltway_consumer in{queue.consumer({.group = "group"})};
  const auto throwing_writer = [](void*, void*, std::size_t) { throw 7; };
  EXPECT_EQ(beltway_publish_writer(&out, 3, throwing_writer, nullptr, nullptr, nullptr), BELTWAY_ERROR);
  EXPECT_EQ(beltway_last_errc(), BELTWAY_ERRC_MISUSE);
  EXPECT_NE(std::string(beltway_last_error()).find("callback"), std::string::npos) << beltway_last_error();
  ASSERT_EQ(beltway_publish(&out, "x", 1), BELTWAY_OK);
  const auto throwing_handler = [](void*, beltway_message*) -> int { throw std::runtime_error("no more"); };
  EXPECT_EQ(beltway_consume(&in, throwing_handler, nullptr, BELTWAY_FOREVER, nullptr), BELTWAY_ERROR);
  EXPECT_STREQ(beltway_last_error(), "no more");
  // The message went back to the group.
  beltway_message message = BELTWAY_MESSAGE_INIT;
  ASSERT_EQ(beltway_try_receive(&in, &message), BELTWAY_OK);
  EXPECT_EQ(message.position, 1U);
  EXPECT_EQ(beltway_message_deliveries(&message), 2U);
  beltway_ack(&message);
}

TEST(CLibrary, a_long_error_is_cut_between_two_characters) {
  const std::string text = std::string(2046, 'x') + "\u00e9\u00e9";
  EXPECT_EQ(c::fail(Errc::misuse, text), BELTWAY_ERROR);
  EXPECT_EQ(beltway_last_error(), std::string(2046, 'x'));
  EXPECT_EQ(c::fail(Errc::removed, "gone"), BELTWAY_REMOVED);
  EXPECT_STREQ(beltway_last_error(), "gone");
  EXPECT_EQ(beltway_last_errc(), BELTWAY_ERRC_REMOVED);
}

}  // namespace
}  // namespace beltway::test
