"""Forks, exits, garbage, threads and errors never read freed memory, never lose memory, and leave nothing behind."""

import gc
import os
import pathlib
import signal
import threading
import time
import tracemalloc
import weakref

import beltway
from support import DaemonTest, main

SANITIZED = "BELTWAY_TEST_SANITIZED" in os.environ


def resident_bytes():
    """Memory of this process alone: without what it shares with others."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


class Safety(DaemonTest):
    def test_objects_of_the_parent_give_errors_in_a_forked_child(self):
        queue = self.declare(groups=["workers"])
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish(b"held")
        message, loan = consumer.receive(5), producer.lend(10)
        calls = [
            lambda: producer.publish(b""), lambda: producer.try_publish(b""), lambda: producer.publish_many([b""]),
            lambda: producer.publish_parts([b""]), lambda: producer.lend(1), lambda: loan.commit(),
            lambda: consumer.receive(), lambda: consumer.try_receive(), lambda: consumer.receive_bytes(),
            lambda: consumer.receive_many(1), lambda: consumer.receive_into(bytearray(4)), lambda: consumer.poll_fd(),
            lambda: consumer.interrupt(), lambda: producer.interrupt(), lambda: consumer.counters(), lambda: producer.counters(),
            lambda: consumer.index, lambda: producer.index, lambda: producer.max_message_bytes, lambda: memoryview(loan),
            lambda: message.bytes(), lambda: message.properties, lambda: memoryview(message),
            lambda: queue.snapshot(), lambda: queue.consumer(), lambda: self.link.list(),
        ]
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                text = ""
                for number, call in enumerate(calls):
                    try:
                        call()
                        text += f"call {number} gave no error; "
                    except beltway.Forked:
                        pass
                    except BaseException as error:
                        text += f"call {number}: {error!r}; "
                text += str(message.ack())  # no effect
                mine = beltway.connect(self.socket)
                mine.open_queue(queue.name).producer().publish(b"from the child")
                os.write(writing, text.encode())
            finally:
                os._exit(0)
        os.close(writing)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        with os.fdopen(reading) as pipe:
            self.assertEqual(pipe.read(), "False")
        self.assertEqual(message.bytes(), b"held")
        self.assertTrue(message.ack())
        self.assertEqual(consumer.receive_bytes(5), b"from the child")
        loan.drop()

    def test_child_that_is_forked_while_threads_wait_gets_errors_and_ends(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, full, producer = queue.consumer(), queue.consumer(group="workers"), queue.producer()
        producer.publish_many([b"message"] * 4)
        message = consumer.receive(5)
        while consumer.try_receive_bytes():
            pass
        received, sent = [], []
        threads = [threading.Thread(target=lambda: received.append(consumer.receive())),
                   threading.Thread(target=lambda: sent.append(producer.publish(b"last")))]
        for thread in threads:
            thread.start()
        while not all(each[0].sleep == "asleep" for each in
                      (queue.snapshot().producers, [c for c in queue.snapshot().consumers if not c.endpoint.group])):
            time.sleep(0.001)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            code = 0
            try:
                for call in (consumer.receive, consumer.try_receive, consumer.receive_bytes, lambda: consumer.receive_many(5),
                             lambda: producer.publish(b"child"), lambda: producer.publish_many([b"child"])):
                    try:
                        call()
                        code += 1
                    except beltway.Forked:
                        pass
                code += message.ack()
                consumer.close()
                producer.close()
            except BaseException:
                code += 50
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(message.ack())
        self.assertEqual(len(full.receive_many_bytes(4, 5)), 4)
        for thread in threads:
            thread.join(20)
        self.assertEqual((sent, received[0].bytes()), ([4], b"last"))

    def test_program_that_ends_with_all_objects_alive_leaves_nothing(self):
        queue = self.declare(groups=["workers"], retry_delay=0)
        queue.producer().publish_many([b"message"] * 3)
        self.run_python("""
            import beltway, sys
            link = beltway.connect()
            queue = link.open_queue(sys.argv[1])
            producer, consumer = queue.producer(), queue.consumer(group="workers")
            messages = consumer.receive_many(3)
            view = memoryview(messages[0])
            messages[0].ack()
            loan = producer.lend(100)
            cycle = [messages[1], loan]
            cycle.append(cycle)
            """, queue.name)
        state = queue.snapshot()
        self.assertEqual((state.producers, state.consumers), ([], []))
        self.assertEqual(sorted(m.deliveries for m in queue.consumer(group="workers").receive_many(3, 5)), [2, 2])

    def test_killed_program_loses_no_message(self):
        queue = self.declare(groups=["workers"])
        queue.producer().publish_many([b"%d" % i for i in range(10)])
        child = self.start_python("""
            import beltway, sys
            consumer = beltway.connect().open_queue(sys.argv[1]).consumer(group="workers")
            messages = consumer.receive_many(10)
            views = [memoryview(message) for message in messages]
            messages[0].ack()
            print("ready", flush=True)
            consumer.receive()
            """, queue.name)
        self.assertEqual(child.stdout.readline(), "ready\n")
        child.kill()
        child.wait()
        consumer = queue.consumer(group="workers")
        found = []
        while len(found) < 10:
            found += consumer.receive_many_bytes(10, 20)
        self.assertEqual(sorted(map(int, found)), list(range(10)))

    def test_garbage_cycle_gives_its_message_back(self):
        class Node:
            pass

        queue = self.declare(groups=["workers"], retry_delay=0)
        queue.producer().publish(b"message")
        consumer = queue.consumer(group="workers")
        node = Node()
        node.message, node.me = consumer.receive(5), node
        node.view = memoryview(node.message)
        watch = weakref.ref(node)
        self.assertIsNone(consumer.try_receive())
        del node
        gc.collect()
        self.assertIsNone(watch())
        self.assertEqual(consumer.receive(5).deliveries, 2)

    def test_message_of_a_named_group_may_end_in_another_thread(self):
        queue = self.declare(groups=["workers"])
        queue.producer().publish_many([b"%d" % i for i in range(100)])
        messages = queue.consumer(group="workers").receive_many(100, 5)
        done = []
        threads = [threading.Thread(target=lambda part=messages[k::4]: done.extend(m.ack() for m in part))
                   for k in range(4)]
        del messages
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(done, [True] * 100)
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def exercise(self, queue, producer, consumer, rounds):
        for i in range(rounds):
            producer.publish(b"x" * 100)
            producer.publish_many([b"x" * 100, bytearray(b"y")])
            producer.try_publish(b"", properties=beltway.Properties(key="k", headers={"a": "b"}))
            with producer.lend(200) as view:
                view[:] = bytes(200)
            message = consumer.receive()
            view = memoryview(message)
            message.ack()
            view.release()
            consumer.receive_bytes()
            with consumer.receive().process():
                pass
            consumer.receive().properties
            consumer.receive_many_bytes(1)
            consumer.receive_many(10, 0)
            for wrong in (lambda: producer.publish("text"), lambda: consumer.receive("x"), lambda: message.bytes(),
                          lambda: self.link.declare("x", slots="many"), lambda: queue.consumer(group=1)):
                try:
                    wrong()
                except (TypeError, beltway.Error):
                    pass
            queue.options, queue.name, repr(message)

    def grown_by(self, work):
        """Bytes that Python has after the work and did not have before."""
        before = tracemalloc.get_traced_memory()[0]
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    def test_calls_lose_no_memory(self):
        queue = self.declare(slots=64)
        producer, consumer = queue.producer(), queue.consumer()
        self.exercise(queue, producer, consumer, 200)
        gc.collect()
        tracemalloc.start()
        try:
            # Python keeps some objects for later, so a part of the run may grow. A leak grows in each part.
            grown = [self.grown_by(lambda: self.exercise(queue, producer, consumer, 500)) for _ in range(5)]
        finally:
            tracemalloc.stop()
        self.assertLess(min(grown), 500 * 24, grown)  # an object has more
        if not SANITIZED:  # its allocator keeps what was freed
            before = resident_bytes()
            self.exercise(queue, producer, consumer, 2000)
            self.assertLess(resident_bytes() - before, 1 << 20)

    def test_endpoints_and_descriptions_lose_no_memory(self):
        queue = self.declare(groups=["workers"])

        def once():
            with queue.producer() as producer, queue.consumer(group="workers") as consumer:
                producer.publish(b"")
                consumer.receive_bytes(5)
            queue.snapshot(), queue.describe(), self.link.list(), self.link.ping(), queue.peek(3)
            beltway.connect().close()

        for _ in range(10):
            once()
        gc.collect()
        descriptors = len(os.listdir("/proc/self/fd"))
        tracemalloc.start()
        try:
            grown = [self.grown_by(lambda: [once() for _ in range(25)]) for _ in range(6)]
        finally:
            tracemalloc.stop()
        self.assertLess(min(grown), 25 * 48, grown)
        self.assertEqual(len(os.listdir("/proc/self/fd")), descriptors)

    def test_references_of_none_and_of_types_stay_as_they_are(self):
        import sys
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        self.exercise(queue, producer, consumer, 20)
        watched = [None, True, False, beltway.Message, beltway.Loan, beltway.Properties, beltway.Misuse, consumer, producer]
        before = [sys.getrefcount(each) for each in watched]
        self.exercise(queue, producer, consumer, 1000)
        gc.collect()
        for each, count in zip(watched, before):
            self.assertLess(abs(sys.getrefcount(each) - count), 500, each)

    def test_second_interpreter_gets_an_error_instead_of_shared_objects(self):
        text = self.run_python("""
            import beltway
            try:
                import _xxsubinterpreters as interpreters
            except ImportError:
                print("one interpreter of a process only")
                raise SystemExit
            other = interpreters.create()
            try:
                interpreters.run_string(other, "import beltway")
            except interpreters.RunFailedError as error:
                print(error)
            """)
        self.assertIn("one interpreter of a process only", text)


if __name__ == "__main__":
    main()
