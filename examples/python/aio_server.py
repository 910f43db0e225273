"""A server in asyncio: it answers requests of any number of clients while other tasks run. Here the clients are tasks
beside it."""

import asyncio

import beltway
from beltway import aio


async def serve(link, requests):
    producers = {}
    async for request in await requests.consumer(group="servers"):
        with request.process():
            asked = request.properties
            if asked.reply_to not in producers:  # a real server forgets clients that are gone
                producers[asked.reply_to] = await (await link.open_queue(asked.reply_to)).producer()
            answer = beltway.Properties(correlation_id=asked.correlation_id)
            await producers[asked.reply_to].publish(request.bytes().upper(), properties=answer)


async def client(link, requests, number):
    name = f"answers/{number}"
    answers = await (await link.declare(name, slots=64)).consumer(follow=True)
    producer = await requests.producer()
    for i in range(10):
        asked = beltway.Properties(correlation_id=str(i), reply_to=name)
        await producer.publish(b"client %d" % number, properties=asked)
        answer = await answers.receive(timeout=10)
        assert answer.properties.correlation_id == str(i)
        text = answer.text()
        answer.ack()
    return text


async def main():
    async with aio.connect() as link:
        requests = await link.declare("requests", groups=["servers"], max_producers=16)
        server = asyncio.ensure_future(serve(link, requests))
        print(*await asyncio.gather(*(client(link, requests, i) for i in range(5))), sep=", ")
        server.cancel()


asyncio.run(main())
