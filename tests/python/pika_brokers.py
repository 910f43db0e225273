"""The two brokers that the same scripts run against: a real RabbitMQ, and Beltway. Each lives in a folder of its own."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PYTHON = "/usr/bin/python3"
START_S = 90
SCRIPT_S = 40


def free_ports(count):
    """Ports that no process listened on a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def die_with_parent():
    """Run in a child: it gets SIGTERM when the test ends in any way."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Broker:
    """Runs scripts, and ends the processes that it started."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="beltway-pika-")
        self.processes = []

    def spawn(self, command, env, **how):
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **how)
        self.processes.append(process)
        return process

    def start_script(self, script, *arguments):
        """A started script, whose lines can be read from its stdout."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pika_scripts", script)
        command = [PYTHON, *self.warnings, *self.runner, path, *map(str, arguments)]
        return self.spawn(command, self.script_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_script(self, script, *arguments):
        """What a script prints, with its exit code if that is not 0."""
        return self.finish(self.start_script(script, *arguments))

    def finish(self, process):
        try:
            text, _ = process.communicate(timeout=SCRIPT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            text, _ = process.communicate()
            text += "-- did not end in time\n"
        self.processes.remove(process)
        return text + (f"-- exit code {process.returncode}\n" if process.returncode else "")

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class RabbitMq(Broker):
    """A RabbitMQ node on free ports: no plugins, no service of the machine, everything in a temporary folder."""

    name = "RabbitMQ"
    runner = ()
    warnings = ()

    def __init__(self, certificates=None):
        """`certificates`: a folder with ca.pem, server.pem and server.key, for a port with TLS."""
        super().__init__()
        self.port, self.tls_port, distribution, epmd = free_ports(4)
        folder = self.folder
        plugins = os.path.join(folder, "enabled_plugins")
        with open(plugins, "w", encoding="ascii") as file:
            file.write("[].\n")
        if certificates:
            with open(os.path.join(folder, "node.conf"), "w", encoding="ascii") as file:
                files = (("cacertfile", "ca.pem"), ("certfile", "server.pem"), ("keyfile", "server.key"))
                file.write(f"listeners.ssl.default = 127.0.0.1:{self.tls_port}\n")
                file.writelines(f"ssl_options.{option} = {os.path.join(certificates, name)}\n" for option, name in files)
                file.write("ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": folder,  # the cookie
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "beltway@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": os.path.join(folder, "mnesia"),
            "RABBITMQ_LOG_BASE": os.path.join(folder, "log"),
            "RABBITMQ_CONFIG_FILE": os.path.join(folder, "node.conf" if certificates else "none"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": os.path.join(folder, "none"),
            "RABBITMQ_CONF_ENV_FILE": os.path.join(folder, "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +A 1",
        }
        with open(os.path.join(folder, "epmd"), "w", encoding="ascii") as file:
            # A port mapper of our own: RabbitMQ would start one that outlives it.
            self.spawn(["epmd"], self.env, stdout=file, stderr=file)
        self.start_server()

    def start_server(self):
        """Starts the node, also again after its end; its queues are kept in the folder."""
        log = os.path.join(self.folder, "output")
        with open(log, "w", encoding="ascii") as file:
            self.server = self.spawn([RABBITMQ], self.env, stdout=file, stderr=file, start_new_session=True)
        end = time.monotonic() + START_S
        while True:
            with open(log, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if "Starting broker... completed" in text:
                return
            if self.server.poll() is not None or time.monotonic() > end:
                self.close()
                raise RuntimeError("RabbitMQ does not start:\n" + text)
            time.sleep(0.05)

    def kill_server(self):
        """Kills the node and all that it has started."""
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.processes.remove(self.server)

    def stop_server(self):
        """Ends the node in its own way."""
        self.server.terminate()
        self.server.wait(timeout=START_S)
        self.processes.remove(self.server)

    def control(self, *arguments):
        """Runs rabbitmqctl, which prints to the error stream if it fails."""
        subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", *arguments], env=self.env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=True, timeout=60)

    def script_env(self):
        return {"PATH": os.environ["PATH"], "AMQP_PORT": str(self.port)}


class Beltway(Broker):
    """A daemon on a socket of its own. The scripts run unmodified under `python3 -m beltway.pika`."""

    name = "Beltway"
    runner = ("-m", "beltway.pika")
    warnings = ("-W", "ignore:durable is ignored")

    def __init__(self, programs, modules):
        super().__init__()
        self.socket = os.path.join(self.folder, "beltwayd.sock")
        self.modules = modules
        daemon = os.path.join(programs, "beltwayd")
        # Without a keeper, since that would outlive a test that is killed.
        self.spawn([daemon, "--no-keeper", "--socket", self.socket], os.environ,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while not os.path.exists(self.socket):
            if time.monotonic() > end:
                self.close()
                raise RuntimeError("beltwayd does not start")
            time.sleep(0.01)

    def kill_daemon(self):
        """Kills the daemon. None comes again."""
        self.processes[0].kill()
        self.processes[0].wait()

    def script_env(self):
        return {"PATH": os.environ["PATH"], "AMQP_PORT": "5672", "BELTWAY_SOCKET": self.socket, "PYTHONPATH": self.modules,
                "PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":  # a RabbitMQ to try scripts by hand
    broker = RabbitMq()
    print(f"AMQP_PORT={broker.port}", flush=True)
    try:
        sys.stdin.read()
    finally:
        broker.close()
