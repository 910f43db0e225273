"""Messages go through queues between processes and keep their bytes; acknowledgements do what they say."""

import ctypes
import datetime
import random
import time
import unittest

import beltway
from support import DaemonTest, main


class Messages(DaemonTest):
    def test_bytes_of_each_size_arrive_as_they_were_sent(self):
        queue = self.declare(slots=64, slot_bytes=128, lane_bytes=1 << 20)
        producer, consumer = queue.producer(), queue.consumer()
        generator = random.Random(19)
        for size in [*range(0, 300, 7), 111, 112, 113, 4096, 100_000]:
            sent = generator.randbytes(size)
            producer.publish(sent)
            message = consumer.receive(5)
            self.assertEqual(message.bytes(), sent)
            self.assertEqual(bytes(message), sent)
            self.assertEqual(len(message), size)
            self.assertTrue(message.ack())

    def test_any_object_with_a_buffer_can_be_published(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        for sent in (bytearray(b"array"), memoryview(b"view")[1:], b"bytes"):
            producer.publish(sent)
            self.assertEqual(consumer.receive_bytes(5), bytes(sent))
        with self.assertRaisesRegex(TypeError, "bytes-like"):
            producer.publish("text")
        with self.assertRaises(BufferError):
            producer.publish(memoryview(b"12345678")[::2])

    def test_positions_count_up_and_messages_say_theirs(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        sent = [producer.publish(b"%d" % i) for i in range(10)]
        self.assertEqual(sent, list(range(10)))
        self.assertEqual([consumer.receive().position for _ in range(10)], sent)

    def test_message_of_a_group_comes_once_and_again_after_a_nack(self):
        queue = self.declare(groups=["workers"], retry_delay=0)
        producer = queue.producer()
        first, second = queue.consumer(group="workers"), queue.consumer(group="workers")
        producer.publish(b"job")
        message = first.receive(5)
        self.assertIsNone(second.try_receive())
        self.assertEqual(message.deliveries, 1)
        self.assertTrue(message.nack())
        again = second.receive(5)
        self.assertEqual((again.bytes(), again.deliveries), (b"job", 2))
        self.assertTrue(again.ack())
        self.assertFalse(again.ack())
        self.assertIsNone(first.try_receive())

    def test_message_without_an_ack_goes_back_when_it_is_garbage(self):
        queue = self.declare(groups=["workers"], retry_delay=0)
        queue.producer().publish(b"job")
        consumer = queue.consumer(group="workers")
        message = consumer.receive(5)
        del message
        self.assertEqual(consumer.receive(5).deliveries, 2)

    def test_nack_with_a_delay_waits_for_it(self):
        queue = self.declare(groups=["workers"])
        queue.producer().publish(b"job")
        consumer = queue.consumer(group="workers")
        self.assertTrue(consumer.receive(5).nack(delay=datetime.timedelta(milliseconds=80)))
        self.assertIsNone(consumer.receive(0.02))
        message = consumer.receive(5)
        self.assertEqual(message.deliveries, 2)
        with self.assertRaisesRegex(beltway.InvalidOption, "delay must be 0 to 86400"):
            message.nack(-1)
        self.assertTrue(message.ack())

    def test_process_acknowledges_and_an_exception_gives_back(self):
        queue = self.declare(groups=["workers"], retry_delay=0)
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish(b"job")
        with self.assertRaises(ZeroDivisionError):
            with consumer.receive(5).process():
                1 / 0
        message = consumer.receive(5)
        with message.process() as same:
            self.assertIs(same, message)
            self.assertEqual(message.deliveries, 2)
        self.assertFalse(message)
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def test_reject_moves_a_message_to_the_dead_letter_queue_with_its_reason(self):
        dead = self.declare(groups=["doctors"], lane_bytes=2 << 20)
        queue = self.declare(groups=["workers"], dead_letter=dead.name)
        queue.producer().publish(b"bad", properties=beltway.Properties(key="k"))
        consumer = queue.consumer(group="workers")
        with self.assertRaises(ValueError):
            with consumer.receive(5).process(reject=True):
                raise ValueError
        letter = dead.consumer(group="doctors").receive(5)
        self.assertEqual(letter.bytes(), b"bad")
        found = letter.properties
        self.assertEqual(found.key, "k")
        self.assertEqual((found.dead_letter.reason, found.dead_letter.queue, found.dead_letter.group),
                         ("rejected", queue.name, "workers"))

    def test_reject_without_a_dead_letter_queue_is_a_misuse(self):
        queue = self.declare(groups=["workers"])
        queue.producer().publish(b"job")
        with self.assertRaisesRegex(beltway.Misuse, "discard"):
            queue.consumer(group="workers").receive(5).reject()

    def test_lease_that_is_over_goes_to_another_consumer(self):
        queue = self.declare(groups=["workers"], lease_timeout=0.05)
        queue.producer().publish(b"job")
        first, second = queue.consumer(group="workers"), queue.consumer(group="workers")
        slow = first.receive(5)
        self.assertTrue(slow.extend())
        taken = second.receive(5)
        self.assertEqual(taken.bytes(), b"job")
        self.assertFalse(slow.still_held())
        self.assertFalse(slow.extend())
        self.assertFalse(slow.ack())
        self.assertTrue(taken.ack())

    def test_properties_arrive_as_they_were_sent(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        time = datetime.datetime(2026, 11, 29, 15, 30, 1, 250, tzinfo=datetime.timezone.utc)
        sent = beltway.Properties(
            key="kunde-ä", correlation_id="c", reply_to="answers", content_type="text/plain", trace_id="t",
            headers={"a": b"\x00\xff", "b": "two"}, publish_time=time)
        producer.publish(b"payload", properties=sent)
        message = consumer.receive(5)
        found = message.properties
        self.assertTrue(message.has_properties)
        self.assertEqual((found.key, found.correlation_id, found.reply_to, found.content_type, found.trace_id),
                         ("kunde-ä", "c", "answers", "text/plain", "t"))
        self.assertEqual(found.headers, (("a", b"\x00\xff"), ("b", b"two")))
        self.assertEqual(found.header("b"), b"two")
        self.assertIsNone(found.header("c"))
        self.assertEqual(found.publish_time, time)
        self.assertEqual(message.bytes(), b"payload")
        producer.publish_parts([b"to", b"gether"], properties=found)
        self.assertEqual(consumer.receive(5).text(), "together")
        with self.assertRaisesRegex(beltway.TooLarge, "key"):
            producer.publish(b"", properties=beltway.Properties(key="k" * 256))
        with self.assertRaisesRegex(TypeError, "beltway.Properties"):
            producer.publish(b"", properties={"key": "k"})

    def test_message_without_properties_has_empty_ones(self):
        queue = self.declare()
        queue_consumer = queue.consumer()
        queue.producer().publish(b"")
        message = queue_consumer.receive(5)
        self.assertFalse(message.has_properties)
        self.assertEqual(message.properties, beltway.Properties())

    def test_stamped_messages_know_their_age(self):
        queue = self.declare(stamps="fine")
        consumer = queue.consumer()
        queue.producer().publish(b"")
        message = consumer.receive(5)
        self.assertTrue(0 <= message.age < 60)
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs(now - message.published_at), datetime.timedelta(seconds=60))

    def test_time_that_no_message_can_carry_is_an_error(self):
        queue = self.declare(groups=["workers"])
        producer, utc = queue.producer(), datetime.timezone.utc
        for time in (datetime.datetime(9999, 1, 1, tzinfo=utc), datetime.datetime(2263, 1, 1, tzinfo=utc),
                     datetime.datetime(1600, 1, 1, tzinfo=utc)):
            with self.assertRaisesRegex(ValueError, "years 1678 and 2262"):
                producer.publish(b"", properties=beltway.Properties(publish_time=time))
            with self.assertRaisesRegex(ValueError, "years 1678 and 2262"):
                queue.reset_group("workers", time)
        last = datetime.datetime(2262, 1, 1, tzinfo=utc)
        producer.publish(b"", properties=beltway.Properties(publish_time=last))
        self.assertEqual(queue.consumer(group="workers").receive(5).properties.publish_time, last)

    def test_messages_expire_by_their_ttl(self):
        queue = self.declare(groups=["workers"], stamps="fine")
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish(b"old", properties=beltway.Properties(ttl=-1))
        producer.publish(b"new", properties=beltway.Properties(ttl=60))
        self.assertEqual(consumer.receive_bytes(5), b"new")

    def test_properties_tell_when_the_ttl_of_the_message_is_over(self):
        # With lease_timeout messages are copies.
        for options in ({}, {"lease_timeout": 3600}):
            queue = self.declare(groups=["workers"], **options)
            producer, consumer = queue.producer(), queue.consumer(group="workers")
            before = time.monotonic()
            sent = beltway.Properties(key="k", ttl=60)
            producer.publish(b"ends", properties=sent)
            after = time.monotonic()
            producer.publish(b"stays", properties=beltway.Properties(key="k"))
            producer.publish(b"forwarded", properties=queue.peek(1)[0].properties)
            for properties in (queue.peek(1)[0].properties, consumer.receive(5).properties):
                # The library counts in whole microseconds.
                self.assertTrue(before + 60 - 1e-3 <= properties.expires_at <= after + 60 + 1e-3, properties)
                self.assertFalse(properties.is_damaged)
                self.assertEqual(properties, beltway.Properties(key="k"))
            for _ in range(2):
                self.assertIsNone(consumer.receive(5).properties.expires_at)

    def test_properties_that_a_program_has_overwritten_are_absent_and_told(self):
        for options in ({}, {"lease_timeout": 3600}):
            queue = self.declare(groups=["workers"], **options)
            producer, consumer = queue.producer(), queue.consumer(group="workers")
            with producer.lend(3, properties=beltway.Properties(key="k")) as view:
                view[:] = b"abc"
                place = ctypes.addressof(ctypes.c_char.from_buffer(view))
                ctypes.memset(place - 64 + 8, 0xff, 1)  # the length of the key, in the block before the payload
                del place
            message = consumer.receive(5)
            self.assertEqual((message.bytes(), message.has_properties), (b"abc", True))
            self.assertEqual((message.properties.key, message.properties.is_damaged), ("", True))
            message.ack()

    def test_loop_over_a_consumer_ends_at_the_end_of_the_stream(self):
        queue = self.declare(groups=["workers"])
        with queue.producer() as producer:
            producer.publish_many([b"%d" % i for i in range(100)])
        consumer = queue.consumer(group="workers", end_of_stream="drained")
        found = []
        for message in consumer:
            found.append(int(message.text()))
            message.ack()
        self.assertEqual(found, list(range(100)))
        with self.assertRaises(beltway.EndOfStream):
            consumer.receive()

    def test_batches_keep_their_order_and_their_bounds(self):
        queue = self.declare(slots=1024, groups=["workers"])
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        sent = [b"%d" % i for i in range(500)]
        self.assertEqual(producer.publish_many(iter(sent)), 500)
        first = consumer.receive_many(7)
        self.assertEqual([m.bytes() for m in first], sent[:7])
        self.assertEqual(beltway.ack_many(first), 7)
        self.assertEqual(consumer.receive_many_bytes(200), sent[7:207])
        rest = consumer.try_receive_many(1000)
        self.assertEqual([m.bytes() for m in rest], sent[207:])
        self.assertEqual(beltway.ack_many(rest), 293)
        self.assertEqual(consumer.receive_many(5, timeout=0.01), [])
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def test_batch_that_finds_the_queue_full_says_how_much_is_published(self):
        queue = self.declare(slots=16, groups=["workers"])
        producer = queue.producer()
        self.assertEqual(producer.try_publish_many([b"m"] * 10), 10)
        with self.assertRaises(beltway.Timeout) as caught:
            producer.publish_many([bytearray(b"m")] * 100, timeout=0.01)
        self.assertEqual(caught.exception.published, 6)
        self.assertEqual(producer.try_publish_many([b"m"]), 0)
        self.assertFalse(producer.try_publish(b"m"))
        with self.assertRaises(TimeoutError):
            producer.publish(b"m", timeout=0.01)

    def test_generator_that_closes_the_producer_ends_publish_many(self):
        producer = self.declare().producer()

        def messages():
            yield b"one"
            producer.close()
            yield b"two"

        for call in (producer.publish_many, producer.try_publish_many):
            with self.assertRaisesRegex(beltway.Misuse, "the producer is closed") as caught:
                call(messages())
            self.assertEqual(caught.exception.published, 0)

    def test_sequence_numbers_publish_a_message_once(self):
        queue = self.declare(groups=["workers"])
        producer = queue.producer(name="shop")
        self.assertEqual(producer.publish(b"one", sequence=1), 0)
        self.assertIsNone(producer.publish(b"one", sequence=1))
        self.assertEqual(producer.last_sequence, 1)
        producer.close()
        again = queue.producer(name="shop")
        self.assertIsNone(again.publish(b"one", sequence=1))
        self.assertEqual(again.publish(b"two", sequence=2), 1)
        self.assertEqual(queue.describe().producer_names[0].last_sequence, 2)

    def test_message_larger_than_the_queue_takes_names_the_limit(self):
        queue = self.declare(lane_bytes=4096)
        producer = queue.producer()
        with self.assertRaisesRegex(beltway.TooLarge, str(producer.max_message_bytes)):
            producer.publish(bytes(5000))

    def test_removed_queue_ends_both_ends(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        self.link.remove(queue.name)
        with self.assertRaises(beltway.Removed):
            consumer.receive(5)
        with self.assertRaises(beltway.Removed):
            producer.publish(b"")

    def test_two_processes_share_a_queue(self):
        queue = self.declare(groups=["workers"])
        consumer = queue.consumer(group="workers")
        self.run_python("""
            import beltway, sys
            with beltway.connect() as link:
                link.open_queue(sys.argv[1]).producer().publish_many([b"%d" % i for i in range(1000)])
            """, queue.name)
        found = []
        while len(found) < 1000:
            found += consumer.receive_many_bytes(64, 5)
        self.assertEqual(found, [b"%d" % i for i in range(1000)])


if __name__ == "__main__":
    main()
