"""A worker that leaves in order when it is told to (SIGTERM or Ctrl-C): it takes no more jobs, finishes and
acknowledges those that it has in hand, and goes. What it has not taken stays for others."""

import asyncio
import signal

from beltway import aio


async def work(consumer, leaving):
    while not leaving.is_set():
        receiving = asyncio.ensure_future(consumer.receive())
        told = asyncio.ensure_future(leaving.wait())
        await asyncio.wait([receiving, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not receiving.done():
            receiving.cancel()  # no message is lost by that
            return
        job = receiving.result()
        with job.process():
            await asyncio.sleep(0.02)
            print("done", job.text(), flush=True)


async def main():
    leaving = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, leaving.set)
    async with aio.connect() as link:
        queue = await link.declare("long-jobs", groups=["workers"])
        async with await queue.consumer(group="workers") as consumer:
            await asyncio.gather(*(work(consumer, leaving) for _ in range(3)))
    print("left in order")


asyncio.run(main())
