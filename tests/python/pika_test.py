"""beltway.pika beyond what an oracle can say: hosts, limits, warnings, what is not there, other programs at the other end.

usage: pika_test.py PROGRAMS MODULES: the folders of beltwayd and of the package beltway.
"""

import faulthandler
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import unittest
import warnings

import pika_brokers

PROGRAMS, MODULES = sys.argv[1:3]
sys.path.insert(0, MODULES)

import beltway  # noqa: E402: from the folder of the command line
import beltway.pika as pika  # noqa: E402
from beltway.pika import exceptions  # noqa: E402


def eventually(condition, patience_s=20):
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class PikaTest(unittest.TestCase):
    """Each test has a daemon of its own."""

    def setUp(self):
        self.broker = pika_brokers.Beltway(PROGRAMS, MODULES)
        self.addCleanup(self.broker.close)
        os.environ["BELTWAY_SOCKET"] = self.broker.socket
        self.connection = pika.BlockingConnection()
        self.addCleanup(lambda: self.connection.is_open and self.connection.close())
        self.channel = self.connection.channel()

    def start(self, program):
        """A started program of this text."""
        return self.broker.spawn([pika_brokers.PYTHON, "-c", textwrap.dedent(program)], self.broker.script_env(),
                                 stdout=subprocess.PIPE, text=True)

    def get(self, queue, channel=None):
        """The body of the next message, which is acknowledged; None if there is none."""
        return (channel or self.channel).basic_get(queue, auto_ack=True)[2]

    # Connections

    def test_host_that_is_not_this_machine_is_an_error_that_says_what_to_do(self):
        for parameters in (pika.ConnectionParameters("192.0.2.1"), pika.URLParameters("amqp://u:p@no-such-host.invalid:5672/")):
            with self.assertRaisesRegex(exceptions.AMQPConnectionError, "not this machine.*use host='localhost'"):
                pika.BlockingConnection(parameters)
        with self.assertRaisesRegex(NotImplementedError, "ssl_options"):
            pika.BlockingConnection(pika.URLParameters("amqps://localhost"))
        for host in ("127.0.0.1", "::1", os.uname().nodename):
            pika.BlockingConnection(pika.ConnectionParameters(host)).close()

    def test_connection_takes_the_first_parameters_that_work(self):
        pika.BlockingConnection([pika.ConnectionParameters("192.0.2.1"), pika.ConnectionParameters()]).close()
        with self.assertRaises(ValueError):
            pika.BlockingConnection([])

    def test_missing_daemon_is_a_connection_error_with_the_text_of_the_library(self):
        os.environ["BELTWAY_SOCKET"] = os.path.join(self.broker.folder, "nobody")
        with self.assertRaisesRegex(exceptions.AMQPConnectionError, "nobody"):
            pika.BlockingConnection(pika.ConnectionParameters(connection_attempts=2, retry_delay=0.01, socket_timeout=0.2))

    def test_url_says_what_parameters_say(self):
        url = pika.URLParameters("amqp://me:secret%2F@127.0.0.1:5673/production%2Feu?heartbeat=30&connection_attempts=3"
                                 "&blocked_connection_timeout=1.5&retry_delay=0.5")
        self.assertEqual((url.host, url.port, url.virtual_host), ("127.0.0.1", 5673, "production/eu"))
        self.assertEqual((url.credentials.username, url.credentials.password), ("me", "secret/"))
        self.assertEqual((url.heartbeat, url.connection_attempts, url.blocked_connection_timeout, url.retry_delay),
                         (30, 3, 1.5, 0.5))
        self.assertEqual(pika.URLParameters("amqp://localhost/%2F").virtual_host, "/")
        with self.assertRaises(ValueError):
            pika.URLParameters("http+x://localhost")
        with self.assertRaises(TypeError):
            pika.ConnectionParameters(hots="localhost")

    def test_durable_and_credentials_are_warned_of_once(self):
        program = """
            import warnings
            import beltway.pika as pika
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(2):
                    parameters = pika.ConnectionParameters(credentials=pika.PlainCredentials("me", "secret"))
                    with pika.BlockingConnection(parameters) as connection:
                        connection.channel().queue_declare("lasting", durable=True)
            for warning in caught:
                print(warning.category.__name__, str(warning.message).partition(":")[0], warning.filename)
            """
        self.assertEqual(self.broker.finish(self.start(program)),
                         "IgnoredWarning credentials are ignored <string>\nIgnoredWarning durable is ignored <string>\n")

    def test_virtual_hosts_have_queues_and_exchanges_of_their_own(self):
        with pika.BlockingConnection(pika.ConnectionParameters(virtual_host="test")) as other:
            channel = other.channel()
            for each in (self.channel, channel):
                each.queue_declare("same")
                each.exchange_declare("same", "fanout")
                each.queue_bind("same", "same")
            channel.basic_publish("", "same", "there")
            channel.basic_publish("same", "", "there, too")
            self.assertIsNone(self.get("same"))
            self.assertEqual([self.get("same", channel) for _ in range(3)], [b"there", b"there, too", None])

    def test_names_may_have_any_characters(self):
        for name in ("with space", "task:queue", "\u00e4", "exchange/x", "a/b-c_d.e", "quoted/x", "vhost/x/y"):
            self.channel.queue_declare(name)
            self.channel.basic_publish("", name, name)
            method, _, body = self.channel.basic_get(name, auto_ack=True)
            self.assertEqual((body.decode(), method.routing_key), (name, name))

    # Limits

    def test_full_queue_raises_connection_blocked_timeout_and_closes_the_connection(self):
        self.channel.queue_declare("full", arguments={"x-beltway-slots": 16})
        connection = pika.BlockingConnection(pika.ConnectionParameters(blocked_connection_timeout=0.2))
        channel = connection.channel()
        with self.assertRaisesRegex(exceptions.ConnectionBlockedTimeout, "queue 'full' was full for 0.2 s"):
            for _ in range(17):
                channel.basic_publish("", "full", "x")
        self.assertTrue(connection.is_closed)
        self.assertTrue(channel.is_closed)
        self.assertEqual(self.channel.queue_declare("full", passive=True).method.message_count, 16)

    def test_publish_to_a_full_queue_goes_on_when_there_is_room(self):
        self.channel.queue_declare("full", arguments={"x-beltway-slots": 16})
        told = []
        self.connection.add_on_connection_blocked_callback(lambda connection, frame: told.append(type(frame.method).__name__))
        self.connection.add_on_connection_unblocked_callback(lambda connection, frame: told.append(type(frame.method).__name__))
        for number in range(16):
            self.channel.basic_publish("", "full", str(number))

        def consume():
            time.sleep(0.1)
            with pika.BlockingConnection() as other:
                other.channel().basic_get("full", auto_ack=True)
        thread = threading.Thread(target=consume)
        thread.start()
        self.channel.basic_publish("", "full", "16")
        thread.join()
        self.connection.process_data_events()
        self.assertEqual(told, ["Blocked", "Unblocked"])

    def test_length_beyond_the_slots_is_an_error_that_names_the_remedy(self):
        with self.assertRaisesRegex(ValueError, "x-max-length 20000 is above the slots.*x-beltway-slots"):
            self.channel.queue_declare("long", arguments={"x-max-length": 20000})
        self.channel.queue_declare("long", arguments={"x-max-length": 20000, "x-beltway-slots": 32768})

    def test_queue_has_the_slots_that_the_guide_says(self):
        self.channel.queue_declare("many")
        for number in range(16384):
            self.channel.basic_publish("", "many", b"")
        self.assertEqual(self.channel.queue_declare("many", passive=True).method.message_count, 16384)

    def test_message_that_is_too_large_closes_the_channel_and_names_the_limit(self):
        self.channel.queue_declare("large")
        self.channel.basic_publish("", "large", bytes(1 << 20))
        self.assertEqual(self.get("large"), bytes(1 << 20))
        with self.assertRaises(exceptions.ChannelClosedByBroker) as caught:
            self.channel.basic_publish("", "large", bytes(16 << 20))
        self.assertEqual(caught.exception.reply_code, 406)
        self.assertTrue(self.channel.is_closed)

    def test_what_is_not_there_raises_not_implemented_error_that_names_it(self):
        channel = self.channel
        channel.queue_declare("q")
        calls = {
            "exchange_type='topic'": lambda: channel.exchange_declare("x", "topic"),
            "exchange_type='direct'": lambda: channel.exchange_declare("x"),
            "amq.direct": lambda: channel.basic_publish("amq.direct", "", "x"),
            "exchange_bind": lambda: channel.exchange_bind("x", "y"),
            "tx_select": channel.tx_select,
            "flow": lambda: channel.flow(False),
            "basic_recover": channel.basic_recover,
            "prefetch_size": lambda: channel.basic_qos(prefetch_size=1),
            "amq.rabbitmq.reply-to": lambda: channel.basic_consume("amq.rabbitmq.reply-to", print, auto_ack=True),
            "exclusive": lambda: channel.basic_consume("q", print, exclusive=True),
            "x-max-priority": lambda: channel.queue_declare("p", arguments={"x-max-priority": 3}),
            "x-queue-type": lambda: channel.queue_declare("p", arguments={"x-queue-type": "stream"}),
            "SelectConnection": lambda: pika.SelectConnection(pika.ConnectionParameters()),
            "AsyncioConnection": lambda: pika.adapters.asyncio_connection.AsyncioConnection(),
        }
        for name, call in calls.items():
            with self.subTest(name), self.assertRaises(NotImplementedError) as caught:
                call()
            self.assertIn(name, str(caught.exception))
        self.assertTrue(channel.is_open)

    # Other programs

    def test_programs_of_beltway_are_at_the_other_end(self):
        link = beltway.connect()
        jobs = link.declare("jobs", groups=["workers"])
        jobs.producer().publish(b"from beltway", properties=beltway.Properties(content_type="text/plain", headers={"a": "b"}))
        self.channel.queue_declare("jobs")  # joins the only group
        method, properties, body = self.channel.basic_get("jobs")
        self.assertEqual((body, properties.content_type, properties.headers), (b"from beltway", "text/plain", {"a": "b"}))
        self.channel.basic_nack(method.delivery_tag)
        message = jobs.consumer(group="workers").receive(5)
        self.assertEqual((bytes(message), message.deliveries), (b"from beltway", 2))
        message.ack()
        self.channel.queue_declare("tasks")
        self.channel.basic_publish("", "tasks", "from pika", pika.BasicProperties(correlation_id="7", headers={"n": 5}))
        message = link.open_queue("tasks").consumer(group="pika").receive(5)
        self.assertEqual((bytes(message), message.properties.correlation_id, message.properties.header("n")),
                         (b"from pika", "7", b"5"))
        message.ack()
        link.close()

    def test_binding_of_another_connection_reaches_a_waiting_consumer(self):
        self.channel.queue_declare("mail")
        self.channel.exchange_declare("news", "fanout")
        got = []
        self.channel.basic_consume("mail", lambda ch, method, properties, body: got.append(body), auto_ack=True)
        self.connection.process_data_events()
        with pika.BlockingConnection() as other:
            channel = other.channel()
            channel.queue_bind("mail", "news")
            channel.basic_publish("news", "", "bound by another")
            end = time.monotonic() + 20
            while not got and time.monotonic() < end:
                self.connection.process_data_events(time_limit=1)
        self.assertEqual(got, [b"bound by another"])

    def test_killed_subscriber_does_not_fill_its_exchange(self):
        subscriber = """
            import beltway.pika as pika, os, signal
            channel = pika.BlockingConnection().channel()
            channel.exchange_declare("logs", "fanout")
            queue = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(queue, "logs")
            print(queue, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
            """
        process = self.start(subscriber)
        name = process.stdout.readline().strip()
        self.broker.finish(process)
        connection = pika.BlockingConnection(pika.ConnectionParameters(blocked_connection_timeout=10))
        channel = connection.channel()
        for number in range(20000):  # more than the exchange has slots
            channel.basic_publish("logs", "", b"x")
        connection.close()
        with self.assertRaises(exceptions.ChannelClosedByBroker):
            self.channel.queue_declare(name, passive=True)

    def test_binding_of_a_queue_that_was_removed_does_not_fill_its_exchange(self):
        self.channel.exchange_declare("logs", "fanout")
        self.channel.queue_declare("gone")
        self.channel.queue_bind("gone", "logs")
        link = beltway.connect()
        link.remove("gone")  # not by pika, which would end the binding
        connection = pika.BlockingConnection(pika.ConnectionParameters(blocked_connection_timeout=10))
        channel = connection.channel()
        for number in range(20000):
            channel.basic_publish("logs", "", b"x")
        connection.close()
        link.close()

    def test_deleted_queue_cancels_its_consumers(self):
        self.channel.queue_declare("gone")
        cancelled = []
        self.channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        self.channel.basic_consume("gone", print, consumer_tag="mine")
        with pika.BlockingConnection() as other:
            other.channel().queue_delete("gone")
        self.channel.start_consuming()
        self.assertEqual((cancelled, self.channel.consumer_tags), (["mine"], []))

    def test_many_consumers_of_one_connection_take_turns(self):
        got = []
        for name in ("a", "b", "c"):
            self.channel.queue_declare(name)
            self.channel.basic_consume(name, lambda ch, method, properties, body: got.append(body.decode()), auto_ack=True)
        with pika.BlockingConnection() as other:
            channel = other.channel()
            for number in range(3):
                for name in ("a", "b", "c"):
                    channel.basic_publish("", name, name)
        while len(got) < 9:
            self.connection.process_data_events(time_limit=5)
        self.assertEqual("".join(got), "abc" * 3)

    def test_messages_go_on_while_the_daemon_is_away(self):
        self.channel.queue_declare("on")
        with pika.BlockingConnection(pika.ConnectionParameters(socket_timeout=0.2)) as other:
            channel = other.channel()
            got = []
            channel.basic_consume("on", lambda ch, method, properties, body: got.append(body), auto_ack=True)
            self.channel.basic_publish("", "on", "before")
            while not got:
                other.process_data_events(time_limit=5)
            self.broker.kill_daemon()
            for number in range(3):
                self.channel.basic_publish("", "on", str(number))
                other.sleep(0.6)
            self.assertEqual(got, [b"before", b"0", b"1", b"2"])
            with self.assertRaises(exceptions.AMQPConnectionError):
                channel.queue_declare("new")
            self.assertTrue(channel.is_open)

    # The process

    def test_ctrl_c_ends_start_consuming_and_gives_messages_back(self):
        program = """
            import beltway.pika as pika
            channel = pika.BlockingConnection().channel()
            channel.queue_declare("held")
            channel.basic_consume("held", lambda ch, method, properties, body: print(body, flush=True))
            print("ready", flush=True)
            try:
                channel.start_consuming()
            except KeyboardInterrupt:
                print("interrupted")
            """
        process = self.start(program)
        self.assertEqual(process.stdout.readline(), "ready\n")
        self.channel.queue_declare("held")
        self.channel.basic_publish("", "held", "x")
        self.assertEqual(process.stdout.readline(), "b'x'\n")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.broker.finish(process), "interrupted\n")
        method, _, body = self.channel.basic_get("held", auto_ack=True)
        self.assertEqual((body, method.redelivered), (b"x", True))

    def test_signal_handler_may_stop_consuming_and_close(self):
        def handler(_number, _frame):
            end()
        previous = signal.signal(signal.SIGTERM, handler)
        self.addCleanup(signal.signal, signal.SIGTERM, previous)
        for queues in (1, 2):  # one is waited for in another way than several
            for action in ("stop_consuming", "close"):
                with self.subTest(queues=queues, action=action):
                    connection = pika.BlockingConnection()
                    channel = connection.channel()
                    for number in range(queues):
                        channel.queue_declare(f"stop{number}")
                        channel.basic_consume(f"stop{number}", print)
                    end = channel.stop_consuming if action == "stop_consuming" else connection.close
                    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
                    timer.start()
                    channel.start_consuming()
                    timer.join()
                    self.assertEqual((channel.consumer_tags, connection.is_open), ([], action == "stop_consuming"))
                    if connection.is_open:
                        connection.close()

    def test_runner_gives_our_modules_and_the_arguments(self):
        script = os.path.join(self.broker.folder, "script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent("""
                import sys
                import pika.exceptions
                from pika import BlockingConnection, spec
                from pika.adapters.blocking_connection import BlockingChannel
                from pika.channel import Channel
                from pika.exchange_type import ExchangeType
                import pika
                print(pika.__name__, sys.argv[1:], __name__, Channel is BlockingChannel, sys.path[0])
                assert pika.exceptions.AMQPError is __import__("beltway.pika").pika.exceptions.AMQPError
                with BlockingConnection() as connection:
                    print(connection.is_open)
                sys.exit(5)
                """))
        process = self.broker.spawn([pika_brokers.PYTHON, "-m", "beltway.pika", script, "a", "--b"], self.broker.script_env(),
                                    stdout=subprocess.PIPE, text=True)
        text = self.broker.finish(process)
        self.assertEqual(text, f"beltway.pika ['a', '--b'] __main__ True {self.broker.folder}\nTrue\n-- exit code 5\n")

    def test_closed_connection_leaves_no_endpoint_and_no_thread(self):
        link = beltway.connect()
        self.channel.queue_declare("left")
        self.channel.basic_consume("left", print)
        self.channel.basic_publish("", "left", "x")
        self.channel.basic_get("left")
        threads = threading.active_count()
        self.connection.close()
        self.assertTrue(eventually(lambda: not link.describe("left").endpoints))
        self.assertEqual(threading.active_count(), threads)
        link.close()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(110, exit=True)  # says where it hangs, before ctest ends it
    warnings.simplefilter("ignore", pika.IgnoredWarning)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
