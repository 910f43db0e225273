"""The soak of languages counts what each language published and acknowledged, and fails if one did nothing."""

import unittest

from languages_soak import Shares


class Actor:
    """An actor with this log."""

    def __init__(self, language, *lines):
        self.language, self.log = language, lines

    def lines(self):
        return self.log


class SharesOfLanguages(unittest.TestCase):
    def test_published_is_what_was_committed(self):
        shares = Shares(["C", "Python"])
        shares.add_round([Actor("C", ("b", 0), ("c", 0), ("b", 1)), Actor("Python", ("b", 0), ("c", 0))], [])
        self.assertEqual(shares.published, {"C": 1, "Python": 1})

    def test_message_is_acknowledged_by_who_got_it_last(self):
        shares = Shares(["C", "Python"])
        workers = [Actor("C", ("s", 0, 7, 1), ("s", 0, 8, 1)), Actor("Python", ("s", 0, 7, 2))]
        shares.add_round([], workers)
        shares.add_round([], workers)
        self.assertEqual(shares.acknowledged, {"C": 2, "Python": 2})

    def test_language_that_published_or_acknowledged_nothing_is_named(self):
        shares = Shares(["C", "Node", "Python"])
        shares.add_round([Actor("C", ("b", 0), ("c", 0)), Actor("Node", ("b", 0))], [])
        with self.assertRaisesRegex(AssertionError, "published nothing: the actors in Node, Python"):
            shares.check()
        shares.add_round([Actor(name, ("c", 1)) for name in ("Node", "Python")], [Actor("Node", ("s", 0, 0, 1))])
        with self.assertRaisesRegex(AssertionError, "acknowledged nothing: the actors in C, Python"):
            shares.check()
        shares.add_round([], [Actor("C", ("s", 0, 0, 1)), Actor("Python", ("s", 1, 0, 1))])
        shares.check()


if __name__ == "__main__":
    unittest.main(verbosity=2)
