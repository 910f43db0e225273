"""Broadcast: a consumer that names no group sees every message. A lossy one never holds the producer back; it is told
what it missed."""

import beltway


def drain(consumer, who):
    seen = lost = 0
    while (message := consumer.try_receive()) is not None:
        seen += 1
        lost += message.lost
        message.ack()  # its place in the ring is free at once
    print(f"{who} saw {seen}, lost {lost}")


with beltway.connect() as link:
    news = link.declare("news", slots=16)
    producer = news.producer()
    first, second, tap = news.consumer(), news.consumer(), news.consumer(lossy=True)

    producer.publish_many(b"headline %d" % i for i in range(1, 11))
    drain(first, "first")
    drain(second, "second")
    producer.publish_many(b"headline %d" % i for i in range(11, 21))
    drain(first, "first")
    drain(second, "second")
    # Twenty messages went through a ring of sixteen, and the tap did not look: the oldest are gone for it.
    drain(tap, "tap")

    # Reliable consumers hold the producer back instead: nothing is dropped, and it is told.
    producer.publish_many([b"filler"] * 16)
    print("a full queue takes one more:", producer.try_publish(b"one more"))
