"""Answers requests where they ask for it."""
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host="localhost", port=int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.queue_declare(queue="rpc")


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def on_request(ch, method, props, body):
    print(" [.] fib(%s)" % int(body), flush=True)
    ch.basic_publish(exchange="", routing_key=props.reply_to, body=str(fib(int(body))),
                     properties=pika.BasicProperties(correlation_id=props.correlation_id))
    ch.basic_ack(delivery_tag=method.delivery_tag)
    if int(body) == 0:
        ch.stop_consuming()


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue="rpc", on_message_callback=on_request)
print("waiting", flush=True)
channel.start_consuming()
connection.close()
