"""Any event loop: a consumer and a producer have a descriptor each, for select, poll and epoll. asyncio has beltway.aio."""

import selectors

import beltway

with beltway.connect() as link:
    events = link.declare("events", slots=4, groups=["readers"])
    producer, consumer = events.producer(), events.consumer(group="readers")
    waiting = [b"event %d" % i for i in range(1, 11)]
    seen = 0
    with selectors.DefaultSelector() as selector:
        selector.register(consumer, selectors.EVENT_READ, "a message")
        selector.register(producer, selectors.EVENT_READ, "room")  # its descriptor, too, becomes readable
        while seen < 10:
            for key, _ in selector.select(timeout=5):
                if key.data == "room":
                    # A try that finds the queue full makes the descriptor quiet.
                    while waiting and producer.try_publish(waiting[0]):
                        del waiting[0]
                    if not waiting:
                        selector.unregister(producer)
                else:
                    while (event := consumer.try_receive_bytes()) is not None:
                        seen += 1
    print(f"{seen} events through a ring of 4")
