"""The same scripts, unmodified, with pika against a real RabbitMQ and with beltway.pika against Beltway print the same.

usage: pika_oracle_test.py PROGRAMS MODULES: the folders of beltwayd and of the package beltway.
"""

import faulthandler
import importlib.util
import os
import sys
import unittest

import pika_brokers


def lines_of_scripts(broker, *scripts):
    """Runs scripts one after the other: each a tuple of its name and its arguments. Returns what each printed."""
    return [(script, broker.run_script(*script)) for script in scripts]


def after_line(broker, first, line, then):
    """Starts a script, runs others once it has printed a line, and returns what all of them printed."""
    process = broker.start_script(*first)
    seen = process.stdout.readline()
    if not seen.startswith(line):
        return [(first, seen + broker.finish(process))]
    others = then()
    return [(first, seen + broker.finish(process)), *others]


def shared_work(broker):
    """Two workers share tasks. Which of them gets which is not fixed, so their lines are sorted together."""
    workers = [broker.start_script("worker.py", "tasks") for _ in range(2)]
    for worker in workers:
        worker.stdout.readline()
    printed = lines_of_scripts(broker, ("new_tasks.py", 12))
    return [*printed, ("both workers", sorted("".join(broker.finish(worker) for worker in workers).splitlines()))]


def two_subscribers(broker):
    """Two subscribers of a fanout exchange get all messages."""
    subscribers = [broker.start_script("receive_logs.py") for _ in range(2)]
    first_lines = [each.stdout.readline() for each in subscribers]
    printed = lines_of_scripts(broker, ("emit_logs.py", "info", "warning", "end"))
    return [first_lines, *printed, *(broker.finish(each) for each in subscribers)]


def requests(broker):
    """A server answers a client."""
    return after_line(broker, ("rpc_server.py",), "waiting", lambda: lines_of_scripts(broker, ("rpc_client.py",)))


SCENARIOS = {
    "hello": lambda broker: lines_of_scripts(broker, ("send.py",), ("receive.py",)),
    "dead_worker": lambda broker: lines_of_scripts(broker, ("new_tasks.py", 7), ("dying_worker.py",), ("worker.py", "tasks")),
    "shared_work": shared_work,
    "requeue": lambda broker: lines_of_scripts(broker, ("requeue.py",)),
    "two_subscribers": two_subscribers,
    "fanout": lambda broker: lines_of_scripts(broker, ("fanout.py",)),
    "generator": lambda broker: lines_of_scripts(broker, ("generator.py",)),
    "events": lambda broker: lines_of_scripts(broker, ("events.py",)),
    "callback_errors": lambda broker: lines_of_scripts(broker, ("callback_errors.py",)),
    "errors": lambda broker: lines_of_scripts(broker, ("errors.py",)),
    "properties": lambda broker: lines_of_scripts(broker, ("properties.py",)),
    "lifetimes": lambda broker: lines_of_scripts(broker, ("lifetimes.py",)),
    "requests": requests,
}


class Oracle(unittest.TestCase):
    """One start of each broker for all scenarios."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.brokers = []
        if not os.path.exists(pika_brokers.RABBITMQ) or importlib.util.find_spec("pika") is None:
            print("SKIPPED: THE ORACLE OF beltway.pika NEEDS rabbitmq-server AND python3-pika: NOT INSTALLED", flush=True)
            raise unittest.SkipTest("rabbitmq-server and python3-pika are not both installed")
        cls.addClassCleanup(lambda: [broker.close() for broker in cls.brokers])
        cls.brokers.append(pika_brokers.Beltway(PROGRAMS, MODULES))
        cls.brokers.append(pika_brokers.RabbitMq())

    def compare(self, scenario):
        """Beltway prints what RabbitMQ prints, and no script of RabbitMQ failed but those that are killed."""
        beltway, rabbitmq = (scenario(broker) for broker in self.brokers)
        self.assertEqual(rabbitmq, beltway)
        self.assertNotIn("Traceback", str(rabbitmq))


def _add_tests():
    for name, scenario in SCENARIOS.items():
        def test(self, scenario=scenario):
            self.compare(scenario)
        setattr(Oracle, f"test_{name}_prints_what_rabbitmq_prints", test)


_add_tests()

if __name__ == "__main__":
    faulthandler.dump_traceback_later(290, exit=True)  # says where it hangs, before ctest ends it
    PROGRAMS, MODULES = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
