"""`beltway bridge` against a real RabbitMQ: nothing is lost and nothing is stored twice, whatever dies in between.

Staged makes each kind of fault at a chosen moment, for the suite. Random makes them at random, by hand: tests/run.sh interop.
"""

import os
import signal
import time

import bridge_case
from bridge_support import Chaos, Proxy, wait_until


class Staged(bridge_case.WithServer):
    """Each kind of fault, in the middle of a few thousand messages or before a chosen one."""

    MESSAGES = 6000
    # Few messages on their way, so that the faults come in the middle of the messages.
    FLAGS = ("--window", "100")

    def proxy(self):
        proxy = Proxy(self.server.port)
        self.addCleanup(proxy.close)
        return proxy

    def faults_at(self, *faults):
        """The faults, one after the other while messages pass."""
        def make(bridge, reader, there):
            step = self.MESSAGES // (len(faults) + 1)
            for count, fault in enumerate(faults, 1):
                messages = count * step
                wait_until(lambda: self.machine.position(there) >= messages, f"{messages} messages are stored", bridge.routes)
                fault(bridge)
        return make

    def test_killed_and_stopped_bridge_loses_and_doubles_nothing(self):
        def stop(bridge):
            self.stop_for_a_moment(bridge.process.pid)
        self.round_trip(self.faults_at(self.restart_bridge, stop, self.restart_bridge, self.restart_bridge), self.MESSAGES,
                        self.FLAGS)

    def test_cut_and_slow_connection_loses_and_doubles_nothing(self):
        proxy = self.proxy()

        def cut(_):
            proxy.cut()

        def slow(bridge):
            proxy.pause_s = 0.02
            time.sleep(0.3)
            proxy.cut()
            proxy.pause_s = 0.0
        out, back = self.round_trip(self.faults_at(cut, slow, cut), self.MESSAGES, self.FLAGS, port=proxy.port)
        self.assertGreater(min(out["attempts"], back["attempts"]), 3)

    def test_killed_stopped_and_restarted_server_loses_and_doubles_nothing(self):
        def stop(_):
            self.stop_for_a_moment(self.server.server.pid)

        def kill(_):
            self.restart_server()

        def restart(_):
            self.server.stop_server()
            self.server.start_server()
        out, back = self.round_trip(self.faults_at(stop, kill, restart), self.MESSAGES, self.FLAGS)
        self.assertGreater(min(out["attempts"], back["attempts"]), 2)

    def start_sender(self, **arguments):
        """Queues of this machine, one of the server, and a route out between them."""
        name = self.test_name
        self.machine.declare(f"{name}.here", "--slots", "4096", groups=("bridge",))
        self.machine.declare(f"{name}.there", "--slots", "4096", groups=("check",))
        self.remote_queue(name, **arguments)
        return self.bridge("--out", f"{name}.here={name}", name=f"{name}.out")

    def send(self, sender, first, count):
        """Numbers to the server."""
        here = f"{self.test_name}.here"
        self.machine.publish_now(here, count, first)
        wait_until(lambda: self.machine.depth(here, "bridge") == 0, "all are at the server", sender.routes)

    def receiver(self, number, proxy=None, plant=None):
        """A route in, which holds 50 messages at most."""
        return self.bridge("--in", f"{self.test_name}={self.test_name}.there", "--window", "50", plant=plant,
                           port=proxy.port if proxy else None, name=f"{self.test_name}.{number}")

    def stored(self, bridge, count):
        """The numbers that the local queue has got since the last call, once it has got `count` in its life."""
        there = f"{self.test_name}.there"
        wait_until(lambda: self.machine.position(there) >= count, f"{count} messages are stored", bridge.routes)
        return self.machine.numbers_now(there, "check")

    def test_connection_that_ends_late_doubles_nothing_and_keeps_the_order(self):
        """The server does not hear the acknowledgements of the first bridge, nor its death."""
        sender = self.start_sender()
        proxy = self.proxy()
        first = self.receiver(1, proxy)
        first.wait_for_state("running")
        proxy.hold()
        self.send(sender, 1, 200)
        numbers = self.stored(first, 50)
        first.kill()
        second = self.receiver(2)
        second.wait_for(lambda routes: "another consumer" in routes[0]["last_error"], "it waits for the end of the first one")
        proxy.cut()
        second.wait_for(lambda routes: routes[0]["confirmed"] == 200, "the server has no message left")
        numbers += self.stored(second, 200)
        self.assertEqual(numbers, list(range(1, 201)))
        self.assertEqual(second.routes()[0]["duplicates"], 50)

    def test_messages_behind_a_gap_are_stored_once(self):
        """The first bridge has 1 to 50 and dies before it stores them. The server notices that late. The second bridge does not
        wait for that: it stores 51 to 100, and dies before the server knows."""
        sender = self.start_sender()
        proxies = self.proxy(), self.proxy()
        first = self.receiver(1, proxies[0])
        first.wait_for_state("running")
        os.kill(first.process.pid, signal.SIGSTOP)
        self.send(sender, 1, 50)
        wait_until(lambda: self.channel().queue_declare(self.test_name, passive=True).method.message_count == 0, "it has them")
        proxies[0].hold()
        first.kill()
        second = self.receiver(2, proxies[1], plant="share_at_once")
        second.wait_for_state("running")
        proxies[1].hold()
        self.send(sender, 51, 50)
        numbers = self.stored(second, 50)
        second.kill()
        for proxy in proxies:
            proxy.cut()
        third = self.receiver(3)
        third.wait_for(lambda routes: routes[0]["confirmed"] == 100, "the server has no message left")
        numbers += self.stored(third, 100)
        self.assertEqual(numbers, [*range(51, 101), *range(1, 51)])

    def test_older_messages_that_another_client_gives_back_are_stored(self):
        """They come after newer ones, which another life of the route out has sent."""
        sender = self.start_sender(**{"x-queue-type": "classic"})  # such a queue does not count that client as a consumer
        self.send(sender, 1, 3)
        channel = self.channel()
        last = [channel.basic_get(self.test_name)[0] for _ in range(3)][-1]
        self.restart_bridge(sender)
        self.send(sender, 4, 3)
        bridge = self.receiver(1)
        numbers = self.stored(bridge, 3)
        channel.basic_nack(last.delivery_tag, multiple=True)
        bridge.wait_for(lambda routes: routes[0]["confirmed"] == 6, "those that were given back, too")
        numbers += self.stored(bridge, 6)
        self.assertEqual(numbers, [4, 5, 6, 1, 2, 3])

    def lost(self, plant, with_death):
        """How many of 100 messages a route out loses whose connection carries nothing, and ends, alone or with its bridge."""
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        proxy = self.proxy()
        bridge = self.bridge("--out", f"{name}={name}", port=proxy.port, plant=plant)
        bridge.wait_for_state("running")
        proxy.hold()
        self.machine.publish_now(name, 100)
        bridge.wait_for(lambda routes: routes[0]["forwarded"] == 100, "all are on their way")
        if with_death:
            bridge.kill()
        proxy.cut()
        if with_death:
            bridge.start()
        bridge.wait_for_state("running")
        wait_until(lambda: self.machine.depth(name, "bridge") == 0, "none is left here", bridge.routes)
        return 100 - self.channel().queue_declare(name, passive=True).method.message_count

    def test_planted_ack_before_confirm_is_noticed(self):
        self.assertEqual(self.lost("ack_before_confirm", with_death=True), 100)

    def test_planted_drop_at_reconnect_is_noticed(self):
        self.assertEqual(self.lost("drop_at_reconnect", with_death=False), 100)

    def test_dead_route_without_planted_fault_loses_nothing(self):
        self.assertEqual(self.lost(None, with_death=True), 0)

    def test_cut_route_without_planted_fault_loses_nothing(self):
        self.assertEqual(self.lost(None, with_death=False), 0)


class Random(bridge_case.WithServer):
    """Faults at random moments, in the middle of MESSAGES messages."""

    @staticmethod
    def chaos(*faults):
        def make(bridge, reader, _):
            Chaos([lambda fault=fault: fault(bridge) for fault in faults]).run_while(lambda: reader.poll() is None)
        return make

    def stop_bridge(self, bridge):
        self.stop_for_a_moment(bridge.process.pid)

    def stop_server(self, _):
        self.stop_for_a_moment(self.server.server.pid)

    def kill_server(self, _):
        self.restart_server()

    def test_bridge_that_is_killed_loses_and_doubles_nothing(self):
        self.round_trip(self.chaos(self.restart_bridge, self.stop_bridge))

    def test_connection_that_is_cut_and_slowed_loses_and_doubles_nothing(self):
        proxy = Proxy(self.server.port)
        self.addCleanup(proxy.close)

        def cut(_):
            proxy.cut()

        def slow(_):
            proxy.pause_s = 0.02
            time.sleep(0.5)
            proxy.pause_s = 0.0
        self.round_trip(self.chaos(cut, cut, slow), port=proxy.port)

    def test_server_that_is_killed_and_stopped_loses_and_doubles_nothing(self):
        self.round_trip(self.chaos(self.kill_server, self.stop_server, self.stop_server, self.stop_server))

    def test_all_together_lose_and_double_nothing(self):
        faults = [self.restart_bridge, self.stop_bridge, self.stop_server] * 4
        self.round_trip(self.chaos(*faults, self.kill_server))


if __name__ == "__main__":
    bridge_case.main()
