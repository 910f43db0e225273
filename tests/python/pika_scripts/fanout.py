"""Queues with names on a fanout exchange: each gets every message, acknowledges, gives back, and leaves."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.exchange_declare(exchange="news", exchange_type="fanout", durable=True)
channel.basic_publish("news", "", "nobody is bound")
for queue in ("mail", "web"):
    channel.queue_declare(queue, durable=True)
    channel.queue_bind(queue, "news")
private = channel.queue_declare("", exclusive=True).method.queue
channel.queue_bind(private, "news", routing_key="x")
channel.basic_publish("news", "a key", "one", pika.BasicProperties(type="headline"))
channel.basic_publish("news", "", "two")


def get(queue, name):
    method, properties, body = channel.basic_get(queue)
    if method is None:
        return print(name, "is empty")
    print(name, body, method.exchange, repr(method.routing_key), method.redelivered, properties.type, method.message_count)
    return method.delivery_tag


channel.basic_nack(get("mail", "mail"))
channel.basic_ack(get("mail", "mail"))
channel.basic_ack(get("mail", "mail"))
get("mail", "mail")
channel.basic_nack(get(private, "private"))
channel.basic_ack(get(private, "private"))
channel.queue_unbind("mail", "news")
channel.basic_publish("news", "", "three")
get("mail", "mail")
channel.basic_reject(get(private, "private"), requeue=False)
channel.basic_ack(get(private, "private"))
get(private, "private")
print("web has", channel.queue_declare("web", passive=True).method.message_count)
print("purged", channel.queue_purge("web").method.message_count)
get("web", "web")
channel.queue_delete("web")
channel.queue_delete("mail")
channel.exchange_delete("news")
try:
    channel.exchange_declare("news", passive=True)
except pika.exceptions.ChannelClosedByBroker as error:
    print(error.reply_code, error.reply_text)
connection.close()
