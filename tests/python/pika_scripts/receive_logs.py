"""Subscribes to a fanout exchange with a queue of its own, and prints what comes until "end"."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.exchange_declare(exchange="logs", exchange_type="fanout")
result = channel.queue_declare(queue="", exclusive=True)
queue_name = result.method.queue
channel.queue_bind(exchange="logs", queue=queue_name)
print("named by the server:", queue_name.startswith("amq.gen-"), flush=True)


def callback(ch, method, properties, body):
    print(" [x] %r" % body, repr(method.exchange), repr(method.routing_key))
    if body == b"end":
        ch.basic_cancel(method.consumer_tag)


channel.basic_consume(queue=queue_name, on_message_callback=callback, auto_ack=True)
channel.start_consuming()
connection.close()
