"""When queues end: exclusive, auto_delete, deleted; dead letters, limits and times of life."""
import os

import pika

parameters = pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"]))
connection = pika.BlockingConnection(parameters)
other = pika.BlockingConnection(parameters)


def exists(name):
    channel = other.channel()
    try:
        channel.queue_declare(name, passive=True)
        return True
    except pika.exceptions.ChannelClosedByBroker as error:
        return error.reply_code


channel = connection.channel()
channel.queue_declare("passing", auto_delete=True)
print("before the first consumer", exists("passing"))
tag = channel.basic_consume("passing", print)
print("with a consumer", exists("passing"))
channel.basic_cancel(tag)
print("after the last consumer", exists("passing"))

channel.queue_declare("mine", exclusive=True)
print("exclusive, seen by another", exists("mine"))
channel.close()
channel = connection.channel()
print("after the channel", channel.queue_declare("mine", exclusive=True).method.queue)

channel.queue_declare("failed")
channel.queue_declare("jobs", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "failed"})
channel.basic_publish("", "jobs", "bad", pika.BasicProperties(content_type="text/plain", message_id="7"))
method, _, _ = channel.basic_get("jobs")
channel.basic_reject(method.delivery_tag, requeue=False)
for _ in range(50):
    method, properties, body = channel.basic_get("failed", auto_ack=True)
    if method is not None:
        break
    connection.sleep(0.05)
death = properties.headers["x-death"][0]
print(body, properties.content_type, properties.message_id, death["reason"], death["queue"], death["count"])

channel.exchange_declare("dead", "fanout")
channel.queue_declare("morgue")
channel.queue_bind("morgue", "dead")
channel.queue_declare("work", arguments={"x-dead-letter-exchange": "dead"})
channel.basic_publish("", "work", "worse")
method, _, _ = channel.basic_get("work")
channel.basic_nack(method.delivery_tag, requeue=False)
for _ in range(50):
    method, properties, body = channel.basic_get("morgue", auto_ack=True)
    if method is not None:
        break
    connection.sleep(0.05)
headers = properties.headers
print(body, method.exchange, method.routing_key, headers["x-death"][0]["queue"], headers["x-first-death-reason"])
channel.exchange_delete("dead")

channel.exchange_declare("source", "fanout")
channel.queue_declare("bound", arguments={"x-message-ttl": 60000, "x-max-length": 2, "x-dead-letter-exchange": "",
                                          "x-dead-letter-routing-key": "failed"})
channel.queue_bind("bound", "source")
channel.basic_publish("source", "key", "refused")
method, _, _ = channel.basic_get("bound")
channel.basic_reject(method.delivery_tag, requeue=False)
for _ in range(50):
    method, properties, body = channel.basic_get("failed", auto_ack=True)
    if method is not None:
        break
    connection.sleep(0.05)
death = properties.headers["x-death"][0]
print(body, method.exchange == "", death["reason"], death["queue"], death["exchange"], death["routing-keys"])
channel.exchange_delete("source")

channel.queue_declare("short", arguments={"x-message-ttl": 50})
channel.basic_publish("", "short", "old")
connection.sleep(0.3)
print("expired", channel.basic_get("short"))

channel.queue_declare("newest", arguments={"x-max-length": 2})
for number in range(5):
    channel.basic_publish("", "newest", str(number))
connection.sleep(0.1)
print([channel.basic_get("newest", auto_ack=True)[2] for _ in range(3)])

for queue in ("jobs", "failed", "short", "newest", "morgue", "work", "bound"):
    channel.queue_delete(queue)
connection.close()
print("after the connection", exists("mine"))
other.close()
