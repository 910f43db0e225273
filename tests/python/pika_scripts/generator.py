"""Consumes with the generator consume()."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare("generator", auto_delete=False)
for number in range(5):
    channel.basic_publish("", "generator", str(number))

for method, properties, body in channel.consume("generator", inactivity_timeout=0.3):
    if method is None:
        print("nothing came", properties, body)
        break
    print(body, method.delivery_tag)
    channel.basic_ack(method.delivery_tag)

channel.basic_publish("", "generator", "later")
for method, properties, body in channel.consume("generator", inactivity_timeout=5):
    print(body, method.delivery_tag)  # not acknowledged
    break
try:
    next(channel.consume("generator", auto_ack=True))
except ValueError as error:
    print("ValueError", str(error)[:60])
print("given back:", channel.cancel())
print("cancelled twice:", channel.cancel())
channel.close()
channel = connection.channel()
for method, properties, body in channel.consume("generator", auto_ack=True):
    print(body, method.redelivered)
    channel.cancel()
print(channel.queue_declare("generator", passive=True).method.message_count)
connection.close()
