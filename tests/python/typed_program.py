"""A program as users write it. mypy must accept it, and must refuse the lines that say so."""

import asyncio
from datetime import timedelta

import beltway
from beltway import aio


def receive(queue: beltway.Queue) -> bytes:
    consumer: beltway.Consumer = queue.consumer(group="billing", prefetch=5)
    message = consumer.receive()
    payload: bytes = message.bytes()
    late = consumer.receive(timeout=1.5)
    if late is not None:
        payload += late.bytes()
    for each in consumer:
        with each.process(delay=timedelta(seconds=1)) as same:
            payload += bytes(same) + each.bytes()[:1]
    late.bytes()  # type: ignore[union-attr]
    queue.consumer(groop="billing")  # type: ignore[call-arg]
    queue.consumer(wait="spinning")  # type: ignore[arg-type]
    return payload


def publish(queue: beltway.Queue) -> int:
    with queue.producer() as producer:
        position: int = producer.publish(b"message", properties=beltway.Properties(key="k", headers={"a": "b"}))
        again: int | None = producer.publish(bytearray(b"message"), sequence=7)
        producer.publish("text")  # type: ignore[call-overload]
        with producer.lend(100) as view:
            view[:3] = b"abc"
        return position + (again or 0) + producer.publish_many([b"one", memoryview(b"two")])


async def wait(socket: str) -> float | None:
    async with aio.connect(socket) as link:
        queue = await link.declare("orders", slots=64, groups=["billing"], ttl=timedelta(seconds=5))
        await link.declare("orders", slot=64)  # type: ignore[call-arg]
        await link.declare("orders", slots="many")  # type: ignore[arg-type]
        declared: beltway.Declared = await link.declare_some("orders", stamps="fine")
        await link.declare_some("orders", stamps="finest")  # type: ignore[arg-type]
        producer = await queue.producer(name="shop", wait="sleep")
        await queue.producer(nome="shop")  # type: ignore[call-arg]
        await producer.publish(b"message", timeout=1)
        message = await (await queue.consumer(group="billing", prefetch=5)).receive()
        await queue.consumer(wait="spinning")  # type: ignore[arg-type]
        await queue.move_message("billing", 0, declared.queue, timeout=timedelta(seconds=1))
        await queue.move_message("billing", 0, "target")  # type: ignore[arg-type]
        kinds: list[str] = [event.kind for event in (await link.events()).events]
        print(kinds)
        return message.age if message is not None else None


def main() -> None:
    with beltway.connect(timeout=timedelta(seconds=5), stopped_timeout=1) as link:
        queue = link.declare("orders", slots=64, groups=["billing", beltway.NamedGroup("audit", ttl=5)])
        queue.ack_message("audit", 0)
        queue.ack_message("audit", "0")  # type: ignore[arg-type]
        page: beltway.EventPage = link.events(7, count=10)
        print(page.next + page.events[0].sequence)
        print(publish(queue), receive(queue), asyncio.run(wait("")), queue.snapshot().groups[0].depth)
