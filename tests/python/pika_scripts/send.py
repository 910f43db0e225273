"""Publishes "Hello World!" through the default exchange."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host="localhost", port=int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare(queue="hello")
channel.basic_publish(exchange="", routing_key="hello", body="Hello World!")
print(" [x] Sent 'Hello World!'")
connection.close()
print("open:", connection.is_open, "closed:", connection.is_closed, channel.is_open)
