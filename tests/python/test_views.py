"""Views of messages and loans never show or change what belongs to another message."""

import gc
import threading
import time
import unittest

import beltway
from support import DaemonTest, main

try:
    import numpy
except ImportError:
    numpy = None


class Views(DaemonTest):
    def test_view_of_a_message_is_read_only(self):
        queue = self.declare()
        consumer = queue.consumer()
        queue.producer().publish(b"payload")
        message = consumer.receive(5)
        view = memoryview(message)
        self.assertTrue(view.readonly)
        self.assertEqual((view.format, view.nbytes, bytes(view)), ("B", 7, b"payload"))
        with self.assertRaises(TypeError):
            view[0] = 0
        with self.assertRaises(BufferError):
            consumer.receive_into(message)

    def test_view_keeps_its_message_when_all_else_is_gone(self):
        queue = self.declare(slots=4, slot_bytes=64)
        producer, consumer = queue.producer(), queue.consumer()
        for i in range(4):
            producer.publish(b"%d" % i)
        view = memoryview(consumer.receive(5))
        while (message := consumer.try_receive()) is not None:
            message.ack()
        consumer.close()
        del consumer, message
        gc.collect()
        self.assertFalse(producer.try_publish(b"overwrites"), "the ring has room, though the view exists")
        self.assertEqual(bytes(view), b"0")
        view.release()
        self.assertTrue(producer.try_publish(b"fits"))

    def test_ack_takes_effect_with_the_last_view(self):
        queue = self.declare(groups=["workers"])
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish(b"payload")
        message = consumer.receive(5)
        first, second = memoryview(message), memoryview(message)
        self.assertTrue(message.ack())
        self.assertFalse(message)
        self.assertFalse(message.ack())
        with self.assertRaises(beltway.Misuse):
            message.bytes()
        self.assertEqual(queue.snapshot().groups[0].leased, 1)
        first.release()
        self.assertEqual(queue.snapshot().groups[0].leased, 1)
        self.assertEqual(bytes(second), b"payload")
        second.release()
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def test_nack_takes_effect_with_the_last_view(self):
        queue = self.declare(groups=["workers"], retry_delay=0)
        queue.producer().publish(b"payload")
        consumer = queue.consumer(group="workers")
        message = consumer.receive(5)
        view = memoryview(message)
        self.assertTrue(message.nack(delay=0))
        self.assertIsNone(consumer.try_receive())
        del view
        self.assertEqual(consumer.receive(5).deliveries, 2)

    def test_receive_says_that_views_hold_all_messages_of_the_prefetch_limit(self):
        queue = self.declare(groups=["workers"])
        queue.producer().publish_many([b"one", b"two"])
        consumer = queue.consumer(group="workers", prefetch=1)
        message = consumer.receive(5)
        view = memoryview(message)
        message.ack()
        with self.assertRaisesRegex(BufferError, "views of them exist"):
            consumer.receive()
        del view
        self.assertEqual(consumer.receive(5).bytes(), b"two")

    def test_loop_with_a_prefetch_of_one_goes_on(self):
        for ack in ("automatic", "explicit"):
            queue = self.declare(groups=["workers"], retry_delay=0)
            with queue.producer() as producer:
                producer.publish_many([b"%d" % i for i in range(20)])
            found = []
            for message in queue.consumer(group="workers", prefetch=1, ack=ack, end_of_stream="drained"):
                found.append(int(message.text()))
                if ack == "explicit":
                    message.ack()
            self.assertEqual(found, list(range(20)))

    def test_loop_with_automatic_ack_ends_a_message_when_it_asks_for_the_next(self):
        queue = self.declare(groups=["workers"])
        with queue.producer() as producer:
            producer.publish_many([b"%d" % i for i in range(3)])
        consumer = queue.consumer(group="workers", ack="automatic", end_of_stream="drained")
        kept = []
        for message in consumer:
            self.assertTrue(message)
            kept.append((message, memoryview(message) if message.position == 1 else None))
        self.assertEqual([bool(each) for each, _ in kept], [False] * 3)
        self.assertEqual(bytes(kept[1][1]), b"1")
        self.assertEqual(queue.snapshot().groups[0].leased, 1)
        kept.clear()
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def test_messages_in_a_list_stay_held(self):
        queue = self.declare(groups=["workers"])
        with queue.producer() as producer:
            producer.publish_many([b"%d" % i for i in range(3)])
        consumer = queue.consumer(group="workers")
        threading.Timer(0.1, consumer.interrupt).start()
        kept = []
        with self.assertRaises(beltway.Interrupted):
            kept.extend(consumer)
        self.assertEqual([message.bytes() for message in kept], [b"0", b"1", b"2"])

    def test_messages_of_a_lossy_consumer_stay_as_they_were(self):
        queue = self.declare(slots=4)
        producer, consumer = queue.producer(), queue.consumer(lossy=True)
        kept = []
        for i in range(50):
            producer.publish(b"%d" % i, properties=beltway.Properties(key=str(i)))
            message = consumer.receive(5)
            kept.append((message, memoryview(message)))
            self.assertTrue(message.ack())
        for i, (message, view) in enumerate(kept):
            self.assertEqual((bytes(view), message.bytes(), message.properties.key), (b"%d" % i, b"%d" % i, str(i)))
            self.assertEqual(message.position, i)
        producer.publish_many([b"%d" % i for i in range(100)])
        batch = consumer.receive_many(10)
        self.assertEqual([m.bytes() for m in batch], [b"%d" % i for i in range(100 - len(batch), 100)])
        self.assertGreater(batch[0].lost, 0)

    def test_loan_is_published_at_the_end_of_its_block(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        with producer.lend(10_000, properties=beltway.Properties(key="k")) as view:
            self.assertFalse(view.readonly)
            view[:] = bytes(range(250)) * 40
            self.assertIsNone(consumer.try_receive())
        message = consumer.receive(5)
        self.assertEqual(message.bytes(), bytes(range(250)) * 40)
        self.assertEqual(message.properties.key, "k")
        with self.assertRaises(ValueError):
            view[0] = 1

    def test_loan_can_be_shortened_dropped_and_fails_cleanly(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        loan = producer.lend(1000)
        with loan as view:
            view[:3] = b"abc"
            self.assertEqual(loan.commit(3), 0)
        self.assertEqual(consumer.receive_bytes(5), b"abc")
        with self.assertRaises(ZeroDivisionError):
            with producer.lend(1000) as view:
                1 / 0
        loan = producer.lend(1000)
        with self.assertRaisesRegex(beltway.Misuse, "more than the 1000"):
            loan.commit(1001)
        loan.drop()
        self.assertFalse(loan)
        with self.assertRaisesRegex(beltway.Misuse, "has ended"):
            loan.commit()
        with self.assertRaises(beltway.Misuse):
            memoryview(loan)
        self.assertIsNone(consumer.try_receive())
        with self.assertRaisesRegex(beltway.TooLarge, "1048576|lane_bytes"):
            producer.lend(1 << 30)

    def test_commit_refuses_while_another_view_could_write_into_the_message(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        loan = producer.lend(1000)
        view = memoryview(loan)
        with self.assertRaisesRegex(BufferError, "delete them first"):
            loan.commit()
        with self.assertRaisesRegex(beltway.Misuse, "1 loans are open"):
            producer.close()
        view.release()
        loan.commit(1)
        self.assertEqual(len(consumer.receive(5)), 1)
        with self.assertRaises(BufferError):
            with producer.lend(1000) as view:
                rest = view[10:]
        del rest, view
        self.assertIsNone(consumer.try_receive())
        producer.close()

    def test_loan_belongs_to_the_commit_that_waits(self):
        queue = self.declare(slots=4, groups=["workers"])
        consumer, producer = queue.consumer(group="workers"), queue.producer()
        loan = producer.lend(1000)
        with memoryview(loan) as view:
            view[:] = b"x" * 1000
        queue.producer().publish_many([b"message"] * 4)
        writer = threading.Thread(target=loan.commit)
        writer.start()
        while not any(each.sleep == "asleep" for each in queue.snapshot().producers):
            time.sleep(0.001)
        for call in (lambda: memoryview(loan), loan.drop, loan.commit, loan.try_commit):
            with self.assertRaisesRegex(beltway.Misuse, "a commit of it waits"):
                call()
        consumer.receive_many_bytes(4, 5)
        writer.join(20)
        self.assertEqual(consumer.receive_bytes(5), b"x" * 1000)
        self.assertFalse(loan)
        producer.close()

    def test_loan_keeps_its_producer(self):
        queue = self.declare()
        consumer = queue.consumer()
        loan = queue.producer().lend(100)
        gc.collect()
        with loan as view:
            view[:] = b"x" * 100
        self.assertEqual(consumer.receive_bytes(5), b"x" * 100)


@unittest.skipIf(numpy is None, "python3-numpy is not installed")
class Arrays(DaemonTest):
    RECORD = numpy and numpy.dtype([("id", "<u8"), ("price", "<f8"), ("name", "S16")])

    def records(self, count):
        array = numpy.zeros(count, self.RECORD)
        array["id"] = numpy.arange(count)
        array["price"] = numpy.arange(count) / 4
        array["name"] = b"name"
        return array

    def test_structured_arrays_go_out_and_come_in_by_one_call(self):
        queue = self.declare(slots=4096)
        producer, consumer = queue.producer(), queue.consumer()
        sent = self.records(3000)
        self.assertEqual(producer.publish_array(sent), 3000)
        found = consumer.receive_array(self.RECORD, 5000, timeout=5)
        self.assertTrue((found == sent).all())
        self.assertEqual(len(consumer.receive_array(self.RECORD, 10, timeout=0.01)), 0)

    def test_rows_of_a_matrix_are_messages(self):
        queue = self.declare()
        producer, consumer = queue.producer(), queue.consumer()
        sent = numpy.arange(40, dtype="<f8").reshape(10, 4)
        self.assertEqual(producer.publish_array(sent), 10)
        into = numpy.zeros((10, 4))
        self.assertEqual(consumer.receive_into(into[:4], 5), 4)
        self.assertEqual(consumer.receive_into(into[4:], 5), 6)
        self.assertTrue((into == sent).all())

    def test_array_that_does_not_fit_says_so_and_loses_nothing(self):
        queue = self.declare(groups=["workers"])
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish_array(self.records(3))
        producer.publish(b"odd")
        producer.publish_array(self.records(2))
        into = self.records(10)
        self.assertEqual(consumer.receive_into(into, 5), 3)
        with self.assertRaisesRegex(ValueError, "next message has 3 bytes"):
            consumer.receive_into(into)
        self.assertEqual(consumer.receive_bytes(), b"odd")
        self.assertEqual(consumer.receive_into(into), 2)
        with self.assertRaisesRegex((BufferError, ValueError), "contiguous"):
            producer.publish_array(self.records(10)[::2])
        with self.assertRaises((BufferError, ValueError)):
            fixed = self.records(1)
            fixed.setflags(write=False)
            consumer.receive_into(fixed)
        self.assertEqual(queue.snapshot().groups[0].depth, 0)

    def test_arrays_of_objects_are_refused(self):
        queue = self.declare(groups=["workers"])
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        producer.publish(bytes(8))
        objects = numpy.array([self, "text"], object)
        inside = numpy.zeros(2, [("number", "<u8"), ("object", object)])
        for call in (lambda: producer.publish_array(objects), lambda: producer.publish_array(inside),
                     lambda: producer.publish_array(memoryview(objects)), lambda: consumer.receive_into(objects, 0),
                     lambda: consumer.receive_into(memoryview(objects), 0), lambda: consumer.receive_array(object, 2, 0)):
            with self.assertRaisesRegex(TypeError, "objects of Python"):
                call()
        self.assertEqual(consumer.receive_many_bytes(10, 0), [bytes(8)])
        self.assertEqual(objects.tolist(), [self, "text"])

    def test_array_over_a_message_keeps_it(self):
        queue = self.declare(slots=4, groups=["workers"])
        producer, consumer = queue.producer(), queue.consumer(group="workers")
        for i in range(4):
            producer.publish(numpy.full(8, i, "<u4"))
        for i in range(4):
            with consumer.receive(5).process() as message:
                array = numpy.frombuffer(message, "<u4")
                self.assertFalse(array.flags.writeable)
            del message
            gc.collect()
            self.assertEqual(array.tolist(), [i] * 8)
        self.assertEqual(queue.snapshot().groups[0].leased, 1)
        del array
        self.assertEqual(queue.snapshot().groups[0].leased, 0)

    def test_image_goes_by_loan_and_is_read_in_place(self):
        queue = self.declare(slots=8, lane_bytes=4 << 20)
        producer, consumer = queue.producer(), queue.consumer()
        image = numpy.arange(1 << 20, dtype="u1").reshape(1024, 1024)
        with producer.lend(image.nbytes) as view:
            numpy.frombuffer(view, "u1").reshape(image.shape)[:] = image
        message = consumer.receive(5)
        seen = numpy.frombuffer(message, "u1").reshape(image.shape)
        self.assertTrue((seen == image).all())


if __name__ == "__main__":
    main()
