"""Receiving in one thread, handling in a pool: messages of a named group may end in any thread. `prefetch` bounds how
many messages are in the pool. `thread_pool.py [JOBS]` ends after them."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import beltway


def send(queue, count):
    with queue.producer() as producer:
        producer.publish_many(str(i).encode() for i in range(1, count + 1))


def work(job):
    with job.process():
        return int(job.bytes())


def main(count):
    with beltway.connect() as link, ThreadPoolExecutor(4) as pool:
        queue = link.declare("pool-jobs", groups=["pool"])
        consumer = queue.consumer(group="pool", prefetch=64)
        sender = threading.Thread(target=send, args=(queue, count))
        sender.start()
        results = []
        for _ in range(count):
            # With 64 messages in the pool this waits until one is acknowledged.
            results.append(pool.submit(work, consumer.receive()))
        print("sum:", sum(each.result() for each in results))
        sender.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
