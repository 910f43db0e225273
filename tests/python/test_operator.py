"""What an operator asks for: events, single messages, a daemon that is stopped; and what another user may not have."""

import asyncio
import os
import signal
import threading
import time
import traceback
import unittest

import beltway
from beltway import aio
from support import DaemonTest, main

NOBODY = 65534


class Events(DaemonTest):
    def test_events_tell_the_life_of_a_queue_in_order_and_in_pages(self):
        queue = self.declare(groups=["g"])
        queue.producer().close()
        page = self.link.events()
        self.assertIsInstance(page, beltway.EventPage)
        told = [each for each in page.events if each.queue == queue.name]
        self.assertEqual([each.kind for each in told[:2]], ["declared", "attached"])
        self.assertEqual((told[1].role, told[1].pid, told[1].uid, told[1].index),
                         ("producer", os.getpid(), os.getuid(), 0))
        self.assertEqual((told[0].queue_id, told[0].group, told[0].messages), (queue.id, "", 0))
        self.assertTrue(told[1].command)
        self.assertLessEqual(told[1].monotonic_ns, time.monotonic_ns())
        self.assertLess(abs(told[1].time_ns - time.time_ns()), 60_000_000_000)
        self.assertEqual((page.first, page.more), (1, False))
        self.assertEqual(page.next, page.last + 1)
        first = self.link.events(0, count=1)
        self.assertEqual(([each.sequence for each in first.events], first.next, first.more), ([1], 2, True))
        self.assertEqual(first.journal, page.journal)
        second = self.link.events(first.next, count=1)
        self.assertEqual([each.sequence for each in second.events], [2])
        self.assertEqual(self.link.events(since=self.link.events().next, count=1 << 40).events, [])

    def test_events_refuse_what_is_no_number(self):
        with self.assertRaisesRegex(TypeError, "since must be int"):
            self.link.events("all")
        with self.assertRaises(beltway.InvalidOption):
            self.link.events(-1)
        with self.assertRaisesRegex(TypeError, "at most 1 arguments"):
            self.link.events(0, 10)


class OneMessage(DaemonTest):
    def queue(self, *messages, **options):
        queue = self.declare(groups=["g"], **options)
        with queue.producer() as producer:
            producer.publish_many(messages)
        return queue

    def drain(self, queue):
        with queue.consumer(group="g", end_of_stream="drained", ack="automatic") as consumer:
            return [message.bytes() for message in consumer]

    def test_acknowledged_message_is_gone_and_the_others_stay(self):
        queue = self.queue(b"0", b"1", b"2")
        self.assertIsNone(queue.ack_message("g", 1))
        for group, position in (("g", 1), ("g", 3), ("h", 0)):
            with self.assertRaises(beltway.NotFound):
                queue.ack_message(group, position)
        self.assertEqual(self.drain(queue), [b"0", b"2"])

    def test_held_message_is_refused_and_its_holder_is_named(self):
        queue, other = self.queue(b"held"), self.queue()
        consumer = queue.consumer(group="g")
        message = consumer.receive(20)
        for act in (lambda: queue.ack_message("g", 0), lambda: queue.move_message("g", 0, other)):
            with self.assertRaisesRegex(beltway.Misuse, f"is held by consumer 0 .*process {os.getpid()}"):
                act()
        self.assertTrue(message.ack())

    def test_message_moves_with_its_properties(self):
        queue, other = self.queue(b"good"), self.queue()
        with queue.producer() as producer:
            producer.publish(b"poison", properties=beltway.Properties(key="k-7"))
        self.assertIsNone(queue.move_message("g", 1, other))
        with self.assertRaises(beltway.NotFound):
            queue.move_message("g", 1, other)
        with other.consumer(group="g") as consumer:
            message = consumer.receive(20)
            self.assertEqual((message.bytes(), message.properties.key), (b"poison", "k-7"))
            message.ack()
        self.assertEqual(self.drain(queue), [b"good"])

    def test_move_to_a_queue_that_stays_full_is_a_timeout_and_the_message_stays(self):
        queue, full = self.queue(b"stays"), self.queue(b"0", b"1", slots=2)
        with self.assertRaisesRegex(beltway.Timeout, "move a message to"):
            queue.move_message("g", 0, full, timeout=0.02)
        with queue.consumer(group="g") as consumer:
            message = consumer.receive(20)
            self.assertEqual((message.bytes(), message.deliveries), (b"stays", 1))
            message.ack()

    def test_signal_ends_a_move_that_waits_if_its_handler_raises_and_else_the_move_goes_on(self):
        queue, full = self.queue(b"moves"), self.queue(b"0", b"1", slots=2)
        came = []
        answers = iter([None, KeyboardInterrupt])

        def handle(_number, _frame):
            came.append(time.monotonic())
            if (answer := next(answers)) is not None:
                raise answer

        before = signal.signal(signal.SIGUSR1, handle)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        ended = threading.Event()

        def send_signals():
            # Each signal finds the move at its wait: the message is kept from consumers then.
            while not ended.wait(0.05):
                if queue.snapshot().groups[0].delayed == 1 and len(came) < 2:
                    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

        sender = threading.Thread(target=send_signals)
        sender.start()
        try:
            with self.assertRaises(KeyboardInterrupt):
                queue.move_message("g", 0, full)
        finally:
            ended.set()
            sender.join()
        self.assertEqual(len(came), 2)
        self.assertEqual(self.drain(full), [b"0", b"1"])
        self.assertEqual(self.drain(queue), [b"moves"])

    def test_target_of_a_move_is_another_queue(self):
        queue = self.queue(b"0")
        with self.assertRaisesRegex(TypeError, "target must be a beltway.Queue"):
            queue.move_message("g", 0, "other")
        with self.assertRaisesRegex(beltway.InvalidOption, "same queue"):
            queue.move_message("g", 0, queue)
        with self.assertRaisesRegex(TypeError, 'needs the argument "target"'):
            queue.move_message("g", 0)
        with self.assertRaisesRegex(TypeError, 'needs the argument "position"'):
            queue.ack_message("g")

    def test_the_same_calls_may_be_awaited(self):
        queue, other = self.queue(b"0", b"1", b"2", b"3"), self.queue()

        async def body():
            async with aio.connect(stopped_timeout=5) as link:
                origin = await link.open_queue(queue.name)
                await origin.ack_message("g", 0)
                await origin.move_message("g", 1, await link.open_queue(other.name))
                await origin.move_message("g", 2, other, timeout=5)
                page = await link.events()
                # The producer that the move needed may have left before the daemon wrote that down, or after it.
                self.assertIn("moved", [each.kind for each in page.events])
                self.assertEqual(len((await link.events(page.last, count=1)).events), 1)

        asyncio.run(body())
        self.assertEqual(self.drain(queue), [b"3"])
        self.assertEqual(self.drain(other), [b"1", b"2"])


class StoppedDaemon(DaemonTest):
    def test_stopped_daemon_is_given_up_after_its_own_time(self):
        hasty = beltway.connect(timeout=60, stopped_timeout=0.01)
        pid = hasty.ping().pid
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        os.kill(pid, signal.SIGSTOP)
        with self.assertRaisesRegex(beltway.NoDaemon, f"is stopped.*kill -CONT {pid}"):
            hasty.list()
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(hasty.list(), [])
        self.assertEqual(beltway.connect(stopped_timeout=None).list(), [])
        with self.assertRaisesRegex(TypeError, "stopped_timeout must be seconds"):
            beltway.connect(stopped_timeout="soon")


@unittest.skipUnless(os.getuid() == 0, "only root can become another user")
class AnotherUser(DaemonTest):
    def as_nobody(self, body):
        """Runs it in a child that is nobody. The child is a fork: nobody may not be able to read the module's file."""
        os.chmod(self.folder, 0o755)
        child = os.fork()
        if child == 0:
            try:
                os.chdir(self.folder)  # the folders above may be closed
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                body(beltway.connect("./socket"))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_another_user_acknowledges_and_moves_nothing_and_sees_no_events_of_closed_queues(self):
        queue = self.link.declare("shared", groups=["g"], mode=0o666)
        self.link.declare("open", groups=["g"], mode=0o666)
        self.link.declare("closed", groups=["g"], mode=0o600)
        queue.producer().publish(b"mine")

        def body(link):
            shared, target = link.open_queue("shared"), link.open_queue("open")
            with self.assertRaisesRegex(beltway.NoPermission, "shared"):
                shared.ack_message("g", 0)
            with self.assertRaisesRegex(beltway.NoPermission, "shared"):
                shared.move_message("g", 0, target)
            queues = {each.queue for each in link.events().events}
            self.assertIn("shared", queues)
            self.assertNotIn("closed", queues)

        self.as_nobody(body)
        self.assertEqual(queue.consumer(group="g").receive_bytes(20), b"mine")


if __name__ == "__main__":
    main()
