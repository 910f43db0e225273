"""Each property of a message, there and back."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare("properties")
FIELDS = ("content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to", "expiration",
          "message_id", "timestamp", "type", "user_id", "app_id")


def there_and_back(properties, body=b"x"):
    channel.basic_publish("", "properties", body, properties)
    method, got, body = channel.basic_get("properties", auto_ack=True)
    print({name: getattr(got, name) for name in FIELDS if getattr(got, name) is not None}, body)
    print(got == properties, type(method).__name__)


there_and_back(None)
there_and_back(pika.BasicProperties())
there_and_back(pika.BasicProperties(
    content_type="application/json", content_encoding="utf-8", delivery_mode=2, priority=3, correlation_id="c-1",
    reply_to="replies", expiration="60000", message_id="m-1", timestamp=1700000000, type="order", user_id="guest", app_id="shop"))
there_and_back(pika.BasicProperties(headers={"tenant": "acme", "tries": 3, "exact": True, "none": None, "list": [1, "two"],
                                             "table": {"deep": "value"}, "umlaut": "\u00e4", "bytes": b"\xff"}))
there_and_back(pika.BasicProperties(headers={}), "t\u00e4xt")
there_and_back(pika.BasicProperties(content_type="text/plain"), bytes(range(256)))
print(pika.BasicProperties(content_type="a", delivery_mode=1))
print(pika.BasicProperties(), pika.BasicProperties() == pika.BasicProperties(), pika.BasicProperties(app_id="x").app_id)
channel.basic_publish("", "properties", b"short lived", pika.BasicProperties(expiration="50"))
connection.sleep(0.3)
print(channel.basic_get("properties"))
channel.queue_delete("properties")
connection.close()
