#!/usr/bin/env python3
"""A coroutine that prints what hello_send.py sends, beside one that does something else. Ends after COUNT messages.

usage: hello_asyncio.py [COUNT]
"""
import asyncio
import sys

from beltway import aio


async def receive(count: int) -> None:
    """Takes messages of the queue "hello". Waits until hello_send.py or hello_receive.py has declared it."""
    async with aio.connect() as link:
        queue = await link.open_queue("hello", timeout=3600)
        consumer = await queue.consumer(group="pika")
        async for message in consumer:
            with message.process():  # acknowledges it, or gives it back after an exception
                print(f" [x] Received {message.text()}", flush=True)
            count -= 1
            if count == 0:
                return


async def tick() -> None:
    """The event loop is free while no message comes."""
    while True:
        print(" [*] Waiting for messages", flush=True)
        await asyncio.sleep(1)


async def main() -> None:
    ticking = asyncio.create_task(tick())
    await receive(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
