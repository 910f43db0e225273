// When a consumer is told the end of the stream: private and named groups, by default and by option.
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "beltway/beltway.hpp"
#include "endpoint/attachment.hpp"
#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::endpoint;

namespace {

using namespace std::chrono_literals;

TEST(EndOfStream, a_private_group_ends_only_after_a_producer_came_and_went) {
  LocalQueue queue;
  Consumer in = queue.consumer();
  EXPECT_EQ(in.try_receive().status(), Status::empty) << "no producer was there yet";
  {
    Producer out = queue.producer();
    out.publish("last");
    EXPECT_EQ(in.receive(1ms)->text(), "last");
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    out.publish("very last");
  }
  EXPECT_EQ(in.receive()->text(), "very last");
  EXPECT_EQ(in.receive().status(), Status::end_of_stream);
  Producer another = queue.producer();
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(EndOfStream, private_consumer_attached_between_two_producers_waits_for_the_second_one) {
  LocalQueue queue;
  {
    queue.producer().publish("first run");
  }
  Consumer in = queue.consumer({.start = Start::oldest});
  Consumer lossy = queue.consumer({.lossy = true});
  EXPECT_EQ(in.try_receive()->text(), "first run");
  EXPECT_EQ(in.try_receive().status(), Status::empty) << "the producer of the first run was gone before";
  EXPECT_EQ(in.receive(1ms).status(), Status::timeout);
  EXPECT_EQ(lossy.try_receive().status(), Status::empty);
  {
    queue.producer().publish("second run");
  }
  EXPECT_EQ(in.receive()->text(), "second run");
  EXPECT_EQ(in.receive().status(), Status::end_of_stream);
  EXPECT_EQ(lossy.receive()->text(), "second run");
  EXPECT_EQ(lossy.receive().status(), Status::end_of_stream);
}

TEST(EndOfStream, producer_that_came_while_the_consumer_was_being_made_ends_the_stream) {
  const ConsumerOptions latest;
  const ConsumerOptions oldest{.start = Start::oldest};
  const ConsumerOptions named{.group = "g", .end_of_stream = EndOfStream::after_producer};
  for (const ConsumerOptions& options : {latest, oldest, named}) {
    LocalQueue queue({.slots = 8, .groups = {"g"}});
    const Attachment place =
        queue.attach_consumer(options);  // the daemon has attached it; the Consumer is not there yet
    {
      const Producer idle = queue.producer();
    }
    Consumer in = make_consumer(place, options);
    EXPECT_EQ(in.receive(20s).status(), Status::end_of_stream);
  }
}

TEST(EndOfStream, message_published_while_the_consumer_was_being_made_comes_before_the_end) {
  const ConsumerOptions latest;
  const ConsumerOptions named{.group = "g", .end_of_stream = EndOfStream::after_producer};
  for (const ConsumerOptions& options : {latest, named}) {
    LocalQueue queue({.slots = 8, .groups = {"g"}});
    const Attachment place = queue.attach_consumer(options);
    {
      queue.producer().publish("only");
    }
    Consumer in = make_consumer(place, options);
    EXPECT_TRUE(in.receive(20s)->ack());
    EXPECT_EQ(in.receive(20s).status(), Status::end_of_stream);
  }
}

TEST(EndOfStream, producer_that_was_there_at_the_attach_and_left_while_the_consumer_was_being_made_ends_the_stream) {
  LocalQueue queue;
  std::optional<Producer> out(queue.producer());
  const Attachment place = queue.attach_consumer();
  out.reset();
  Consumer in = make_consumer(place, {});
  EXPECT_EQ(in.receive().status(), Status::end_of_stream);
}

TEST(EndOfStream, private_consumer_drains_a_queue_whose_producers_are_gone_if_asked) {
  LocalQueue queue;
  Consumer early = queue.consumer({.end_of_stream = EndOfStream::drained});
  EXPECT_EQ(early.try_receive().status(), Status::empty) << "no producer was there yet";
  {
    queue.producer().publish("last");
  }
  Consumer in = queue.consumer({.start = Start::oldest, .end_of_stream = EndOfStream::drained});
  EXPECT_EQ(in.receive()->text(), "last");
  EXPECT_EQ(in.receive().status(), Status::end_of_stream);
}

TEST(EndOfStream, private_consumer_follows_producers_yet_to_come_if_asked) {
  LocalQueue queue;
  Consumer in = queue.consumer({.follow = true});
  {
    queue.producer().publish("first");
  }
  EXPECT_EQ(in.receive()->text(), "first");
  EXPECT_EQ(in.receive(1ms).status(), Status::timeout);
  {
    queue.producer().publish("second");
  }
  EXPECT_EQ(in.receive()->text(), "second");
}

TEST(EndOfStream, named_consumer_waits_for_producers_yet_to_come) {
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  {
    queue.producer().publish("first run");
  }
  Consumer in = queue.consumer({.group = "g"});
  EXPECT_TRUE(in.receive()->ack());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  {
    queue.producer().publish("second run");
  }
  EXPECT_TRUE(in.receive()->ack());
  EXPECT_EQ(in.receive(1ms).status(), Status::timeout) << "a producer was there, and the group waits for the next one";
}

TEST(EndOfStream, named_consumer_ends_with_its_producers_if_asked) {
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  {
    queue.producer().publish("early");
  }
  Consumer in = queue.consumer({.group = "g", .end_of_stream = EndOfStream::after_producer});
  EXPECT_TRUE(in.receive()->ack());
  EXPECT_EQ(in.try_receive().status(), Status::empty) << "that producer left before the consumer came";
  {
    const Producer idle = queue.producer();
  }
  EXPECT_EQ(in.try_receive().status(), Status::end_of_stream);
}

TEST(EndOfStream, the_option_follow_overrules_the_option_end_of_stream) {
  LocalQueue queue;
  Consumer in = queue.consumer({.follow = true, .end_of_stream = EndOfStream::drained});
  {
    const Producer idle = queue.producer();
  }
  EXPECT_EQ(in.try_receive().status(), Status::empty);
}

TEST(EndOfStream, the_end_of_a_named_group_waits_for_messages_that_other_consumers_hold) {
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  {
    Producer out = queue.producer();
    out.publish("a");
    out.publish("b");
  }
  Consumer one = queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  Consumer two = queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  Result<Message> a = one.receive();
  Result<Message> b = two.receive();
  EXPECT_EQ(two.try_receive().status(), Status::empty) << "one may still give its message back";
  b->ack();
  std::thread later([&] {
    std::this_thread::sleep_for(5ms);
    a->ack();
  });
  EXPECT_EQ(two.receive().status(), Status::end_of_stream);
  later.join();
  EXPECT_EQ(two.counters().rescued, 0U);
  EXPECT_EQ(one.try_receive().status(), Status::end_of_stream);
}

TEST(EndOfStream, the_only_holder_of_messages_in_a_named_group_gets_the_end_of_stream) {
  LocalQueue queue({.slots = 8, .groups = {"g"}});
  {
    queue.producer().publish("a");
  }
  Consumer in = queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  Result<Message> held = in.receive();
  EXPECT_EQ(in.receive().status(), Status::end_of_stream) << "nobody else can bring anything";
  held->ack();
}

}  // namespace
}  // namespace beltway::test
