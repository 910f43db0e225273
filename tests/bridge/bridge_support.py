"""What the tests of the bridge run: a real RabbitMQ, a daemon, bridges, and a proxy that cuts and slows connections."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import pika_brokers  # noqa: E402

WAIT_S = 90  # for what comes in a second on an idle machine
MESSAGES = int(os.environ.get("BELTWAY_BRIDGE_MESSAGES", 20_000))
ALL_MESSAGES_S = 2 * WAIT_S + MESSAGES // 200  # for all of them, with faults
BRIDGE_FLAGS = ("--longest-pause", "500ms", "--failed-pause", "1s")


def wait_until(condition, what, state=lambda: "", patience=WAIT_S):
    """Waits for something that happens sooner or later. Returns what the condition said."""
    end = time.monotonic() + patience
    while not (said := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"in {patience} s it did not happen: {what}; {state()}")
        time.sleep(0.05)
    return said


class Machine(pika_brokers.Beltway):
    """A daemon, and what programs of its machine do."""

    def __init__(self, programs):
        super().__init__(programs, "")
        self.tool = os.path.join(programs, "beltway")
        self.planted_tool = os.path.join(programs, "beltway_bridge_planted")
        self.env = {**os.environ, "BELTWAY_SOCKET": self.socket}

    def run(self, *arguments, code=0):
        done = subprocess.run([self.tool, *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=WAIT_S, check=False)
        if code is not None and done.returncode != code:
            raise AssertionError(f"beltway {arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def declare(self, queue, *flags, groups=()):
        self.run("declare", queue, *flags, *[word for group in groups for word in ("--group", group)])

    def publish_now(self, queue, count, first=1):
        text = "".join(f"{number}\n" for number in range(first, first + count))
        subprocess.run([self.tool, "pub", queue], env=self.env, input=text, text=True, stdout=subprocess.DEVNULL, check=True,
                       timeout=WAIT_S)

    def start_publishing(self, queue, count, first=1, width=0):
        path = os.path.join(self.folder, f"numbers-{queue}-{first}")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"{number:0{width}}\n" for number in range(first, first + count))
        with open(path, encoding="ascii") as file:
            process = subprocess.Popen([self.tool, "pub", queue], env=self.env, stdin=file, stdout=subprocess.DEVNULL,
                                       preexec_fn=pika_brokers.die_with_parent)
        self.processes.append(process)
        return process

    def start_reading(self, queue, group, count, timeout=WAIT_S):
        """A process that prints the messages of a group, each as a line."""
        path = os.path.join(self.folder, f"read-{queue}-{group}")
        with open(path, "w", encoding="ascii") as file:
            process = self.spawn([self.tool, "sub", queue, "--group", group, "--count", str(count), "--timeout", str(timeout)],
                                 self.env, stdout=file)
        process.lines_path = path
        return process

    def numbers_of(self, reader):
        """What a reader has printed, once it has ended."""
        reader.wait(timeout=ALL_MESSAGES_S)
        with open(reader.lines_path, encoding="ascii") as file:
            return [int(line) for line in file]

    def numbers_now(self, queue, group):
        """What is in the group at this moment. Acknowledges it."""
        reader = self.start_reading(queue, group, 1 << 30, timeout=1)
        return self.numbers_of(reader)

    def endpoints(self, queue):
        queues = json.loads(self.run("list", "--format", "json"))["queues"]
        return next(each["endpoints"] for each in queues if each["name"] == queue)

    def position(self, queue):
        """How many messages the queue has got in its life."""
        return json.loads(self.run("show", queue, "--format", "json"))["state"]["position"]

    def depth(self, queue, group):
        shown = json.loads(self.run("show", queue, "--format", "json"))
        return next(each["depth"] for each in shown["state"]["groups"] if each["name"] == group)


class Bridge:
    """A bridge process, with its status."""

    def __init__(self, machine, port, *flags, name="bridge", plant=None, credentials=None, url=None):
        self.machine = machine
        self.name = name
        env = dict(machine.env)
        if plant:
            env["BELTWAY_BRIDGE_PLANT"] = plant
        if credentials:
            env["BELTWAY_BRIDGE_USER"], env["BELTWAY_BRIDGE_PASSWORD"] = credentials
        self.command = [machine.planted_tool if plant else machine.tool, "bridge", "--name", name, "--url",
                        url or f"amqp://127.0.0.1:{port}", *BRIDGE_FLAGS, *flags]
        self.env = env
        self.start()

    def start(self):
        with open(os.path.join(self.machine.folder, f"{self.name}.output"), "a", encoding="utf-8") as log:
            self.process = self.machine.spawn(self.command, self.env, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.machine.processes.remove(self.process)

    def stop(self):
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        code = self.process.wait(timeout=WAIT_S)
        self.machine.processes.remove(self.process)
        return code

    def routes(self):
        bridges = json.loads(self.machine.run("bridge", "--status", "--format", "json"))["bridges"]
        # Not the status that a process before this one has left.
        mine = (each["routes"] for each in bridges if each["bridge"] == self.name and each["pid"] == self.process.pid)
        return next(mine, [])

    def wait_for(self, condition, what):
        def holds():
            routes = self.routes()
            return routes and condition(routes) and routes
        return wait_until(holds, what, self.routes)

    def wait_for_state(self, state, route=0):
        return self.wait_for(lambda routes: routes[route]["state"] == state, f"route {route} {state}")[route]


class Proxy:
    """Passes bytes between clients and a server, until it is told to cut, to slow down or to hold."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.pause_s = 0.0
        self.is_open = threading.Event()
        self.is_open.set()
        self.sockets = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Ends all connections in the middle of what they carry. What was held is dropped."""
        with self.lock:
            for each in self.sockets:
                self._shut_down(each)
        self.is_open.set()

    def hold(self):
        """The server hears nothing from clients any more, also not that they are gone, until cut(). Clients hear the server."""
        self.is_open.clear()

    def close(self):
        self._shut_down(self.listener)
        self.listener.close()
        self.cut()

    @staticmethod
    def _shut_down(each):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                return
            with server:
                with self.lock:
                    self.sockets |= {client, server}
                back = threading.Thread(target=self._pass, args=(server, client, False), daemon=True)
                back.start()
                self._pass(client, server, True)
                back.join()
                with self.lock:
                    self.sockets -= {client, server}

    def _pass(self, source, target, may_be_held):
        try:
            while data := source.recv(4096 if self.pause_s else 65536):
                if self.pause_s:
                    time.sleep(self.pause_s)
                if may_be_held:
                    self.is_open.wait()
                target.sendall(data)
        except OSError:
            pass
        self.is_open.wait()
        self._shut_down(source)
        self._shut_down(target)


class Chaos:
    """Faults at random, with random pauses. Prints its seed; BELTWAY_BRIDGE_SEED=N gives the same ones again."""

    def __init__(self, faults, longest_pause_s=0.8):
        self.seed = int(os.environ.get("BELTWAY_BRIDGE_SEED", random.randrange(1 << 30)))
        print(f"BELTWAY_BRIDGE_SEED={self.seed}", flush=True)
        self.random = random.Random(self.seed)
        self.faults = faults
        self.longest_pause_s = longest_pause_s
        self.count = 0

    def run_while(self, condition):
        """In the thread of the caller: a process that another thread starts gets its signal when that thread ends."""
        end = time.monotonic() + ALL_MESSAGES_S
        while condition():
            if time.monotonic() > end:
                raise AssertionError(f"after {self.count} faults it does not end")
            time.sleep(self.random.uniform(0.1, self.longest_pause_s))
            self.random.choice(self.faults)()
            self.count += 1
        print(f"{self.count} faults", flush=True)
