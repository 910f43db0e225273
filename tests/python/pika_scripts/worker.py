"""Takes tasks one at a time, and acknowledges each. Ends when no task came for a while."""
import os
import sys

import pika

queue = sys.argv[1]
credentials = pika.PlainCredentials("guest", "guest")
connection = pika.BlockingConnection(
    pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"]), "/", credentials, heartbeat=0))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)
channel.basic_qos(prefetch_count=1)
print("ready", flush=True)

done = 0
timer = None


def over():
    channel.stop_consuming()


def restart_timer(patience_s):
    global timer
    if timer is not None:
        connection.remove_timeout(timer)
    timer = connection.call_later(patience_s, over)


def callback(ch, method, properties, body):
    global done
    print(body.decode(), "again" if method.redelivered else "first", properties.delivery_mode)
    ch.basic_ack(delivery_tag=method.delivery_tag)
    done += 1
    restart_timer(1.0)


channel.basic_consume(queue, callback)
restart_timer(10.0)  # who publishes the first task may have to be started yet
channel.start_consuming()
connection.close()
