"""Takes three tasks, acknowledges the first, and is killed."""
import os
import signal

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"])))
channel = connection.channel()
channel.basic_qos(prefetch_count=3)
taken = []


def callback(ch, method, properties, body):
    taken.append(method.delivery_tag)
    print(body.decode(), method.redelivered, flush=True)
    if len(taken) == 3:
        ch.stop_consuming()  # so that RabbitMQ sends no more when it gets the ack


channel.basic_consume("tasks", callback)
channel.start_consuming()
channel.basic_ack(taken[0])
connection.sleep(0.2)  # so that RabbitMQ gets the ack
os.kill(os.getpid(), signal.SIGKILL)
