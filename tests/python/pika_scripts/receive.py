"""Consumes one message with a callback, and stops."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
declared = channel.queue_declare(queue="hello")
print("queue:", declared.method.queue, "messages:", declared.method.message_count, "consumers:",
      declared.method.consumer_count)


def callback(ch, method, properties, body):
    print(" [x] Received %r" % body)
    print(ch is channel, method.delivery_tag, method.exchange == "", method.routing_key, method.redelivered)
    print(properties.content_type, properties.headers, properties.delivery_mode)
    ch.stop_consuming()


channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)
channel.start_consuming()
print(channel.queue_declare("hello", passive=True).method.message_count, "left")
connection.close()
