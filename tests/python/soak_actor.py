"""A producer or a worker of the soak, which kills it at any moment. What it did is in its log, one write() a line.

usage: soak_actor.py producer SOCKET QUEUE ID FIRST LOG
       soak_actor.py worker SOCKET QUEUE GROUP LOG
"""

import os
import signal
import sys
import time

import beltway

MOST_MESSAGES = 1000000
MOST_BYTES = 3001


class Stopped(Exception):
    """SIGTERM came."""


def stop(_number, _frame):
    raise Stopped


def message_of(producer, number):
    return b"%d %d " % (producer, number) + bytes([ord("a") + number % 26]) * (number % MOST_BYTES)


def produce(queue, producer, first, log):
    out = queue.producer()
    for number in range(first, MOST_MESSAGES):
        os.write(log, b"b %d\n" % number)
        message = message_of(producer, number)
        if number % 7 == 0:
            with out.lend(len(message)) as place:
                place[:] = message
        else:
            out.publish(message)
        os.write(log, b"c %d\n" % number)
    while True:
        time.sleep(1)


def work(queue, group, log):
    for message in queue.consumer(group=group):
        got = bytes(message)
        producer, number = map(int, got.split(b" ", 2)[:2])
        if got != message_of(producer, number):
            print(f"position {message.position} is torn", file=sys.stderr)
            sys.exit(3)
        os.write(log, b"s %d %d %d\n" % (producer, number, message.deliveries))
        if number % 67 == 0 and message.deliveries == 1:
            message.nack()
        else:
            message.ack()


def main():
    role, socket, name = sys.argv[1:4]
    log = os.open(sys.argv[-1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    signal.signal(signal.SIGTERM, stop)
    try:
        queue = beltway.connect(socket).open_queue(name)
        if role == "producer":
            produce(queue, int(sys.argv[4]), int(sys.argv[5]), log)
        else:
            work(queue, sys.argv[4], log)
    except Stopped:
        pass
    except beltway.Error as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
