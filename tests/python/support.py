"""What the tests of the Python package share: a daemon of their own, and a time limit."""

import faulthandler
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import beltway

PROGRAMS = pathlib.Path(os.environ["BELTWAY_TEST_PROGRAMS"])
SOURCES = pathlib.Path(__file__).resolve().parents[2]

# Says where a test hangs, before ctest ends it.
faulthandler.dump_traceback_later(float(os.environ.get("BELTWAY_TEST_SECONDS", "100")), exit=True)


class DaemonTest(unittest.TestCase):
    """Each class has a daemon of its own, on a socket in a directory of its own; both end with it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="beltway-python-"))
        cls.socket = str(cls.folder / "socket")
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        cls.log = open(cls.folder / "log", "w+")
        cls.daemon = subprocess.Popen(
            [PROGRAMS / "beltwayd", "--no-keeper", "--socket", cls.socket],
            stdin=subprocess.DEVNULL, stdout=cls.log, stderr=cls.log, env=environment)
        cls.addClassCleanup(cls.end_daemon)
        os.environ["BELTWAY_SOCKET"] = cls.socket
        deadline = time.monotonic() + 20
        while not os.path.exists(cls.socket):
            assert cls.daemon.poll() is None and time.monotonic() < deadline, (cls.folder / "log").read_text()
            time.sleep(0.005)
        cls.link = beltway.connect()

    @classmethod
    def end_daemon(cls):
        if hasattr(cls, "link"):
            del cls.link
        cls.daemon.terminate()
        try:
            code = cls.daemon.wait(20)
        except subprocess.TimeoutExpired:
            cls.daemon.kill()
            cls.daemon.wait()
            raise
        finally:
            cls.log.close()
            shutil.rmtree(cls.folder)
        assert code == 0, f"the daemon ended with {code}"

    def declare(self, **options):
        """A new queue with the name of the test."""
        return self.link.declare(self.id().rsplit(".", 1)[-1] + f"-{time.monotonic_ns()}", **options)

    def run_python(self, source, *arguments, code=0, timeout=60):
        """Runs a program of Python; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(source), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def start_python(self, source, *arguments):
        """Starts a program of Python, with a pipe from its output."""
        child = subprocess.Popen(
            [sys.executable, "-u", "-c", textwrap.dedent(source), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(end_child, child)
        return child


def end_child(child):
    if child.poll() is None:
        child.kill()
    child.wait()
    child.stdout.close()


def main():
    unittest.main(verbosity=2)
