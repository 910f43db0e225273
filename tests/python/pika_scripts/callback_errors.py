"""Exceptions in callbacks: they reach the caller of start_consuming, and the message stays without an ack."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare("failing")
channel.queue_purge("failing")


def publish(*bodies):
    for body in bodies:
        channel.basic_publish("", "failing", body)


def fail(*_):
    raise ValueError("from a callback")


def attempt(what, call):
    try:
        print(what, "->", call())
    except ValueError as error:
        print(what, "-> ValueError", error, connection.is_open, channel.is_open)


def callback(ch, method, properties, body):
    print("message", body, method.delivery_tag, method.redelivered)
    if body == b"bad" and not method.redelivered:
        raise ValueError("bad message")
    if body == b"last":
        ch.stop_consuming()
    ch.basic_ack(method.delivery_tag)


print("without a limit")
publish("good", "bad")
channel.basic_consume("failing", callback)
attempt("start_consuming", channel.start_consuming)
print("still consumes", len(channel.consumer_tags))
publish("next", "last")
attempt("start_consuming again", channel.start_consuming)
channel.close()
channel = connection.channel()
print("after the channel's end", channel.basic_get("failing")[2])
channel.close()

print("with a limit of one")
channel = connection.channel()
channel.basic_qos(prefetch_count=1)
publish("last")
seen = []


def first_fails(ch, method, properties, body):
    seen.append(method.delivery_tag)
    print("message", body, method.redelivered)
    if len(seen) == 1:
        raise ValueError("first message")
    ch.basic_ack(method.delivery_tag)
    ch.stop_consuming()


channel.basic_consume("failing", first_fails)
attempt("start_consuming", channel.start_consuming)
connection.process_data_events(time_limit=0.2)
print("no more before the ack", len(seen))
channel.basic_nack(seen[0], requeue=False)
attempt("start_consuming after it", channel.start_consuming)

print("with auto_ack")
publish("gone")
channel.basic_consume("failing", lambda ch, method, properties, body: fail(), auto_ack=True)
attempt("first", channel.start_consuming)
publish("gone, too")
attempt("second", channel.start_consuming)
channel.stop_consuming()
channel.close()
channel = connection.channel()
print("left", channel.basic_get("failing")[2])

print("other callbacks")
connection.call_later(0.01, fail)
attempt("call_later", lambda: connection.sleep(0.3))
connection.add_callback_threadsafe(fail)
attempt("add_callback_threadsafe", lambda: connection.sleep(0.3))
channel.add_on_return_callback(fail)
channel.basic_publish("", "nowhere", "back", mandatory=True)
attempt("add_on_return_callback", lambda: connection.sleep(0.3))
attempt("nothing is left", lambda: connection.sleep(0.3))

print("an exception that ends the connection's block")
publish("held")
try:
    with connection:
        channel.basic_consume("failing", fail)
        channel.start_consuming()
except ValueError as error:
    print("ValueError", error, connection.is_open)
connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
method, _, body = channel.basic_get("failing", auto_ack=True)
print(body, method.redelivered)
channel.queue_delete("failing")
connection.close()
