"""What python_peers.py measures: one class a candidate, with the two ends of a queue, a socket or a pipe.

An object is one end, "send" or "receive", in a process of its own. Its method of that name moves `count` messages, and returns
the median of half a round trip, or nothing.
"""

import asyncio
import ctypes
import os
import statistics
import time

import numpy

import beltway
from beltway import aio

try:
    import zmq
except ImportError:
    zmq = None

PAYLOAD = b"x" * 64
RECORD = numpy.dtype([("numbers", "<u8", 8)])
IMAGE = 1 << 20
END = b"end"
now = time.perf_counter  # CLOCK_MONOTONIC: the same in all processes


def end(queue, role, **options):
    """The end of a Beltway queue that a role has."""
    return queue.producer() if role == "send" else queue.consumer(wait="spin", **options)


class OneByOne:
    """Bytes, one call a message."""

    count = 400_000

    def __init__(self, role, folder, pipes):
        self.queue = beltway.connect().declare("one", slots=4096, max_producers=1)
        self.end = end(self.queue, role)

    def send(self, count):
        publish = self.end.publish
        for _ in range(count):
            publish(PAYLOAD)

    def receive(self, count):
        receive = self.end.receive_bytes
        for _ in range(count):
            receive()


class Messages(OneByOne):
    """As OneByOne, received as Message objects in a loop, and acknowledged."""

    def __init__(self, role, folder, pipes):
        self.end = end(beltway.connect().declare("messages", slots=4096, max_producers=1), role)

    def receive(self, count):
        for message in self.end:
            message.ack()
            count -= 1
            if count == 0:
                return


class Lists:
    """Lists of 64."""

    count = 64 * 20_000

    def __init__(self, role, folder, pipes):
        self.end = end(beltway.connect().declare("lists", slots=4096, max_producers=1), role)

    def send(self, count):
        batch = [PAYLOAD] * 64
        for _ in range(count // 64):
            self.end.publish_many(batch)

    def receive(self, count):
        while count > 0:
            count -= len(self.end.receive_many_bytes(64))


class Arrays:
    """Structured numpy arrays, an element a message."""

    count = 1_000_000

    def __init__(self, role, folder, pipes):
        self.end = end(beltway.connect().declare("arrays", slots=4096, max_producers=1), role)
        self.array = numpy.ones(10_000, RECORD)

    def send(self, count):
        for _ in range(count // 10_000):
            self.end.publish_array(self.array)

    def receive(self, count):
        while count > 0:
            count -= self.end.receive_into(self.array)


class NumpyImages:
    """1 MiB arrays, written into a loan and read in place, by numpy."""

    count = 1000

    def __init__(self, role, folder, pipes):
        queue = beltway.connect().declare("images", slots=16, lane_bytes=16 << 20, max_producers=1)
        self.end = end(queue, role)

    def send(self, count):
        for number in range(count):
            with self.end.lend(IMAGE) as view:
                numpy.frombuffer(view, "u1").fill(number % 256)

    def receive(self, count):
        for number in range(count):
            message = self.end.receive()
            # Reads each byte. numpy is fast at this in words.
            array = numpy.frombuffer(message, "<u8")
            assert array.max() == number % 256 * 0x0101010101010101
            del array, message


class Images(NumpyImages):
    """As NumpyImages, by the loops that C++ fills and reads its messages with: so the difference to C++ is that of the calls."""

    loops = None

    def __init__(self, role, folder, pipes):
        queue = beltway.connect().declare("same-images", slots=16, lane_bytes=16 << 20, max_producers=1)
        self.end = end(queue, role)
        self.loops.bench_fill.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint64
        self.loops.bench_adds_up.argtypes = ctypes.c_void_p, ctypes.c_size_t
        self.loops.bench_adds_up.restype = ctypes.c_bool

    def send(self, count):
        fill, lend = self.loops.bench_fill, self.end.lend
        for number in range(count):
            with lend(IMAGE) as view:
                fill(ctypes.addressof(ctypes.c_char.from_buffer(view)), IMAGE, number)

    def receive(self, count):
        adds_up, receive = self.loops.bench_adds_up, self.end.receive
        for _ in range(count):
            message = receive()
            array = numpy.frombuffer(message, "u1")
            assert adds_up(array.__array_interface__["data"][0], IMAGE)
            del array, message


class Zmq:
    """pyzmq over ipc."""

    count = 100_000

    def __init__(self, role, folder, pipes):
        self.socket = zmq.Context().socket(zmq.PUSH if role == "send" else zmq.PULL)
        self.socket.setsockopt(zmq.SNDHWM if role == "send" else zmq.RCVHWM, 4096)
        address = f"ipc://{folder}/zmq"
        self.socket.bind(address) if role == "receive" else self.socket.connect(address)

    def send(self, count):
        for _ in range(count):
            self.socket.send(PAYLOAD)

    def receive(self, count):
        for _ in range(count):
            self.socket.recv()


class Queue:
    """multiprocessing.Queue."""

    count = 20_000

    def __init__(self, role, folder, pipes):
        self.queue = pipes["queue"]

    def send(self, count):
        for _ in range(count):
            self.queue.put(PAYLOAD)

    def receive(self, count):
        for _ in range(count):
            self.queue.get()


class Pipe:
    """multiprocessing.Pipe, send_bytes and recv_bytes."""

    count = 50_000

    def __init__(self, role, folder, pipes):
        self.end = pipes["pipe"][role == "send"]

    def send(self, count):
        for _ in range(count):
            self.end.send_bytes(PAYLOAD)

    def receive(self, count):
        for _ in range(count):
            self.end.recv_bytes()


class RoundTrips:
    """8 bytes forth and back, both sides spinning. Returns the median of half a round trip."""

    count = 20_000

    def __init__(self, role, folder, pipes):
        link = beltway.connect()
        forth, back = (link.declare(name, slots=64, max_producers=1) for name in ("forth", "back"))
        self.out = (forth if role == "send" else back).producer()
        self.into = (back if role == "send" else forth).consumer(wait="spin", follow=True)

    def send(self, count):
        times = []
        for _ in range(count):
            start = now()
            self.out.publish(b"12345678")
            self.into.receive_bytes()
            times.append(now() - start)
        return statistics.median(times) / 2

    def receive(self, count):
        for _ in range(count):
            self.out.publish(self.into.receive_bytes())


class ZmqRoundTrips:
    """As RoundTrips, by pyzmq's PAIR over ipc."""

    count = 5000

    def __init__(self, role, folder, pipes):
        self.socket = zmq.Context().socket(zmq.PAIR)
        address = f"ipc://{folder}/pair"
        self.socket.bind(address) if role == "receive" else self.socket.connect(address)

    def send(self, count):
        times = []
        for _ in range(count):
            start = now()
            self.socket.send(b"12345678")
            self.socket.recv()
            times.append(now() - start)
        return statistics.median(times) / 2

    def receive(self, count):
        for _ in range(count):
            self.socket.send(self.socket.recv())


class AioRoundTrips(RoundTrips):
    """As RoundTrips, by beltway.aio: each side sleeps in its event loop."""

    count = 3000

    def __init__(self, role, folder, pipes):
        link = beltway.connect()
        forth, back = (link.declare(name, slots=64, max_producers=1) for name in ("aio-forth", "aio-back"))
        self.out = (forth if role == "send" else back).producer()
        self.into = aio.Consumer((back if role == "send" else forth).consumer(follow=True))

    def send(self, count):
        async def body():
            times = []
            for _ in range(count):
                start = now()
                self.out.publish(b"12345678")
                await self.into.receive_bytes()
                times.append(now() - start)
            return statistics.median(times) / 2

        return asyncio.run(body())

    def receive(self, count):
        async def body():
            for _ in range(count):
                self.out.publish(await self.into.receive_bytes())

        asyncio.run(body())


class EventfdRoundTrips:
    """As AioRoundTrips, by a bare eventfd each way: what a wake of asyncio costs by itself."""

    count = 3000

    def __init__(self, role, folder, pipes):
        ends = pipes["eventfds"]
        self.out, self.into = ends if role == "send" else ends[::-1]

    async def wait(self):
        loop = asyncio.get_running_loop()

        def wake():
            os.eventfd_read(self.into)
            waiter.set_result(None)

        loop.add_reader(self.into, wake)
        while True:
            waiter = loop.create_future()
            await waiter
            yield

    def send(self, count):
        async def body():
            times = []
            wakes = self.wait()
            for _ in range(count):
                start = now()
                os.eventfd_write(self.out, 1)
                await wakes.__anext__()
                times.append(now() - start)
            asyncio.get_running_loop().remove_reader(self.into)
            return statistics.median(times) / 2

        return asyncio.run(body())

    def receive(self, count):
        async def body():
            wakes = self.wait()
            for _ in range(count):
                await wakes.__anext__()
                os.eventfd_write(self.out, 1)
            asyncio.get_running_loop().remove_reader(self.into)

        asyncio.run(body())


THROUGHPUT = {"one by one": OneByOne, "messages": Messages, "lists of 64": Lists, "arrays": Arrays, "1 MiB loans": Images,
              "1 MiB loans, numpy": NumpyImages, "pyzmq": Zmq, "multiprocessing.Queue": Queue, "multiprocessing.Pipe": Pipe}
LATENCY = {"round trip": RoundTrips, "pyzmq round trip": ZmqRoundTrips, "asyncio round trip": AioRoundTrips,
           "asyncio eventfd": EventfdRoundTrips}
