"""What Python offers has the names of the library, and types, docstrings and errors that fit."""

import datetime
import importlib
import inspect

import json
import os
import pathlib
import pydoc
import subprocess
import sys
import time
import unittest

import beltway
from beltway import aio
from support import PROGRAMS, SOURCES, DaemonTest, main

SANITIZED = "BELTWAY_TEST_SANITIZED" in os.environ


def output(*command):
    """What a program that is no Python prints: it needs no sanitizer's runtime first."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def option_table():
    return json.loads(output(PROGRAMS / "option_table"))


class Names(unittest.TestCase):
    @unittest.skipUnless((PROGRAMS / "option_table").exists(), "this build has no program option_table")
    def test_options_have_the_names_of_the_library(self):
        table = option_table()
        self.assertGreater(len(table), 40)

        def names(of):
            return [row["name"] for row in table if row["of"] == of]

        def options(function):
            return [name for name, each in inspect.signature(function).parameters.items()
                    if each.kind is each.KEYWORD_ONLY]

        self.assertEqual(options(beltway.Connection.declare), names("queue"))
        self.assertEqual(options(beltway.Connection.declare_some), names("queue"))
        self.assertEqual(options(beltway.Queue.producer), names("producer"))
        self.assertEqual(options(beltway.Queue.consumer), names("consumer"))
        self.assertEqual(options(aio.Connection.declare), names("queue"))
        self.assertEqual(options(aio.Connection.declare_some), names("queue"))
        self.assertEqual(options(aio.Queue.producer), names("producer"))
        self.assertEqual(options(aio.Queue.consumer), names("consumer"))
        self.assertEqual(list(inspect.signature(beltway.NamedGroup).parameters), ["name", *names("group")])

    @unittest.skipUnless((PROGRAMS / "option_table").exists(), "this build has no program option_table")
    def test_errors_have_the_names_of_the_library(self):
        outcomes = output(PROGRAMS / "option_table", "--outcomes")
        reasons = {each.reason for each in vars(beltway.errors).values()
                   if isinstance(each, type) and each not in (beltway.Error, beltway.Timeout, beltway.EndOfStream)}
        for reason in reasons:
            self.assertIn(reason, outcomes)
            name = "".join(part.capitalize() for part in reason.split("_"))
            self.assertTrue(issubclass(getattr(beltway, name), beltway.Error), name)
        self.assertEqual(len(reasons), 16)

    def test_calls_of_aio_are_those_of_the_package_with_the_same_parameters(self):
        def parameters(call):
            # A builtin and a function of Python differ in what is positional only, and in how a missing option is shown.
            return [(name, each.default if each.default is not ... else None) for name, each in
                    inspect.signature(call).parameters.items()]

        for name in ("Connection", "Queue"):
            ours, theirs = getattr(beltway, name), getattr(aio, name)
            calls = {each for each in vars(ours) if not each.startswith("_")}
            self.assertEqual({each for each in vars(theirs) if not each.startswith("_")}, calls)
            for each in calls:
                if callable(getattr(ours, each)):
                    self.assertEqual(parameters(getattr(theirs, each)), parameters(getattr(ours, each)), f"{name}.{each}")
        self.assertEqual(parameters(aio.connect), parameters(beltway.connect))

    def test_everything_public_has_a_docstring(self):
        for module in (beltway, aio, beltway.errors, beltway.info, beltway.properties):
            self.assertTrue(module.__doc__)
            for name, each in vars(module).items():
                if name.startswith("_") or not getattr(each, "__module__", "").startswith("beltway"):
                    continue
                self.assertTrue(inspect.getdoc(each), name)
                for member, value in vars(each).items() if isinstance(each, type) else ():
                    if callable(value) and not member.startswith("_"):
                        self.assertTrue(inspect.getdoc(value), f"{name}.{member}")

    def test_help_shows_names_and_their_arguments(self):
        text = pydoc.plain(pydoc.render_doc(beltway))
        for wanted in ("class Consumer", "receive(self, /, timeout=None)", "connect(socket='', *, start_daemon=True",
                       "Message queues in shared memory", "class EndOfStream"):
            self.assertIn(wanted, text.replace("receive(self, timeout=None)", "receive(self, /, timeout=None)"))
        self.assertLess(max(map(len, inspect.getdoc(beltway).splitlines())), 140)

    @unittest.skipIf(SANITIZED, "this build changes no types")
    def test_stubs_are_strict_and_true(self):
        try:
            importlib.import_module("mypy")
        except ImportError:
            self.skipTest("mypy is not installed")
        package = pathlib.Path(beltway.__file__).parent
        cache = ["--cache-dir", os.environ.get("BELTWAY_TEST_BUILD", "/tmp") + "/mypy"]
        program = SOURCES / "tests/python/typed_program.py"
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", *cache, "-p", "beltway"],
            cwd=package.parent, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", *cache, str(program)],
            env={**os.environ, "MYPYPATH": str(package.parent)}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = subprocess.run(
            [sys.executable, "-m", "mypy.stubtest", "beltway", "--ignore-missing-stub", "--ignore-unused-allowlist",
             "--allowlist", str(SOURCES / "tests/python/stubs_allowed.txt")],
            env={**os.environ, "MYPYPATH": str(package.parent)}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_module_is_of_the_stable_interface_and_shows_nothing_else(self):
        package = pathlib.Path(beltway.__file__).parent
        module = package / "_beltway.abi3.so"
        shown = {line.split()[-1] for line in output("nm", "-D", "--defined-only", module).splitlines()}
        if not SANITIZED:
            self.assertEqual(shown, {"PyInit__beltway"})
        needed = {line.split()[-1] for line in output("nm", "-D", "--undefined-only", module).splitlines()}
        self.assertEqual([each for each in needed if each.startswith("_Py_") and "Object" in each], [])
        self.assertNotIn("numpy", sys.modules.keys() - self.numpy_before)

    numpy_before = set(sys.modules) - {each for each in sys.modules if each.startswith("numpy")}


class Errors(DaemonTest):
    def test_errors_carry_the_text_of_the_library_and_a_class_by_reason(self):
        queue = self.declare(slots=64)
        cases = [
            (beltway.NotFound, LookupError, "there is no such queue; declare it first",
             lambda: self.link.open_queue("no-such-queue")),
            (beltway.AlreadyExists, Exception, "slots 64, not 128", lambda: self.link.declare(queue.name, slots=128)),
            (beltway.InvalidOption, ValueError, "power of two", lambda: self.link.declare("x", slots=100)),
            (beltway.InvalidOption, ValueError, "name", lambda: self.link.declare("no spaces please")),
            (beltway.InvalidOption, ValueError, 'wait must be one of "adaptive", "spin", "sleep"',
             lambda: queue.consumer(wait="spinning")),
            (beltway.InvalidOption, ValueError, "whole number of milliseconds",
             lambda: self.link.declare("x", evict_after=0.0105)),
            (beltway.InvalidOption, ValueError, "below 2\\^32", lambda: self.link.declare("x", slots=1 << 40)),
            (beltway.InvalidOption, ValueError, "0 to 2\\^64", lambda: self.link.declare("x", slots=-1)),
            (beltway.NotFound, LookupError, "group", lambda: queue.consumer(group="no-such-group")),
            (beltway.NoDaemon, ConnectionError, "no-daemon-here",
             lambda: beltway.connect("/tmp/no-daemon-here", timeout=0.1)),
            (beltway.Misuse, RuntimeError, "name", lambda: queue.producer().publish(b"", sequence=1)),
        ]
        for error, base, text, call in cases:
            with self.assertRaisesRegex(error, text) as caught:
                call()
            self.assertIsInstance(caught.exception, base)
            self.assertIsInstance(caught.exception, beltway.Error)

    def test_wrong_arguments_say_what_is_right(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        cases = [
            ('no option "slot"; it has: slots, slot_bytes', lambda: self.link.declare("x", slot=1)),
            ('takes the name of a queue', lambda: self.link.declare()),
            ("slots must be int, not str", lambda: self.link.declare("x", slots="many")),
            ("discard must be bool, not int", lambda: self.link.declare("x", discard=1)),
            ('must be a list, as \\["billing"\\], not a str', lambda: self.link.declare("x", groups="billing")),
            ("a group must be a str or a beltway.NamedGroup", lambda: self.link.declare("x", groups=[1])),
            ("options by their names only", lambda: queue.consumer("billing")),
            ('publish\\(\\) needs the argument "message"', lambda: producer.publish()),
            ('no argument "time"; it has: message, timeout', lambda: producer.publish(b"", time=1)),
            ("at most 1 arguments without a name, not 2", lambda: producer.publish(b"", 1)),
            ('two values for "message"', lambda: producer.publish(b"", message=b"")),
            ("count must be int, not str", lambda: consumer.receive_many("all")),
            ("cannot create 'beltway.Message' instances", lambda: beltway.Message()),
            ("pickle", lambda: __import__("pickle").dumps(consumer)),
            ("not an acceptable base type", lambda: type("Mine", (beltway.Consumer,), {})),
        ]
        for text, call in cases:
            with self.assertRaisesRegex(TypeError, text):
                call()

    def test_closed_objects_say_so(self):
        queue = self.declare()
        with queue.producer() as producer, queue.consumer() as consumer:
            producer.publish(b"held")
            message = consumer.receive(5)
        with self.assertRaisesRegex(beltway.Misuse, "the producer is closed"):
            producer.publish(b"")
        with self.assertRaisesRegex(beltway.Misuse, "the consumer is closed"):
            consumer.receive()
        self.assertEqual(message.bytes(), b"held")
        self.assertTrue(message.ack())
        with beltway.connect() as link:
            pass
        with self.assertRaisesRegex(beltway.Misuse, "the connection is closed"):
            link.list()


class Administration(DaemonTest):
    def test_options_come_back_as_they_were_said(self):
        said = dict(slots=256, slot_bytes=64, lane_bytes=8192, max_producers=2, max_consumers=3, max_groups=4, mode=0o640,
                    fence="symmetric", evict_after=5.0, retry_delay=0.25, retry_delay_max=2.5, max_deliveries=7,
                    discard=True, ttl=60.0, lease_timeout=1.5, drop_oldest=9, stamps="fine", max_parked=12,
                    type=("tests.Order.1", 16, 8), description="for tests", expire_after=100.0)
        queue = self.declare(groups=["plain", beltway.NamedGroup("own", retry_delay=0, drop_oldest=3)], **said)
        options = queue.options
        for name, value in said.items():
            self.assertEqual(options[name], value, name)
        self.assertEqual([group.name for group in options["groups"]], ["plain", "own"])
        self.assertEqual(options["groups"][1], beltway.NamedGroup("own", retry_delay=0.0, drop_oldest=3))
        self.assertEqual(self.link.declare(queue.name).id, queue.id)
        self.assertEqual(self.link.describe(queue.name).options, options)

    def test_declare_some_changes_what_may_change(self):
        queue = self.declare()
        declared = self.link.declare_some(queue.name, retry_delay=2, groups=["late"])
        self.assertFalse(declared.created)
        self.assertEqual([(each.option, each.old, each.new) for each in declared.changed],
                         [("retry_delay_ms", "1", "2000")])
        self.assertEqual(declared.queue.describe().options["retry_delay"], 2.0)
        self.assertEqual([group.name for group in declared.queue.options["groups"]], ["late"])

    def test_groups_can_be_made_paused_reset_purged_and_removed(self):
        queue = self.declare(stamps="fine")
        queue.add_group("workers")
        queue.add_group(beltway.NamedGroup("others", max_deliveries=3, discard=True))
        producer = queue.producer()
        producer.publish_many([b"%d" % i for i in range(5)])
        time.sleep(0.02)
        between = datetime.datetime.now(datetime.timezone.utc)
        time.sleep(0.02)
        producer.publish_many([b"%d" % i for i in range(5, 10)])
        queue.pause_group("workers")
        consumer = queue.consumer(group="workers")
        self.assertIsNone(consumer.receive(0.02))
        self.assertGreaterEqual(queue.describe().paused[0].paused_for, 0)
        queue.resume_group("workers")
        self.assertEqual(len(consumer.receive_many_bytes(10, 5)), 10)
        reset = queue.reset_group("workers", 4)
        self.assertEqual((reset.position, reset.restored), (4, 6))
        self.assertEqual(consumer.receive_bytes(5), b"4")
        message = consumer.receive(5)
        self.assertEqual(queue.reset_group("workers", between).position, 5)
        self.assertEqual(queue.reset_group("workers", "latest").position, 10)
        self.assertTrue(message.ack())
        with self.assertRaisesRegex(beltway.NotFound, "no consumer 7"):
            queue.evict(7)
        self.assertEqual(queue.purge("others").purged, 10)
        self.assertEqual([each.bytes for each in queue.peek(2, max_bytes=1)], [b"0", b"1"])
        self.assertIsNone(queue.peek(1)[0].deliveries)
        self.assertEqual([each.position for each in queue.peek(2, from_=7)], [7, 8])
        self.assertEqual(queue.peek(2, from_=10), [])
        self.assertEqual(queue.peek(1, from_=None)[0].position, 0)
        with self.assertRaisesRegex((TypeError, beltway.InvalidOption), "from_"):
            queue.peek(1, from_="7")
        queue.remove_group("others")
        self.assertEqual([group.name for group in queue.snapshot().groups], ["workers"])
        with self.assertRaises(beltway.InvalidOption):
            queue.reset_group("workers", 1 << 40)

    def test_counters_and_states_tell_what_happened(self):
        queue = self.declare(groups=["workers"])
        with queue.producer() as producer, queue.consumer(group="workers") as consumer:
            producer.publish(b"four")
            message = consumer.receive(5)
            state = queue.snapshot()
            self.assertEqual((state.position, state.groups[0].leased, state.producers[0].endpoint.pid),
                             (1, 1, os.getpid()))
            message.ack()
            self.assertEqual((producer.counters().messages, producer.counters().bytes), (1, 4))
            self.assertEqual(consumer.counters().acks, 1)
            self.assertEqual((producer.index, producer.queue_name), (0, queue.name))
            self.assertEqual((consumer.index, consumer.group, consumer.reattached), (0, "workers", 0))
        self.assertIn(queue.name, repr(queue))
        self.assertIn(queue.name, [each.name for each in self.link.list()])
        self.assertEqual(self.link.ping().socket, self.socket)

    def test_eviction_is_told_and_reattach_goes_on(self):
        queue = self.declare(slots=4, max_parked=0, groups=["workers"], evict_after=0.05)
        consumer = queue.consumer(group="workers")
        producer = queue.producer()
        producer.publish_many([b"%d" % i for i in range(4)])
        slow = consumer.receive(5)
        others = queue.consumer(group="workers", reattach=True)
        self.assertEqual(len(others.receive_many_bytes(3, 5)), 3)
        deadline = time.monotonic() + 20
        published = 4
        while time.monotonic() < deadline and slow.still_held():
            published += producer.try_publish(b"more")
            others.receive_many_bytes(64, 0.01)
        self.assertFalse(slow.ack())
        with self.assertRaises(beltway.Evicted):
            consumer.receive(5)


if __name__ == "__main__":
    main()
