#!/usr/bin/env python3
"""Sends "Hello World!" to a queue, by pika's calls. Run hello_receive.py beside it, before or afterwards."""
import beltway.pika as pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host="localhost"))
channel = connection.channel()

channel.queue_declare(queue="hello")
channel.basic_publish(exchange="", routing_key="hello", body="Hello World!")
print(" [x] Sent 'Hello World!'")

connection.close()
