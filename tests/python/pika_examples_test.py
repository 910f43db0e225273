"""The pattern programs do what they say: hello_send.py, hello_receive.py and hello_asyncio.py in examples/python.

usage: pika_examples_test.py PROGRAMS MODULES: the folders of beltwayd and of the package beltway.
"""

import faulthandler
import os
import signal
import subprocess
import sys
import unittest

import pika_brokers

PROGRAMS, MODULES = sys.argv[1:3]
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "python")


class PatternPrograms(unittest.TestCase):
    """Each test has a daemon of its own."""

    def setUp(self):
        self.broker = pika_brokers.Beltway(PROGRAMS, MODULES)
        self.addCleanup(self.broker.close)

    def start(self, name, *arguments):
        return self.broker.spawn([pika_brokers.PYTHON, os.path.join(EXAMPLES, name), *arguments], self.broker.script_env(),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def send(self):
        self.assertEqual(self.broker.finish(self.start("hello_send.py")), " [x] Sent 'Hello World!'\n")

    def test_receiver_prints_what_was_sent_before_and_after_its_start_until_ctrl_c(self):
        self.send()
        receiver = self.start("hello_receive.py")
        self.assertEqual(receiver.stdout.readline(), " [*] Waiting for messages. To exit press CTRL+C\n")
        self.assertEqual(receiver.stdout.readline(), " [x] Received Hello World!\n")
        self.send()
        self.assertEqual(receiver.stdout.readline(), " [x] Received Hello World!\n")
        receiver.send_signal(signal.SIGINT)
        self.assertEqual(self.broker.finish(receiver), "Interrupted\n")

    def test_coroutine_receives_beside_another_one(self):
        receiver = self.start("hello_asyncio.py", "2")
        self.assertEqual(receiver.stdout.readline(), " [*] Waiting for messages\n")
        self.send()  # the queue is declared only now
        self.send()
        lines = self.broker.finish(receiver).splitlines()
        self.assertEqual([line for line in lines if "Waiting" not in line], [" [x] Received Hello World!"] * 2)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(110, exit=True)  # says where it hangs, before ctest ends it
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
