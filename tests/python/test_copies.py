"""Messages that others may take away while a program has them are copies: no view of them ever changes."""

import asyncio
import unittest

import beltway
from beltway import aio
from support import DaemonTest, main

try:
    import numpy
except ImportError:
    numpy = None

# A group whose leases end by time, and one whose consumers may be evicted by hand: nobody stands still for an hour.
TIMED = {"lease_timeout": 0.05}
EVICTABLE = {"evict_after": 3600}


class Copies(DaemonTest):
    def declare_small(self, **options):
        return self.declare(slots=4, slot_bytes=64, groups=["workers"], retry_delay=0, **options)

    def take_away(self, queue, holder, count):
        """The messages of `holder` go to another consumer, which ends them; then their places are overwritten."""
        if queue.options["evict_after"]:
            queue.evict(holder.index)
        other = queue.consumer(group="workers")
        taken = []
        while len(taken) < count:
            taken += other.receive_many_bytes(count - len(taken), 20)
        producer = queue.producer()
        for _ in range(3 * 4):
            producer.publish(b"?" * 8, timeout=20)
            self.assertEqual(other.receive_bytes(20), b"?" * 8)
        return sorted(taken)

    def test_late_view_keeps_its_bytes_after_the_message_was_overwritten(self):
        for options in (TIMED, EVICTABLE):
            with self.subTest(options):
                queue = self.declare_small(**options)
                queue.producer().publish(b"payload!", properties=beltway.Properties(key="k"))
                holder = queue.consumer(group="workers")
                message = holder.receive(20)
                view = memoryview(message)
                self.assertTrue(message.still_held())
                self.assertEqual(self.take_away(queue, holder, 1), [b"payload!"])
                self.assertEqual((bytes(view), message.bytes(), message.text()), (b"payload!",) * 2 + ("payload!",))
                self.assertEqual((message.properties.key, len(message)), ("k", 8))
                self.assertFalse(message.still_held())
                self.assertFalse(message.extend())
                self.assertFalse(message.ack())
                self.assertEqual(bytes(view), b"payload!")

    def test_late_views_of_many_messages_keep_their_bytes(self):
        for options in (TIMED, EVICTABLE):
            with self.subTest(options):
                queue = self.declare_small(**options)
                sent = [b"number %d" % i for i in range(3)]
                queue.producer().publish_many(sent)
                holder = queue.consumer(group="workers")
                messages = holder.receive_many(3, 20)
                views = [memoryview(message) for message in messages]
                self.assertEqual(self.take_away(queue, holder, 3), sent)
                self.assertEqual([bytes(view) for view in views], sent)
                self.assertEqual(beltway.ack_many(messages), 0)

    def test_late_views_of_asyncio_keep_their_bytes(self):
        for options in (TIMED, EVICTABLE):
            with self.subTest(options):
                queue = self.declare_small(**options)
                sent = [b"number %d" % i for i in range(3)]
                queue.producer().publish_many(sent)

                async def receive():
                    link = await aio.connect(self.socket)
                    holder = await (await link.open_queue(queue.name)).consumer(group="workers")
                    messages = [await holder.receive(20)]
                    while len({message.bytes() for message in messages}) < 3:  # its own lease may be over by then
                        messages += await holder.receive_many(3, 20)
                    return holder, messages, [memoryview(message) for message in messages]

                with asyncio.Runner() as runner:
                    holder, messages, views = runner.run(receive())
                    self.assertEqual(self.take_away(queue, holder, 3), sent)
                    self.assertEqual(sorted({bytes(view) for view in views}), sent)
                    self.assertFalse(any(message.ack() for message in messages))
                    holder.close()

    def test_views_of_a_private_consumer_that_was_evicted_keep_their_bytes(self):
        queue = self.declare(slots=4, slot_bytes=64, **EVICTABLE)
        producer, consumer = queue.producer(), queue.consumer()
        producer.publish(b"payload!")
        message = consumer.receive(20)
        view = memoryview(message)
        self.assertTrue(message.still_held())
        queue.evict(consumer.index)
        for _ in range(3 * 4):
            producer.publish(b"?" * 8, timeout=20)
        self.assertEqual(bytes(view), b"payload!")
        self.assertFalse(message.still_held())

    def refuse_odd(self, consumer):
        """Leases all messages that are there: they do not fit, and wait for the next receive."""
        with self.assertRaisesRegex(ValueError, "next message has 8 bytes"):
            consumer.receive_into(bytearray(3), 20)

    def test_message_that_another_consumer_has_before_it_is_copied_is_not_delivered(self):
        calls = [lambda c: c.receive(20).bytes(), lambda c: c.receive_bytes(20), lambda c: next(c).bytes(),
                 lambda c: c.receive_many(8, 20)[0].bytes(), lambda c: c.receive_many_bytes(8, 20)[0],
                 lambda c: bytes(self.received_into(c))]
        for number, call in enumerate(calls):
            with self.subTest(number):
                queue = self.declare_small(**TIMED)
                queue.producer().publish_many([b"number %d" % i for i in range(3)])
                holder = queue.consumer(group="workers")
                self.refuse_odd(holder)
                self.take_away(queue, holder, 3)
                self.assertIsNone(holder.try_receive_bytes() if number % 2 else holder.try_receive())
                queue = self.declare_small(**TIMED)
                queue.producer().publish_many([b"number %d" % i for i in range(3)])
                holder = queue.consumer(group="workers")
                self.refuse_odd(holder)
                self.take_away(queue, holder, 3)
                queue.producer().publish(b"the next")
                self.assertEqual(call(holder), b"the next")

    @staticmethod
    def received_into(consumer):
        array = bytearray(8)
        assert consumer.receive_into(memoryview(array).cast("B", (1, 8)), 20) == 1
        return array

    def test_calls_that_find_only_messages_of_others_wait_no_longer_than_they_may(self):
        queue = self.declare_small(**TIMED)
        for call in (lambda c: c.receive(0.01), lambda c: c.receive_bytes(0.01)):
            queue.producer().publish(b"number 1")
            holder = queue.consumer(group="workers")
            self.refuse_odd(holder)
            self.take_away(queue, holder, 1)
            self.assertIsNone(call(holder))
        for call in (lambda c: c.receive_many(3, 0.01), lambda c: c.receive_many_bytes(3, 0.01),
                     lambda c: c.try_receive_many(3)):
            queue.producer().publish(b"number 1")
            holder = queue.consumer(group="workers")
            self.refuse_odd(holder)
            self.take_away(queue, holder, 1)
            self.assertEqual(call(holder), [])

    def test_ack_of_a_copy_does_not_wait_for_its_views(self):
        queue = self.declare_small(lease_timeout=3600)
        queue.producer().publish_many([b"number %d" % i for i in range(3)])
        consumer = queue.consumer(group="workers", prefetch=1)
        views = []
        for _ in range(3):
            with consumer.receive(20).process() as message:
                views.append(memoryview(message))
            self.assertFalse(message)
            self.assertFalse(message.ack())
            self.assertEqual(queue.snapshot().groups[0].leased, 0)
        self.assertEqual([bytes(view) for view in views], [b"number %d" % i for i in range(3)])
        self.assertEqual(message.bytes(), b"number 2")

    def test_copy_that_is_nacked_rejected_or_dropped_comes_again(self):
        queue = self.declare_small(lease_timeout=3600)
        queue.producer().publish(b"payload!")
        consumer = queue.consumer(group="workers")
        message = consumer.receive(20)
        self.assertTrue(message.extend())
        self.assertTrue(message.nack())
        message = consumer.receive(20)
        with self.assertRaises(beltway.Misuse):
            message.reject()
        self.assertFalse(message)
        self.assertFalse(message.still_held())
        message = consumer.receive(20)
        del message
        message = consumer.receive(20)
        self.assertEqual(message.deliveries, 4)
        self.assertEqual(beltway.ack_many([message, message]), 1)
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def test_option_of_a_living_queue_concerns_the_messages_that_are_received_from_then_on(self):
        queue = self.declare_small()
        producer, holder = queue.producer(), queue.consumer(group="workers")
        producer.publish(b"in place")
        before = holder.receive(20)
        view = memoryview(before)
        self.link.declare_some(queue.name, lease_timeout=0.05)
        self.assertIsNone(holder.try_receive())  # it reads the option
        producer.publish(b"a copy!!")
        after = holder.receive(20)
        late = memoryview(after)
        self.assertTrue(before.extend())  # gives it no time: its bytes are the queue's
        self.assertEqual(self.take_away(queue, holder, 1), [b"a copy!!"])
        self.assertEqual((bytes(view), bytes(late)), (b"in place", b"a copy!!"))
        self.assertTrue(before.still_held())
        self.assertFalse(after.ack())
        view.release()
        self.assertTrue(before.ack())

    def test_messages_without_these_options_are_no_copies(self):
        queue = self.declare_small()
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish(b"payload!")
        message = consumer.receive(20)
        view = memoryview(message)
        self.assertTrue(message.ack())
        self.assertEqual(queue.snapshot().groups[0].leased, 1)
        view.release()
        self.assertEqual(queue.snapshot().groups[0].leased, 0)

    @unittest.skipIf(numpy is None, "python3-numpy is not installed")
    def test_received_arrays_are_filled_from_groups_with_lease_timeout(self):
        queue = self.declare(groups=["workers"], **TIMED)
        queue.producer().publish_array(numpy.arange(200, dtype="<u8"))
        found = queue.consumer(group="workers").receive_array("<u8", 500, timeout=20)
        self.assertEqual(found.tolist(), list(range(200)))


if __name__ == "__main__":
    main()
