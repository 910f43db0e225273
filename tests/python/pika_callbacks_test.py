"""beltway.pika: exceptions of callbacks, and a queue that stays full.

usage: pika_callbacks_test.py PROGRAMS MODULES: the folders of beltwayd and of the package beltway.
"""

import os
import sys
import unittest

import pika_brokers

PROGRAMS, MODULES = sys.argv[1:3]
sys.path.insert(0, MODULES)

import beltway  # noqa: E402: from the folder of the command line
import beltway.pika as pika  # noqa: E402
from beltway.pika import exceptions  # noqa: E402


class Failure(Exception):
    """What a callback raises."""


def fail(*_):
    raise Failure


class CallbackTest(unittest.TestCase):
    """Each test has a daemon of its own, and a queue."""

    def setUp(self):
        self.broker = pika_brokers.Beltway(PROGRAMS, MODULES)
        self.addCleanup(self.broker.close)
        os.environ["BELTWAY_SOCKET"] = self.broker.socket
        self.connection = pika.BlockingConnection()
        self.addCleanup(lambda: self.connection.is_open and self.connection.close())
        self.channel = self.connection.channel()
        self.channel.queue_declare("work", arguments={"x-beltway-slots": 16})

    def publish(self, *bodies):
        for body in bodies:
            self.channel.basic_publish("", "work", body)

    def group(self):
        with beltway.connect() as link:
            return link.open_queue("work").snapshot().groups[0]

    # Exceptions. What RabbitMQ and pika do is compared in pika_scripts/callback_errors.py.

    def test_exception_of_a_callback_reaches_start_consuming_and_consuming_goes_on_with_the_next_call(self):
        self.publish("bad", "next", "last")
        seen = []

        def callback(channel, method, _properties, body):
            seen.append(body)
            if body == b"bad":
                raise Failure
            channel.basic_ack(method.delivery_tag)
            if body == b"last":
                channel.stop_consuming()

        tag = self.channel.basic_consume("work", callback)
        with self.assertRaises(Failure):
            self.channel.start_consuming()
        self.assertEqual((self.connection.is_open, self.channel.is_open, self.channel.consumer_tags), (True, True, [tag]))
        self.channel.start_consuming()
        self.assertEqual(seen, [b"bad", b"next", b"last"])

    def test_message_whose_callback_raised_stays_without_an_ack_until_the_channel_closes(self):
        self.publish("bad")
        self.channel.basic_consume("work", fail)
        with self.assertRaises(Failure):
            self.connection.process_data_events(5)
        self.assertEqual((self.group().leased, self.group().available), (1, 0))
        other = self.connection.channel()
        self.assertEqual(other.basic_get("work"), (None, None, None))
        self.channel.close()
        method, _, body = other.basic_get("work")
        self.assertEqual((body, method.redelivered), (b"bad", True))

    def test_message_whose_callback_raised_can_still_be_acknowledged_and_counts_for_the_prefetch(self):
        self.channel.basic_qos(prefetch_count=1)
        self.publish("bad", "next")
        tags = []

        def callback(_channel, method, _properties, _body):
            tags.append(method.delivery_tag)
            raise Failure

        self.channel.basic_consume("work", callback)
        with self.assertRaises(Failure):
            self.channel.start_consuming()
        self.connection.process_data_events(0.05)
        self.assertEqual(tags, [1])
        self.channel.basic_ack(1)
        with self.assertRaises(Failure):
            self.channel.start_consuming()
        self.assertEqual(tags, [1, 2])
        self.channel.close()
        self.assertEqual(self.connection.channel().basic_get("work")[2], b"next")

    def test_message_with_auto_ack_is_gone_when_its_callback_raises(self):
        self.publish("gone")
        self.channel.basic_consume("work", fail, auto_ack=True)
        with self.assertRaises(Failure):
            self.channel.start_consuming()
        self.channel.close()
        self.assertEqual(self.group().depth, 0)

    def test_exceptions_of_other_callbacks_reach_the_caller_once(self):
        self.connection.call_later(0, fail)
        self.connection.add_callback_threadsafe(fail)
        self.channel.add_on_return_callback(fail)
        self.channel.basic_publish("", "nowhere", "back", mandatory=True)
        for _ in range(3):
            with self.assertRaises(Failure):
                self.connection.process_data_events(5)
        self.connection.process_data_events(0)

    def test_exception_in_the_loop_over_consume_leaves_its_message_without_an_ack(self):
        self.publish("bad", "next")
        with self.assertRaises(Failure):
            for method, _, body in self.channel.consume("work"):
                self.assertEqual((method.delivery_tag, body), (1, b"bad"))
                raise Failure
        self.channel.close()
        other = self.connection.channel()
        self.assertEqual([other.basic_get("work")[2] for _ in range(2)], [b"bad", b"next"])

    def test_exception_that_leaves_the_block_of_a_connection_gives_the_message_back(self):
        self.publish("held")
        with self.assertRaises(Failure):
            with pika.BlockingConnection() as connection:
                channel = connection.channel()
                channel.basic_consume("work", fail)
                channel.start_consuming()
        self.assertTrue(connection.is_closed)
        method, _, body = self.channel.basic_get("work")
        self.assertEqual((body, method.redelivered), (b"held", True))

    # A queue that stays full

    def test_publish_to_a_full_queue_waits_for_60_s_unless_the_program_says_otherwise(self):
        class FullQueue:
            """A producer whose waits are over at once, and are told."""

            def __init__(self):
                self.waits = []

            def publish(self, _body, timeout=None, properties=None):
                self.waits.append(timeout)
                raise beltway.Timeout("the time was over")

        full = FullQueue()
        for parameters, text in ((None, "60 s"), (pika.ConnectionParameters(), "60 s"),
                                 (pika.URLParameters("amqp://localhost"), "60 s"),
                                 (pika.ConnectionParameters(blocked_connection_timeout=1.5), "1.5 s")):
            with pika.BlockingConnection(parameters) as connection:
                with self.assertRaisesRegex(exceptions.ConnectionBlockedTimeout, f"queue 'work' was full for {text}:"):
                    connection._publisher._publish_to_full(("", "work"), None, full, b"x", None)
        self.assertEqual(full.waits, [60, 60, 60, 1.5])
        self.assertEqual(pika.ConnectionParameters(blocked_connection_timeout=None).blocked_connection_timeout, None)

    def test_full_queue_raises_when_the_time_is_over_and_the_text_says_the_time_and_the_remedy(self):
        connection = pika.BlockingConnection(pika.ConnectionParameters(blocked_connection_timeout=0.05))
        channel = connection.channel()
        self.publish(*"0123456789abcdef")
        with self.assertRaisesRegex(exceptions.ConnectionBlockedTimeout, "'work' was full for 0.05 s.*queue_purge"):
            channel.basic_publish("", "work", "one more")
        self.assertTrue(connection.is_closed)
        self.assertEqual(self.group().depth, 16)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
