"""beltway.aio: hundreds of tasks on one consumer, cancellation, fairness, a full queue; on asyncio's loop and on uvloop."""

import asyncio
import collections
import gc
import time
import unittest

import beltway
from beltway import aio
from support import DaemonTest, main

try:
    import uvloop
except ImportError:
    uvloop = None


class Asyncio(DaemonTest):
    def new_loop(self):
        return asyncio.new_event_loop()

    def run_async(self, test, seconds=60):
        """Runs a coroutine on a loop of its own. Nothing may be left running, and no error unseen."""
        errors = []
        loop = self.new_loop()
        try:
            loop.set_exception_handler(lambda _, context: errors.append(context))
            loop.run_until_complete(asyncio.wait_for(test, seconds))
            gc.collect()
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()
        self.assertEqual(errors, [])

    def queue(self, **options):
        return aio.Queue(self.declare(**options))

    def test_every_call_may_be_awaited(self):
        async def body():
            async with aio.connect() as link:
                name = f"aio-{time.monotonic_ns()}"
                queue = await link.declare(name, groups=["workers"])
                self.assertEqual((queue.name, queue.options["slots"]), (name, 1024))
                async with await queue.producer() as producer, await queue.consumer(group="workers") as consumer:
                    self.assertEqual(await producer.publish(b"one"), 0)
                    self.assertEqual(await producer.publish_parts([b"t", b"wo"]), 1)
                    self.assertEqual(await producer.publish_many([b"3", b"4"]), 2)
                    self.assertEqual(await producer.publish_array(memoryview(b"abc")), 3)
                    async with producer.lend(5) as view:
                        view[:] = b"lent!"
                    message = await consumer.receive()
                    with message.process():
                        self.assertEqual(message.bytes(), b"one")
                    self.assertEqual(await consumer.receive_bytes(1), b"two")
                    self.assertEqual(await consumer.receive_many_bytes(2), [b"3", b"4"])
                    many = await consumer.receive_many(1)
                    self.assertEqual([m.bytes() for m in many], [b"a"])
                    self.assertEqual(beltway.ack_many(many), 1)
                    into = bytearray(2)
                    self.assertEqual(await consumer.receive_into(into), 2)
                    self.assertEqual(into, b"bc")
                    self.assertEqual(await consumer.receive_bytes(), b"lent!")
                    self.assertIsNone(await consumer.receive(timeout=0.01))
                    self.assertTrue(await queue.wait_for_consumers(1, timeout=5))
                    self.assertEqual(consumer.counters().messages, 8)
                    self.assertEqual(producer.counters().messages, 8)
                self.assertIn(name, [each.name for each in await link.list()])
                self.assertEqual((await (await link.open_queue(name)).snapshot()).groups[0].name, "workers")
                self.assertEqual((await queue.purge("workers")).left, 0)
                await link.remove(name)
                with self.assertRaises(beltway.NotFound):
                    await link.describe(name)
            self.assertTrue((await (await aio.connect()).ping()).version)

        self.run_async(body())

    def test_loop_over_a_consumer_waits_and_ends_with_the_stream(self):
        async def body():
            queue = self.queue(groups=["workers"])
            producer = await queue.producer()
            consumer = await queue.consumer(group="workers", end_of_stream="drained")

            async def send():
                for i in range(300):
                    await producer.publish(b"%d" % i)
                    if i % 50 == 0:
                        await asyncio.sleep(0.002)
                producer.close()

            sending = asyncio.ensure_future(send())
            found = []
            async for message in consumer:
                with message.process():
                    found.append(int(message.text()))
            await sending
            self.assertEqual(found, list(range(300)))
            with self.assertRaises(beltway.EndOfStream):
                await consumer.receive()

        self.run_async(body())

    def test_hundreds_of_tasks_share_one_consumer_in_their_order(self):
        async def body():
            queue = self.queue(slots=256, groups=["workers"])
            producer, consumer = await queue.producer(), await queue.consumer(group="workers")
            found = collections.Counter()

            async def work(number):
                while (payload := await consumer.receive_bytes()) != b"end":
                    found[number] += 1
                    seen.append(int(payload))

            seen = []
            tasks = [asyncio.ensure_future(work(i)) for i in range(300)]
            await asyncio.sleep(0)
            for i in range(3000):
                await producer.publish(b"%d" % i)
            await producer.publish_many([b"end"] * 300)
            await asyncio.gather(*tasks)
            self.assertEqual(sorted(seen), list(range(3000)))
            # Each task is served before another one is served for the third time or so.
            self.assertEqual(len(found), 300)
            self.assertLess(max(found.values()), 40)

        self.run_async(body())

    def test_cancelled_tasks_lose_no_message(self):
        async def body():
            queue = self.queue(groups=["workers"])
            producer, consumer = await queue.producer(), await queue.consumer(group="workers")
            received = []
            for i in range(200):
                waiting = asyncio.ensure_future(consumer.receive())
                await asyncio.sleep(0)
                await producer.publish(b"%d" % i)
                for _ in range(i % 5):
                    await asyncio.sleep(0)
                waiting.cancel()
                try:
                    received.append(await waiting)
                except asyncio.CancelledError:
                    pass
            while (message := await consumer.receive(0.05)) is not None:
                received.append(message)
            self.assertEqual(sorted(int(m.bytes()) for m in received), list(range(200)))
            self.assertEqual({m.deliveries for m in received}, {1})

        self.run_async(body())

    def test_message_of_a_cancelled_task_goes_to_the_next_one(self):
        async def body():
            queue = self.queue()
            producer, consumer = await queue.producer(), await queue.consumer()
            first = asyncio.ensure_future(consumer.receive())
            second = asyncio.ensure_future(consumer.receive())
            await asyncio.sleep(0)
            await producer.publish(b"message")
            consumer._serve()  # as the loop does: the first task has the message, and has not run
            first.cancel()
            message = await asyncio.wait_for(second, 10)
            self.assertEqual(message.bytes(), b"message")
            with self.assertRaises(asyncio.CancelledError):
                await first

        self.run_async(body())

    def test_busy_consumer_lets_other_tasks_run(self):
        async def body():
            queue = self.queue(slots=4096)
            producer, consumer = await queue.producer(), await queue.consumer()
            await producer.publish_many([b""] * 4000)
            turns = 0

            async def tick():
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            ticking = asyncio.ensure_future(tick())
            for _ in range(4000):
                (await consumer.receive()).ack()
            self.assertGreater(turns, 40)
            turns = 0
            for _ in range(4000):
                await producer.publish(b"")
            self.assertGreater(turns, 40)
            ticking.cancel()

        self.run_async(body())

    def test_publish_waits_for_room_in_line(self):
        async def body():
            queue = self.queue(slots=4, groups=["workers"])
            producer, consumer = await queue.producer(), await queue.consumer(group="workers")
            tasks = [asyncio.ensure_future(producer.publish(b"%d" % i)) for i in range(100)]
            tasks.append(asyncio.ensure_future(producer.publish_many([b"%d" % i for i in range(100, 150)])))
            await asyncio.sleep(0.01)
            self.assertFalse(producer.try_publish(b"jumps the queue"))
            found = [int(await consumer.receive_bytes()) for _ in range(150)]
            self.assertEqual(found, list(range(150)))
            self.assertEqual([await task for task in tasks], [*range(100), 50])

        self.run_async(body())

    def test_publish_says_when_the_time_is_over_and_when_it_is_cancelled(self):
        async def body():
            queue = self.queue(slots=4, groups=["workers"])
            producer, consumer = await queue.producer(), await queue.consumer(group="workers")
            with self.assertRaises(beltway.Timeout) as caught:
                await producer.publish_many([b"m"] * 10, timeout=0.03)
            self.assertEqual(caught.exception.published, 4)
            with self.assertRaises(asyncio.TimeoutError):
                await producer.publish(b"late", timeout=0.03)
            waiting = asyncio.ensure_future(producer.publish(b"cancelled"))
            await asyncio.sleep(0.01)
            waiting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiting
            self.assertEqual(len(await consumer.receive_many_bytes(10)), 4)
            self.assertEqual(await producer.publish(b"fits"), 4)
            self.assertEqual(await consumer.receive_bytes(), b"fits")

        self.run_async(body())

    def test_removal_and_close_end_all_tasks_that_wait(self):
        async def body():
            queue = self.queue()
            consumer = await queue.consumer()
            tasks = [asyncio.ensure_future(consumer.receive()) for _ in range(5)]
            await asyncio.sleep(0.01)
            self.link.remove(queue.name)
            for error in await asyncio.gather(*tasks, return_exceptions=True):
                self.assertIsInstance(error, beltway.Removed)
            consumer = await self.queue().consumer()
            tasks = [asyncio.ensure_future(consumer.receive()) for _ in range(5)]
            await asyncio.sleep(0.01)
            consumer.close()
            for error in await asyncio.gather(*tasks, return_exceptions=True):
                self.assertIsInstance(error, beltway.Misuse)

        self.run_async(body())

    def test_message_of_a_task_that_is_cancelled_after_close_goes_back_to_its_group(self):
        async def body():
            queue = self.queue(groups=["workers"], retry_delay=0)
            consumer, other = await queue.consumer(group="workers"), await queue.consumer(group="workers")
            producer = await queue.producer()
            task = asyncio.ensure_future(consumer.receive())
            await asyncio.sleep(0.01)
            await producer.publish(b"message")
            consumer._serve()  # as the loop does; the task has its message, and has not run yet
            consumer.close()
            task.cancel()
            await asyncio.wait([task])
            self.assertTrue(task.cancelled())
            self.assertEqual(await other.receive_bytes(20), b"message")

        self.run_async(body())

    def test_interrupt_ends_the_wait_of_one_task(self):
        async def body():
            queue = self.queue()
            producer, consumer = await queue.producer(), await queue.consumer()
            tasks = [asyncio.ensure_future(consumer.receive()) for _ in range(2)]
            await asyncio.sleep(0.01)
            consumer.interrupt()
            with self.assertRaises(beltway.Interrupted):
                await tasks[0]
            await producer.publish(b"second")
            self.assertEqual((await tasks[1]).bytes(), b"second")

        self.run_async(body())

    def test_loop_with_automatic_ack_and_a_prefetch_of_one_goes_on(self):
        async def body():
            queue = self.queue(groups=["workers"])
            producer = await queue.producer()
            consumer = await queue.consumer(group="workers", ack="automatic", prefetch=1, end_of_stream="drained")
            await producer.publish_many([b"%d" % i for i in range(20)])
            producer.close()
            found = []
            async for message in consumer:
                found.append(int(message.text()))
            self.assertEqual(found, list(range(20)))

        self.run_async(body())

    def test_endpoint_that_nobody_awaits_costs_no_turn_of_the_loop(self):
        async def body():
            queue = self.queue()
            producer, consumer = await queue.producer(), await queue.consumer()
            waiting = asyncio.ensure_future(consumer.receive())
            await asyncio.sleep(0.01)
            await producer.publish_many([b""] * 10)  # the descriptor is readable from now on
            await waiting
            start = time.process_time()
            await asyncio.sleep(0.3)
            self.assertLess(time.process_time() - start, 0.15)

        self.run_async(body())

    def test_second_event_loop_may_use_the_endpoint_when_the_first_one_is_closed(self):
        async def open_both():
            queue = self.queue()
            return await queue.producer(), await queue.consumer()

        async def exchange(payload):
            waiting = asyncio.ensure_future(consumer.receive_bytes())
            await asyncio.sleep(0.01)
            await producer.publish(payload)
            self.assertEqual(await waiting, payload)

        ends = []

        async def body():
            ends.extend(await open_both())

        self.run_async(body())
        producer, consumer = ends
        self.run_async(exchange(b"first"))
        self.run_async(exchange(b"second"))


@unittest.skipIf(uvloop is None, "python3-uvloop is not installed")
class Uvloop(Asyncio):
    def new_loop(self):
        return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
