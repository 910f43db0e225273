"""Timers, calls of other threads, process_data_events and sleep, beside messages."""
import functools
import os
import threading
import time

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare("events")
seen = []


def callback(ch, method, properties, body):
    seen.append(body)
    print("message", body, method.delivery_tag)
    if body == b"slow":  # another thread works, and acknowledges through the connection's thread
        def work():
            time.sleep(0.05)
            connection.add_callback_threadsafe(functools.partial(ch.basic_ack, method.delivery_tag))
            connection.add_callback_threadsafe(lambda: print("acknowledged by a thread"))
        threads.append(threading.Thread(target=work))
        threads[-1].start()
    else:
        ch.basic_ack(method.delivery_tag)
    try:
        ch.start_consuming()
    except pika.exceptions.ReentrancyError:
        print("no start_consuming in a callback")


threads = []
tag = channel.basic_consume("events", callback, consumer_tag="mine")
print(tag, channel.consumer_tags)
connection.process_data_events(time_limit=0)
print("seen", seen)
channel.basic_publish("", "events", "quick")
channel.basic_publish("", "events", "slow")
while len(seen) < 2:
    connection.process_data_events(time_limit=1)
connection.sleep(0.3)
threads[0].join()

order = []
connection.call_later(0.2, lambda: order.append("second"))
connection.call_later(0.1, lambda: order.append("first"))
gone = connection.call_later(0.15, lambda: order.append("removed"))
connection.remove_timeout(gone)
begin = time.monotonic()
connection.sleep(0.4)
print(order, 0.35 < time.monotonic() - begin < 2)

connection.call_later(0.05, channel.stop_consuming)
channel.start_consuming()
print("stopped", channel.consumer_tags)
print(connection.is_open, channel.is_open, channel.channel_number, int(channel))
begin = time.monotonic()
connection.process_data_events(time_limit=0.1)
print(time.monotonic() - begin < 1)
channel.queue_delete("events")
connection.close()
