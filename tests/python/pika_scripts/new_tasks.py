"""Publishes persistent tasks to a durable queue."""
import os
import sys

import pika

count = int(sys.argv[1])
parameters = pika.URLParameters("amqp://guest:guest@localhost:%s/%%2F" % os.environ["AMQP_PORT"])
with pika.BlockingConnection(parameters) as connection:
    channel = connection.channel()
    channel.queue_declare(queue="tasks", durable=True)
    for number in range(count):
        channel.basic_publish(
            exchange="", routing_key="tasks", body=f"task {number}",
            properties=pika.BasicProperties(delivery_mode=pika.spec.PERSISTENT_DELIVERY_MODE))
    print("sent", count)
