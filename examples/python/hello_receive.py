#!/usr/bin/env python3
"""Prints what hello_send.py sends, with a callback, by pika's calls. Ctrl-C ends it."""
import beltway.pika as pika


def callback(ch, method, properties, body):
    print(f" [x] Received {body.decode()}", flush=True)


def main():
    connection = pika.BlockingConnection(pika.ConnectionParameters(host="localhost"))
    channel = connection.channel()

    channel.queue_declare(queue="hello")
    channel.basic_consume(queue="hello", on_message_callback=callback, auto_ack=True)

    print(" [*] Waiting for messages. To exit press CTRL+C", flush=True)
    channel.start_consuming()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("Interrupted")
