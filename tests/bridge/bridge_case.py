"""A test of the bridge: a RabbitMQ and a daemon for all tests of a class, and a round trip of numbers."""

import faulthandler
import hashlib
import importlib.util
import os
import signal
import sys
import time
import unittest

from bridge_support import ALL_MESSAGES_S, MESSAGES, Bridge, Machine, pika_brokers, wait_until

PROGRAMS = sys.argv[1] if len(sys.argv) > 1 else ""


def digest_of(numbers):
    return hashlib.sha256("".join(f"{number}\n" for number in numbers).encode()).hexdigest()


class WithServer(unittest.TestCase):
    """One RabbitMQ and one daemon for all tests; each test has queues of its own."""

    @classmethod
    def setUpClass(cls):
        missing = not os.path.exists(pika_brokers.RABBITMQ) or importlib.util.find_spec("pika") is None
        if missing:
            print("SKIPPED: THE BRIDGE'S TESTS NEED rabbitmq-server AND python3-pika: NOT INSTALLED", flush=True)
            raise unittest.SkipTest("rabbitmq-server and python3-pika are not both installed")
        cls.server = cls.start_server()
        cls.addClassCleanup(cls.server.close)
        cls.machine = Machine(PROGRAMS)
        cls.addClassCleanup(cls.machine.close)

    @classmethod
    def start_server(cls):
        return pika_brokers.RabbitMq()

    def setUp(self):
        self.bridges = []
        self.addCleanup(self.end_bridges)
        start = time.monotonic()
        self.addCleanup(lambda: print(f"{time.monotonic() - start:.1f} s", flush=True))
        self.test_name = self.id().rsplit(".", 1)[-1].replace("test_", "")[:40]

    def end_bridges(self):
        for bridge in self.bridges:
            if bridge.process.poll() is None:
                bridge.process.send_signal(signal.SIGCONT)
                bridge.kill()
            bridge_log = os.path.join(self.machine.folder, f"{bridge.name}.output")
            for leftover in (f"bridge.{bridge.name}.json", f"bridge.{bridge.name}.lock", bridge_log):
                path = os.path.join(self.machine.folder, leftover)
                if os.path.exists(path):
                    os.remove(path)

    def channel(self):
        import pika
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.server.port, heartbeat=0))

        def close():
            try:
                connection.close()
            except pika.exceptions.AMQPError:
                pass  # the test has killed the server
        self.addCleanup(close)
        return connection.channel()

    def remote_queue(self, name, **arguments):
        self.channel().queue_declare(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})
        return name

    def bridge(self, *flags, port=None, **how):
        bridge = Bridge(self.machine, port or self.server.port, *flags, name=how.pop("name", self.test_name), **how)
        self.bridges.append(bridge)
        return bridge

    def round_trip(self, faults=None, messages=MESSAGES, flags=(), **how):
        """Numbers from one local queue over the server to another local queue, while faults(bridge, reader, there) makes faults.
        They must arrive once each, and in their order. Returns both routes at the end."""
        name = self.test_name
        here, there = f"{name}.here", f"{name}.there"
        self.machine.declare(here, groups=("bridge",))
        self.machine.declare(there, groups=("check",))
        self.remote_queue(name)
        bridge = self.bridge("--out", f"{here}={name}", "--in", f"{name}={there}", *flags, **how)
        bridge.wait_for(lambda routes: all(route["state"] == "running" for route in routes), "running")
        reader = self.machine.start_reading(there, "check", messages)
        publisher = self.machine.start_publishing(here, messages)
        if faults:
            faults(bridge, reader, there)
        numbers = self.machine.numbers_of(reader)
        self.assertEqual(publisher.wait(), 0)
        self.check_numbers(numbers, messages)
        out, back = bridge.wait_for(
            lambda routes: all(route["in_flight"] == 0 and route["state"] == "running" for route in routes), "all confirmed")
        print(f"{name}: {out['duplicates']} sent again, {back['duplicates']} recognised by the last bridge", flush=True)
        wait_until(lambda: self.machine.depth(here, "bridge") == 0, "nothing is left here")
        wait_until(lambda: self.channel().queue_declare(name, passive=True).method.message_count == 0, "nor at the server")
        self.assertEqual(bridge.stop(), 0)
        self.assertEqual(self.machine.numbers_now(there, "check"), [])
        return out, back

    def check_numbers(self, numbers, messages):
        wanted = range(1, messages + 1)
        lost = len(set(wanted) - set(numbers))
        twice = len(numbers) - len(set(numbers))
        self.assertEqual((lost, twice), (0, 0), "lost, twice")
        self.assertEqual(digest_of(numbers), digest_of(wanted), "the order")

    def restart_bridge(self, bridge):
        """A new process after SIGKILL."""
        bridge.kill()
        bridge.start()

    def stop_for_a_moment(self, pid):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(pid, signal.SIGCONT)

    def restart_server(self):
        """Another server process after SIGKILL."""
        self.server.kill_server()
        self.server.start_server()


def main():
    # Says where it hangs, before ctest ends it.
    faulthandler.dump_traceback_later(290 if MESSAGES <= 20_000 else 3 * ALL_MESSAGES_S, exit=True)
    unittest.main("__main__", argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
