"""Calls that wait let other threads run, end by signals, interrupts and timeouts, and several threads may share an
endpoint."""

import signal
import sys
import threading
import time

import beltway
from support import DaemonTest, main


class Waiting(DaemonTest):
    def wait_until_asleep(self, queue, consumers=True):
        """Waits until an endpoint of the queue sleeps in the kernel."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            state = queue.snapshot()
            if any(each.sleep == "asleep" for each in (state.consumers if consumers else state.producers)):
                return
            time.sleep(0.005)
        self.fail("no endpoint sleeps")

    def test_timeouts_end_waits_and_zero_never_waits(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        start = time.monotonic()
        self.assertIsNone(consumer.receive(0.05))
        self.assertIsNone(consumer.receive_bytes(timeout=0.05))
        self.assertEqual(consumer.receive_many(5, 0.05), [])
        self.assertTrue(0.14 < time.monotonic() - start < 10)
        self.assertIsNone(consumer.receive(0))
        self.assertIsNone(consumer.receive(-1))
        producer.publish_many([b""] * 4)
        with self.assertRaises(beltway.Timeout):
            producer.publish(b"", timeout=0.05)
        with self.assertRaises(beltway.Timeout):
            producer.publish(b"", timeout=0)
        for wrong in ("1", [1]):
            with self.assertRaisesRegex(TypeError, "timeout must be seconds"):
                consumer.receive(wrong)
        with self.assertRaisesRegex(ValueError, "nan"):
            consumer.receive(float("nan"))

    def test_other_threads_run_while_one_waits(self):
        queue = self.declare()
        consumer, producer = queue.consumer(), queue.producer()
        found = []
        reader = threading.Thread(target=lambda: found.append(consumer.receive_bytes(20)))
        reader.start()
        self.wait_until_asleep(queue)
        producer.publish(b"wake")
        reader.join(20)
        self.assertEqual(found, [b"wake"])

    def test_producer_waits_for_room_and_goes_on(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        sent = [b"%d" % i for i in range(500)]
        writer = threading.Thread(target=lambda: [producer.publish(each) for each in sent])
        writer.start()
        found = [consumer.receive_bytes(20) for _ in sent]
        writer.join(20)
        self.assertEqual(found, sent)

    def test_list_that_changes_during_publish_many_is_published_as_it_was(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        sent = [b"message %d" % i for i in range(300)]
        wanted = list(sent)
        counts = []
        writer = threading.Thread(target=lambda: counts.append(producer.publish_many(sent)))
        writer.start()
        self.wait_until_asleep(queue, consumers=False)
        sent.clear()
        found = [consumer.receive_bytes(20) for _ in wanted]
        writer.join(20)
        self.assertEqual((found, counts), (wanted, [300]))

    def test_interrupt_ends_the_wait_of_another_thread_once(self):
        queue = self.declare()
        consumer = queue.consumer()
        errors = []

        def wait():
            try:
                consumer.receive()
            except beltway.Interrupted as error:
                errors.append(error)

        reader = threading.Thread(target=wait)
        reader.start()
        self.wait_until_asleep(queue)
        with self.assertRaisesRegex(beltway.Misuse, "a call waits in it"):
            consumer.close()
        consumer.interrupt()
        reader.join(20)
        self.assertEqual(len(errors), 1)
        self.assertEqual(errors[0].reason, "interrupted")
        self.assertIsNone(consumer.receive(0.01))

    def test_message_that_ends_in_another_thread_interrupts_no_later_call(self):
        queue = self.declare()
        consumer, producer = queue.consumer(), queue.producer()
        consumer.poll_fd()  # in event mode a try tells of interrupt()
        for _ in range(50):
            producer.publish(b"held")
            held = consumer.receive()
            reader = threading.Thread(target=lambda: consumer.receive_bytes(20))
            reader.start()
            self.wait_until_asleep(queue)
            held.ack()
            producer.publish(b"for the thread")
            reader.join(20)
            self.assertIsNone(consumer.try_receive())
            self.assertIsNone(consumer.receive(0.001))

    def test_handler_of_a_signal_may_not_close_the_consumer_that_waits(self):
        self.interrupted_by("""
            import beltway, signal, sys
            consumer = beltway.connect().open_queue(sys.argv[1]).consumer()
            def handle(*_):
                try:
                    consumer.close()
                except beltway.Misuse:
                    consumer.interrupt()
            signal.signal(signal.SIGTERM, handle)
            try:
                consumer.receive()
            except beltway.Interrupted:
                consumer.close()
                print("closed after the wait")
            """, self.declare(), signal.SIGTERM, "closed after the wait", True)

    def test_threads_share_a_consumer_and_each_message_comes_once(self):
        queue = self.declare(slots=64, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        found = []
        lock = threading.Lock()

        def work():
            while (message := consumer.receive(20)) is not None and len(message):
                with message.process(), lock:
                    found.append(int(message.bytes()))
            message.ack()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for i in range(2000):
            producer.publish(b"%d" % i)
        for _ in threads:
            producer.publish(b"")
        for thread in threads:
            thread.join(20)
        self.assertEqual(sorted(found), list(range(2000)))

    def test_threads_share_a_lossy_consumer_and_each_message_is_whole(self):
        queue = self.declare(slots=1024)
        producer, consumer = queue.producer(), queue.consumer(lossy=True)
        found, is_over = [], threading.Event()

        def take():
            while not is_over.is_set():
                for message in consumer.receive_many(64, 0.01):
                    number = len(message)
                    found.append(message.bytes() == bytes([number]) * number and message.properties.key == str(number))

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        self.addCleanup(sys.setswitchinterval, interval)
        threads = [threading.Thread(target=take) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            for number in range(1, 200):
                producer.publish(bytes([number]) * number, properties=beltway.Properties(key=str(number)))
            time.sleep(0.002)
        is_over.set()
        for thread in threads:
            thread.join(20)
        self.assertGreater(len(found), 100)
        self.assertTrue(all(found))

    def test_generator_of_publish_many_may_take_long_while_others_publish(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        producer.publish_many([b"first"] * 4)
        other = threading.Thread(target=producer.publish, args=(b"other",))

        def messages():
            other.start()
            self.wait_until_asleep(queue, consumers=False)
            is_asleep.set()
            yield b"last"

        is_asleep = threading.Event()
        writer = threading.Thread(target=lambda: producer.publish_many(messages()))
        writer.start()
        self.assertTrue(is_asleep.wait(20))
        found = [consumer.receive_bytes(20) for _ in range(6)]
        writer.join(20)
        other.join(20)
        self.assertEqual(found, [b"first"] * 4 + [b"other", b"last"])

    def test_threads_share_a_producer_also_when_the_queue_is_full(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        threads = [threading.Thread(target=lambda k=k: [producer.publish(b"%d" % (k * 300 + i)) for i in range(300)])
                   for k in range(4)]
        for thread in threads:
            thread.start()
        found = sorted(int(consumer.receive_bytes(20)) for _ in range(1200))
        for thread in threads:
            thread.join(20)
        self.assertEqual(found, list(range(1200)))

    def test_message_of_a_private_group_may_end_while_another_thread_waits(self):
        queue = self.declare(slots=4)
        consumer, producer = queue.consumer(), queue.producer()
        producer.publish_many([b"%d" % i for i in range(4)])
        held = [consumer.receive() for _ in range(4)]
        found = []
        reader = threading.Thread(target=lambda: found.append(consumer.receive_bytes(20)))
        reader.start()
        self.wait_until_asleep(queue)
        self.assertIsNone(consumer.try_receive())
        for message in held:
            self.assertTrue(message.ack())
        producer.publish(b"fits now", timeout=20)
        reader.join(20)
        self.assertEqual(found, [b"fits now"])

    def interrupted_by(self, source, queue, number, expected, consumers):
        child = self.start_python(source, queue.name)
        self.wait_until_asleep(queue, consumers)
        start = time.monotonic()
        child.send_signal(number)
        text = child.communicate(timeout=20)[0]
        self.assertIn(expected, text)
        self.assertLess(time.monotonic() - start, 10)
        return child.returncode

    def test_ctrl_c_ends_a_receive(self):
        self.interrupted_by("""
            import beltway, sys
            consumer = beltway.connect().open_queue(sys.argv[1]).consumer()
            try:
                consumer.receive()
            except KeyboardInterrupt:
                print("interrupted by Ctrl-C")
            """, self.declare(), signal.SIGINT, "interrupted by Ctrl-C", True)

    def test_ctrl_c_ends_a_publish(self):
        queue = self.declare(slots=4, groups=["workers"])
        self.interrupted_by("""
            import beltway, sys
            producer = beltway.connect().open_queue(sys.argv[1]).producer()
            try:
                producer.publish_many([b""] * 10)
            except KeyboardInterrupt as error:
                print("interrupted by Ctrl-C after", error.published)
            """, queue, signal.SIGINT, "interrupted by Ctrl-C after 4", False)

    def test_handler_of_a_signal_runs_and_the_wait_goes_on(self):
        queue = self.declare()
        producer = queue.producer()
        child = self.start_python("""
            import beltway, signal, sys
            signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
            consumer = beltway.connect().open_queue(sys.argv[1]).consumer()
            print(consumer.receive(20).text(), flush=True)
            """, queue.name)
        self.wait_until_asleep(queue)
        child.send_signal(signal.SIGUSR1)
        self.assertEqual(child.stdout.readline(), "handled\n")
        producer.publish(b"goes on")
        self.assertEqual(child.stdout.readline(), "goes on\n")
        self.assertEqual(child.wait(20), 0)

    def test_program_ends_while_a_daemon_thread_waits(self):
        queue = self.declare(slots=4, groups=["workers"])
        queue.producer().publish_many([b""] * 4)
        self.run_python("""
            import beltway, sys, threading, time
            queue = beltway.connect().open_queue(sys.argv[1])
            producer, consumer = queue.producer(), queue.consumer()
            for call in (consumer.receive, lambda: producer.publish(b"x"), lambda: producer.publish_many([b"x"] * 9)):
                threading.Thread(target=call, daemon=True).start()
            time.sleep(0.3)
            """, queue.name)

    def test_open_queue_waits_for_the_queue(self):
        name = f"late-{time.monotonic_ns()}"
        threading.Timer(0.1, lambda: self.link.declare(name)).start()
        self.assertEqual(self.link.open_queue(name, timeout=20).name, name)
        with self.assertRaises(beltway.NotFound):
            self.link.open_queue(name + "x", timeout=0.05)
        queue = self.declare()
        self.assertFalse(queue.wait_for_consumers(1, timeout=0.05))
        consumer = queue.consumer()
        self.assertTrue(queue.wait_for_consumers(1, timeout=20))
        self.assertFalse(queue.wait_for_producers(1, timeout=0))
        consumer.close()

    def test_descriptor_is_readable_when_a_message_is_there(self):
        import selectors
        queue = self.declare()
        consumer, producer = queue.consumer(), queue.producer()
        with selectors.DefaultSelector() as selector:
            selector.register(consumer, selectors.EVENT_READ)
            self.assertIsNone(consumer.try_receive())
            self.assertEqual(selector.select(0), [])
            producer.publish(b"ready")
            self.assertEqual(len(selector.select(20)), 1)
            self.assertEqual(consumer.try_receive_bytes(), b"ready")


if __name__ == "__main__":
    main()
