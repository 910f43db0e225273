"""Parameters of beltway.pika are checked as pika checks them: a mistake is an error, not a value that is ignored.

usage: pika_parameters_test.py PROGRAMS MODULES: the folders of beltwayd and of the package beltway. Debian's python3-pika is the
oracle, if it is there.
"""

import sys
import unittest

sys.path.insert(0, sys.argv[2])

import beltway.pika as ours  # noqa: E402: from the folder of the command line

try:
    import pika as theirs
except ImportError:
    theirs = None
    print("NOT TESTED: whether the checks are those of pika needs python3-pika")


def outcome(module, name, value):
    """What the parameter is, or the type of the error."""
    try:
        return getattr(module.ConnectionParameters(**{name: value}), name)
    except Exception as error:  # noqa: BLE001: any type is a result here
        return type(error)


RIGHT = {
    "host": ["localhost", ""], "port": [5672, "5672", 0, 1.5], "virtual_host": ["/", "test"], "channel_max": [1, 65535],
    "frame_max": [4096, 131072], "heartbeat": [0, 60, None, max], "connection_attempts": [1, 3], "retry_delay": [0, 0.5],
    "socket_timeout": [0.1, 5, None], "stack_timeout": [15, None], "locale": ["en_US"],
    "blocked_connection_timeout": [0, 1.5, None], "client_properties": [{}, None], "tcp_options": [{}, None],
}
WRONG = {
    "host": [None, 1, b"localhost"], "port": [None, "amqp", []], "virtual_host": [None, 7],
    "credentials": [None, "guest", ("a", "b")],
    "channel_max": [0, 65536, "1", None], "frame_max": [4095, 131073, "x"], "heartbeat": [-1, 1.5, "60"],
    "connection_attempts": [0, -1, 1.5, "x", None], "retry_delay": ["x", None], "socket_timeout": [0, -1, "x"],
    "stack_timeout": [0, "x"], "locale": [None, 1], "blocked_connection_timeout": [-1, "60"], "client_properties": [1, "x"],
    "tcp_options": [1, []],
}


def each(table):
    """Each name with each of its values."""
    return [(name, value) for name, values in table.items() for value in values]


class Parameters(unittest.TestCase):
    def test_right_values_are_taken(self):
        for name, value in each(RIGHT):
            self.assertEqual(outcome(ours, name, value), int(value) if name == "port" else value, f"{name}={value!r}")

    def test_wrong_values_are_errors_that_name_the_parameter_and_the_value(self):
        for name, value in each(WRONG):
            with self.assertRaisesRegex((TypeError, ValueError), f"^{name} must be .*but got ") as caught:
                ours.ConnectionParameters(**{name: value})
            self.assertIn(repr(value), str(caught.exception))

    def test_wrong_values_are_errors_of_an_assignment_and_of_a_url_too(self):
        parameters = ours.ConnectionParameters()
        with self.assertRaises(TypeError):
            parameters.port = "amqp"
        self.assertEqual(parameters.port, 5672)
        with self.assertRaises(ValueError):
            ours.URLParameters("amqp://localhost/?heartbeat=-1")
        with self.assertRaises(ValueError):
            ours.URLParameters("amqp://localhost/?blocked_connection_timeout=nan")

    def test_a_pause_below_zero_is_an_error_before_the_connection_fails(self):
        with self.assertRaises(ValueError):
            ours.ConnectionParameters(retry_delay=-1)

    @unittest.skipIf(theirs is None, "no python3-pika")
    def test_pika_takes_and_refuses_the_same_values(self):
        for name, value in [*each(RIGHT), *each(WRONG)]:
            self.assertEqual(outcome(ours, name, value), outcome(theirs, name, value), f"{name}={value!r}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
