"""Publishes to a fanout exchange."""
import os
import sys

import pika
from pika.exchange_type import ExchangeType

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.exchange_declare("logs", ExchangeType.fanout)
for message in sys.argv[1:]:
    channel.basic_publish(exchange="logs", routing_key="" if message == "end" else "ignored", body=message)
connection.close()
