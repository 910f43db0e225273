"""`beltway bridge` against a real RabbitMQ, without faults, or with those of one connection."""

import json
import os
import struct
import subprocess
import time

import bridge_case
from bridge_support import MESSAGES, Proxy, wait_until


class Traffic(bridge_case.WithServer):
    """What goes in comes out, and what is wrong is told."""

    def test_messages_pass_both_ways_in_order(self):
        out, back = self.round_trip()
        self.assertEqual((out["confirmed"], back["confirmed"]), (MESSAGES, MESSAGES))
        self.assertEqual((out["duplicates"], back["duplicates"]), (0, 0))

    def test_drain_leaves_nothing_on_its_way(self):
        name = self.test_name
        self.machine.declare(name, "--slots", "4096", groups=("bridge",))
        self.remote_queue(name)
        self.machine.publish_now(name, 3000)
        bridge = self.bridge("--out", f"{name}={name}")
        bridge.wait_for(lambda routes: routes[0]["forwarded"] > 0, "some are forwarded")
        self.assertEqual(bridge.stop(), 0)
        left = self.machine.depth(name, "bridge")
        # What the server has, and what is left here, are all messages: none is in both.
        at_server = self.channel().queue_declare(name, passive=True).method.message_count
        self.assertEqual(left + at_server, 3000)
        self.assertFalse(any(file.startswith(f"bridge.{name}") for file in os.listdir(self.machine.folder)))

    def test_drain_gives_back_what_the_server_does_not_confirm(self):
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        proxy = Proxy(self.server.port)
        self.addCleanup(proxy.close)
        bridge = self.bridge("--out", f"{name}={name}", "--drain", "500ms", port=proxy.port)
        bridge.wait_for_state("running")
        proxy.hold()
        self.machine.publish_now(name, 20)
        bridge.wait_for(lambda routes: routes[0]["in_flight"] == 20, "all are on their way")
        self.assertEqual(bridge.stop(), 0)
        self.assertEqual(self.machine.numbers_now(name, "bridge"), list(range(1, 21)))

    def test_server_that_is_short_of_memory_blocks_the_route(self):
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        bridge = self.bridge("--out", f"{name}={name}")
        bridge.wait_for_state("running")
        self.server.control("set_vm_memory_high_watermark", "0.0000001")
        try:
            self.machine.publish_now(name, 10)  # the server says so to those that publish
            route = bridge.wait_for_state("blocked")
            self.assertIn("memory", route["last_error"])
            self.assertIn("the receiving side takes no messages", self.machine.run("doctor", "--for", "1s", code=1))
            self.assertIn('state="blocked"} 1', self.machine.run("metrics", "--for", "1s"))
        finally:
            self.server.control("set_vm_memory_high_watermark", "0.4")
        bridge.wait_for(lambda routes: routes[0]["confirmed"] == 10 and routes[0]["state"] == "running", "it goes on")

    def test_bad_password_fails_the_route_and_is_told(self):
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        bridge = self.bridge("--out", f"{name}={name}", credentials=("guest", "wrong"))
        route = bridge.wait_for_state("failed")
        self.assertIn("ACCESS_REFUSED", route["last_error"])
        doctor = self.machine.run("doctor", "--for", "1s", code=1)
        self.assertIn("the route has failed", doctor)
        bridge.wait_for(lambda routes: routes[0]["attempts"] >= 2, "it tries again")

    def test_tool_without_driver_names_the_missing_package(self):
        done = subprocess.run([self.machine.tool + "_without_driver", "bridge", "--out", "a=b"], env=self.machine.env, text=True,
                              capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("librabbitmq-dev", done.stderr)

    def test_missing_queues_fail_the_route_until_they_exist(self):
        name = self.test_name
        bridge = self.bridge("--out", f"{name}={name}", "--in", f"{name}={name}.back")
        self.assertIn("no such queue", bridge.wait_for_state("failed")["last_error"])
        self.machine.declare(name, groups=("bridge",))
        self.machine.declare(f"{name}.back", groups=("check",))
        bridge.wait_for(lambda routes: all("NOT_FOUND" in route["last_error"] for route in routes), "no queue of the server")
        self.remote_queue(name)
        self.machine.publish_now(name, 3)
        bridge.wait_for(lambda routes: all(route["confirmed"] == 3 for route in routes), "all passed")
        self.assertEqual(self.machine.numbers_now(f"{name}.back", "check"), [1, 2, 3])

    def test_full_local_queue_blocks_the_route(self):
        name = self.test_name
        self.machine.declare(name, "--slots", "64", groups=("check",))
        self.remote_queue(name)
        channel = self.channel()
        for number in range(1, 501):
            channel.basic_publish("", name, str(number).encode())
        bridge = self.bridge("--in", f"{name}={name}")
        bridge.wait_for_state("blocked")
        numbers = self.machine.numbers_of(self.machine.start_reading(name, "check", 500))
        self.assertEqual(numbers, list(range(1, 501)))
        bridge.wait_for_state("running")

    def test_message_that_fits_no_limit_is_refused_and_blocks_nothing(self):
        import pika
        name = self.test_name
        self.machine.declare(name, "--lane-bytes", "4096", groups=("check",))
        self.remote_queue(f"{name}.dead")
        self.remote_queue(name, **{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{name}.dead"})
        channel = self.channel()
        channel.basic_publish("", name, b"1")
        channel.basic_publish("", name, b"x" * 100_000)
        channel.basic_publish("", name, b"2", pika.BasicProperties(headers={f"h{i}": "x" * 300 for i in range(20)}))
        nested = {"nested": {"a": {"b": [1, {"c": "d"}]}}, "list": ["x", 2]}
        channel.basic_publish("", name, b"3", pika.BasicProperties(headers=nested))
        bridge = self.bridge("--in", f"{name}={name}")
        bridge.wait_for(lambda routes: routes[0]["refused"] == 2 and routes[0]["forwarded"] == 2, "two are refused")
        self.assertEqual(self.machine.numbers_now(name, "check"), [1, 3])
        wait_until(lambda: self.channel().queue_declare(f"{name}.dead", passive=True).method.message_count == 2, "dead letters")

    def test_header_nested_deeply_ends_no_bridge(self):
        """librabbitmq decodes lists in lists by recursion."""
        import pika

        class Nested(pika.BasicProperties):
            def encode(self):
                value = b""
                for _ in range(20_000):
                    value = b"A" + struct.pack(">I", len(value)) + value
                return [struct.pack(">H", 1 << 13), struct.pack(">I", len(value) + 2) + b"\x01x" + value]
        name = self.test_name
        self.machine.declare(name, groups=("check",))
        self.remote_queue(name)
        channel = self.channel()
        channel.basic_publish("", name, b"1", Nested())
        channel.basic_publish("", name, b"2")
        self.bridge("--in", f"{name}={name}").wait_for(lambda routes: routes[0]["confirmed"] == 2, "both are stored")
        self.assertEqual(self.machine.numbers_now(name, "check"), [1, 2])

    def test_properties_pass_both_ways(self):
        name = self.test_name
        self.machine.declare(name, "--stamps", "coarse", groups=("bridge",))
        self.machine.declare(f"{name}.back", groups=("check",))
        self.remote_queue(name)
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        bridge = self.bridge("--out", f"{name}={name}")
        self.machine.run("pub", name, "payload", "--key", "customer 7", "--correlation-id", "c1", "--reply-to", "answers",
                         "--content-type", "text/plain", "--trace-id", trace,
                         *[word for header in ("a=1", "b=2", "a=3") for word in ("--header", header)])
        bridge.wait_for(lambda routes: routes[0]["confirmed"] == 1, "it is at the server")
        channel = self.channel()
        method, properties, body = channel.basic_get(name)
        self.assertEqual((body, properties.content_type, properties.correlation_id, properties.reply_to),
                         (b"payload", "text/plain", "c1", "answers"))
        self.assertEqual((properties.headers["a"], properties.headers["b"]), (["1", "3"], "2"))
        self.assertEqual((properties.headers["beltway-key"], properties.headers["traceparent"]), ("customer 7", trace))
        self.assertEqual(properties.delivery_mode, 2)
        self.assertEqual(properties.headers["beltway-origin"], properties.message_id)
        self.assertLess(abs(properties.timestamp - time.time()), 3600)
        channel.basic_nack(method.delivery_tag)
        bridge.stop()
        self.bridge("--in", f"{name}={name}.back", name=f"{name}.in").wait_for(
            lambda routes: routes[0]["confirmed"] == 1, "it is back")
        shown = json.loads(self.machine.run("peek", f"{name}.back", "--format", "json"))["messages"][0]
        got = shown["properties"]
        self.assertEqual(got["publish_time_ns"] // 1_000_000_000, properties.timestamp)
        texts = [got[name] for name in ("key", "correlation_id", "reply_to", "content_type", "trace_id")]
        self.assertEqual([shown["text"], *texts], ["payload", "customer 7", "c1", "answers", "text/plain", trace])
        headers = [(header["name"], header["value"]) for header in got["headers"]]
        self.assertEqual(headers, [("a", "1"), ("a", "3"), ("b", "2"), ("beltway-origin", properties.message_id)])

    def loop(self, **how):
        """A queue whose messages come back to it. Returns the route back once 5 messages have gone round at least once."""
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        bridge = self.bridge("--out", f"{name}={name}", "--in", f"{name}={name}", **how)
        self.machine.publish_now(name, 5)
        return bridge.wait_for(lambda routes: routes[1]["confirmed"] >= 5, "they came back")[1]

    def test_loop_is_cut_by_the_origin(self):
        back = self.loop()
        self.assertEqual((back["loops"], back["forwarded"]), (5, 0))

    def test_planted_loop_without_origin_is_noticed(self):
        self.assertNotEqual(self.loop(plant="loop_without_origin")["forwarded"], 0)

    def test_group_with_another_consumer_is_refused(self):
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        other = self.machine.start_reading(name, "bridge", 1)
        wait_until(lambda: any(each["role"] == "consumer" for each in self.machine.endpoints(name)), "it reads")
        bridge = self.bridge("--out", f"{name}={name}")
        self.assertIn("group of its own", bridge.wait_for_state("failed")["last_error"])
        other.kill()
        bridge.wait_for_state("running")

    def test_second_bridge_of_one_name_does_not_start(self):
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        self.bridge("--out", f"{name}={name}").wait_for_state("running")
        said = self.machine.run("bridge", "--name", name, "--out", f"{name}={name}", code=1)
        self.assertIn("give this one another --name", said)


if __name__ == "__main__":
    bridge_case.main()
