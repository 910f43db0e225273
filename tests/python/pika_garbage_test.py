"""beltway.pika with wrong arguments, and with messages of other programs that make no sense.

usage: pika_garbage_test.py PROGRAMS MODULES: the folders of beltwayd and of the package beltway.
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


class GarbageTest(unittest.TestCase):
    def setUp(self):
        self.broker = pika_brokers.Beltway(PROGRAMS, MODULES)
        self.addCleanup(self.broker.close)
        os.environ["BELTWAY_SOCKET"] = self.broker.socket
        self.connection = pika.BlockingConnection()
        self.addCleanup(self.connection.close)
        self.channel = self.connection.channel()

    def test_headers_of_another_program_that_make_no_sense_stop_no_consumer(self):
        self.channel.queue_declare("mixed")
        with beltway.connect() as link:
            producer = link.open_queue("mixed").producer()
        for headers in ({"amqp.json": "not json"}, {"amqp.json": '["missing"]'}, {"amqp.json": "5"},
                        {"amqp.json": '["a", 5, ["b"]]', "a": "{bad"}, {"amqp.json": '["a"]', "a": '{"$time": 1e30}'},
                        {"amqp.json": '["a"]', "a": '{"$decimal": "x"}'}, {"amqp.json": '["a"]', "a": '{"$bytes": 5}'},
                        {"amqp.priority": "high"}, {"amqp.json": "[" * 2000}):
            producer.publish(b"strange", properties=beltway.Properties(headers=headers))
            _, properties, body = self.channel.basic_get("mixed", auto_ack=True)
            self.assertEqual(body, b"strange")
            if "a" in headers:
                self.assertEqual(properties.headers["a"], headers["a"])
            if "amqp.priority" in headers:
                self.assertEqual((properties.priority, properties.headers), (None, headers))

    def test_queue_is_not_changed_by_a_program_that_declares_it_with_other_arguments(self):
        arguments = {"x-message-ttl": 60000, "x-max-length": 5, "x-delivery-limit": 3}
        self.channel.queue_declare("limited", arguments=arguments)
        self.channel.queue_declare("limited", arguments=arguments)
        self.channel.queue_declare("limited")
        for other in ({"x-message-ttl": 60}, {"x-max-length": 1}, {"x-delivery-limit": 1},
                      {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}):
            with self.assertRaisesRegex(exceptions.ChannelClosedByBroker, "406.*inequivalent arg for queue 'limited'"):
                self.connection.channel().queue_declare("limited", arguments=other)
        with beltway.connect() as link:
            options = link.open_queue("limited").options
        self.assertEqual([options[name] for name in ("ttl", "drop_oldest", "max_deliveries", "dead_letter")], [60.0, 5, 4, ""])

    def test_expiration_that_is_no_time_is_an_error_and_drops_no_message(self):
        self.channel.queue_declare("expiring")
        for text in ("-5", "1.5", "", "soon"):
            with self.assertRaisesRegex(ValueError, "no number of milliseconds"):
                self.channel.basic_publish("", "expiring", "message", pika.BasicProperties(expiration=text))

    def test_deleted_queue_calls_back_although_another_consumer_has_ended_before(self):
        self.channel.queue_declare("gone")
        cancelled = []
        self.channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        self.channel.basic_cancel(self.channel.basic_consume("gone", print))
        self.channel.basic_consume("gone", print, consumer_tag="mine")
        self.channel.queue_delete("gone")
        self.channel.start_consuming()
        self.assertEqual(cancelled, ["mine"])

    def test_prefetch_that_is_no_count_is_an_error(self):
        for count, error in ((-1, ValueError), (65536, ValueError), ("5", TypeError), (None, TypeError)):
            with self.assertRaisesRegex(error, "prefetch_count must be"):
                self.channel.basic_qos(prefetch_count=count)
        self.channel.basic_qos(prefetch_count=1)

    def test_number_of_an_open_channel_is_not_given_again(self):
        for number in (self.channel.channel_number, 0, -1, "1"):
            with self.assertRaises(exceptions.InvalidChannelNumber):
                self.connection.channel(number)
        self.channel.close()
        self.assertEqual(int(self.connection.channel(self.channel.channel_number)), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
