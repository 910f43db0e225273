"""The options that beltway.aio passes on: each arrives, and a wrong one is the error of the package beltway."""

import asyncio
import time

import beltway
from beltway import aio
from support import DaemonTest, main

QUEUE = dict(slots=256, slot_bytes=64, lane_bytes=8192, max_producers=2, max_consumers=3, max_groups=4, mode=0o640,
             fence="symmetric", evict_after=5.0, retry_delay=0.25, retry_delay_max=2.5, max_deliveries=7, discard=True,
             ttl=60.0, lease_timeout=1.5, drop_oldest=9, stamps="fine", max_parked=12, type=("tests.Order.1", 16, 8),
             description="for tests", expire_after=100.0)


class AioOptions(DaemonTest):
    def run_async(self, body):
        async def with_link():
            async with aio.connect() as link:
                await body(link)

        asyncio.run(asyncio.wait_for(with_link(), 60))

    def name(self):
        return f"options-{time.monotonic_ns()}"

    def test_options_of_a_queue_arrive(self):
        async def body(link):
            queue = await link.declare(self.name(), groups=["plain", beltway.NamedGroup("own", retry_delay=0)], **QUEUE)
            options = queue.options
            for name, value in QUEUE.items():
                self.assertEqual(options[name], value, name)
            self.assertEqual([(group.name, group.retry_delay) for group in options["groups"]], [("plain", None), ("own", 0.0)])
            self.assertEqual((await queue.describe()).options, options)
            declared = await link.declare_some(queue.name, retry_delay=2, groups=["late"])
            self.assertEqual([(each.option, each.new) for each in declared.changed], [("retry_delay_ms", "2000")])
            exclusive = await link.declare(self.name(), exclusive=True, dead_letter="")
            self.assertTrue(exclusive.options["exclusive"])

        self.run_async(body)

    def test_options_of_a_producer_arrive(self):
        async def body(link):
            queue = await link.declare(self.name())
            async with await queue.producer(name="shop", wait="sleep", populate=False, lock_memory=False) as producer:
                self.assertEqual(await producer.publish(b"order", sequence=7), 0)
                self.assertIsNone(await producer.publish(b"order", sequence=7))
            self.assertEqual([(each.name, each.last_sequence) for each in (await queue.describe()).producer_names],
                             [("shop", 7)])

        self.run_async(body)

    def test_options_of_a_consumer_arrive(self):
        async def body(link):
            queue = await link.declare(self.name(), slots=4)
            producer = await queue.producer()
            await producer.publish_many([b"0", b"1"])
            consumer = await queue.consumer(
                group="late", create_group=True, start="oldest", prefetch=2, end_of_stream="drained", follow=False,
                wait="sleep", populate=False, lock_memory=False, spin_backoff=False, speculative_spin=False, reattach=True)
            endpoint = next(each for each in (await queue.describe()).endpoints if not each.producer)
            self.assertEqual((endpoint.group, endpoint.prefetch), ("late", 2))
            producer.close()
            seen = []
            async for message in consumer:
                with message.process():
                    seen.append(message.bytes())
            self.assertEqual(seen, [b"0", b"1"])
            newest = await queue.consumer(lossy=True, conflate=True)
            producer = await queue.producer()
            await producer.publish_many([b"2", b"3"])
            message = await newest.receive()
            self.assertEqual((message.bytes(), message.lost), (b"3", 1))
            follows = await queue.consumer(follow=True)
            producer.close()
            self.assertIsNone(await follows.receive(0.02), "not the end of the stream")

        self.run_async(body)

    def test_automatic_ack_arrives(self):
        async def body(link):
            queue = await link.declare(self.name(), groups=["g"])
            await (await queue.producer()).publish(b"0")
            consumer = await queue.consumer(group="g", ack="automatic")
            await consumer.receive()  # dropped at once
            self.assertEqual((await queue.snapshot()).groups[0].depth, 0)

        self.run_async(body)

    def test_wrong_options_are_the_errors_of_the_package(self):
        async def body(link):
            queue = await link.declare(self.name())
            cases = [
                (TypeError, 'no option "slot"; it has: slots', lambda: link.declare("x", slot=1)),
                (TypeError, "slots must be int", lambda: link.declare("x", slots="many")),
                (beltway.InvalidOption, "power of two", lambda: link.declare("x", slots=100)),
                (TypeError, 'no option "slot"', lambda: link.declare_some("x", slot=1)),
                (TypeError, 'no option "nome"', lambda: queue.producer(nome="shop")),
                (TypeError, 'no option "groop"', lambda: queue.consumer(groop="g")),
                (beltway.InvalidOption, 'must be one of "adaptive"', lambda: queue.consumer(wait="spinning")),
                (beltway.NotFound, "group", lambda: queue.consumer(group="nobody")),
            ]
            for error, text, call in cases:
                with self.assertRaisesRegex(error, text):
                    await call()

        self.run_async(body)

    def test_options_of_connect_arrive(self):
        async def body(_link):
            with self.assertRaisesRegex(beltway.NoDaemon, "no-daemon-here"):
                await aio.connect("/tmp/no-daemon-here", start_daemon=False, timeout=0.1, stopped_timeout=0.05)
            with self.assertRaisesRegex(TypeError, "stopped_timeout must be seconds"):
                await aio.connect(stopped_timeout="soon")

        self.run_async(body)


if __name__ == "__main__":
    main()
