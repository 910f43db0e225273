"""Asks, and waits for each answer in a queue of its own."""
import os
import uuid

import pika


class Client:
    def __init__(self):
        self.connection = pika.BlockingConnection(
            pika.ConnectionParameters(host="localhost", port=int(os.environ["AMQP_PORT"])))
        self.channel = self.connection.channel()
        self.callback_queue = self.channel.queue_declare(queue="", exclusive=True).method.queue
        self.channel.basic_consume(queue=self.callback_queue, on_message_callback=self.on_response, auto_ack=True)
        self.response = None
        self.corr_id = None

    def on_response(self, ch, method, props, body):
        if self.corr_id == props.correlation_id:
            self.response = body

    def call(self, n):
        self.response = None
        self.corr_id = str(uuid.uuid4())
        self.channel.basic_publish(
            exchange="", routing_key="rpc", body=str(n),
            properties=pika.BasicProperties(reply_to=self.callback_queue, correlation_id=self.corr_id))
        while self.response is None:
            self.connection.process_data_events(time_limit=None)
        return int(self.response)


client = Client()
for n in (10, 7, 0):
    print(" [.] Got %r" % client.call(n))
client.connection.close()
