"""Gives messages back in every way."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(port=int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare("requeue")
channel.queue_purge("requeue")
for name in "abcdef":
    channel.basic_publish("", "requeue", name)


def get(what="got"):
    method, properties, body = channel.basic_get("requeue")
    if method is None:
        print(what, "nothing", properties, body)
        return None
    print(what, body, "again" if method.redelivered else "first", "tag", method.delivery_tag)
    return method.delivery_tag


a = get()
channel.basic_nack(a)  # requeue is the default
a = get("after a nack")
channel.basic_reject(a, requeue=True)
a = get("after a reject with requeue")
channel.basic_reject(a, requeue=False)
b = get("after a reject without requeue")
channel.basic_nack(b, requeue=False)
c = get("after a nack without requeue")
d = get()
channel.basic_nack(d, multiple=True, requeue=True)
c, d, e = get("after a nack of both"), get(), get()
channel.basic_ack(d, multiple=True)
channel.close()  # e goes back
channel = connection.channel()
e = get("after the channel's end")
channel.basic_ack(e)
f = get()
channel.basic_ack(0, multiple=True)
get("at the end")
channel.basic_publish("", "requeue", b"")
get("an empty message")
channel.basic_ack(delivery_tag=99)  # never delivered
try:
    channel.queue_declare("requeue", passive=True)
    print("still open")
except pika.exceptions.ChannelClosedByBroker as error:
    print(type(error).__name__, error.reply_code, error.reply_text)
channel = connection.channel()
print(channel.queue_delete("requeue").method.message_count, "deleted")
connection.close()
