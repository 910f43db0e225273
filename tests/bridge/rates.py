"""rates.py PROGRAMS [MESSAGES]: messages a second of the bridge beside those of RabbitMQ's own client, in turns on one server.

Sending ends with the last confirmation. Receiving begins with the first message and ends with the last one. Beside the bridge run
`beltway pub` and `beltway sub`. Prints the rates of each turn and the median ratio, each way.
"""

import json
import statistics
import subprocess
import sys
import time

from bridge_support import Bridge, Machine, pika_brokers, wait_until

TURNS = 3
BYTES = 100
WINDOW = 1024


def main(programs, messages):
    import pika
    server = pika_brokers.RabbitMq()
    machine = Machine(programs)
    try:
        channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.port, heartbeat=0)).channel()

        def client(what, queue):
            done = subprocess.run([f"{programs}/rabbitmq_client", what, str(server.port), queue, str(messages), str(BYTES),
                                   str(WINDOW)], stdout=subprocess.PIPE, check=True, text=True)
            return float(done.stdout)

        def bridge_send(queue):
            bridge = Bridge(machine, server.port, "--window", str(WINDOW), "--out", f"out={queue}", name="out")
            bridge.wait_for_state("running")
            start = time.monotonic()
            publisher = machine.start_publishing("out", messages, width=BYTES)
            # Not the status, which is half a second old.
            wait_until(lambda: publisher.poll() is not None and machine.depth("out", "bridge") == 0, "confirmed", patience=600)
            rate = messages / (time.monotonic() - start)
            bridge.stop()
            return rate

        def bridge_receive(queue):
            reader = subprocess.Popen([machine.tool, "--format", "json", "sub", "in", "--group", "check", "--digest",
                                       "--count", str(messages)], env=machine.env, stdout=subprocess.PIPE, text=True)
            bridge = Bridge(machine, server.port, "--window", str(WINDOW), "--in", f"{queue}=in", name="in")
            summary, _ = reader.communicate()
            bridge.stop()
            return messages / json.loads(summary)["first_to_last_seconds"]

        # A short ring: the publisher ends late, and only then processes start that ask for the depth, beside what is measured.
        machine.declare("out", "--slots", "2048", groups=("bridge",))
        machine.declare("in", "--slots", "16384", groups=("check",))
        ratios = {"send": [], "receive": []}
        for turn in range(TURNS):
            rates = {}
            for name, send, receive in (("client", lambda q: client("send", q), lambda q: client("receive", q)),
                                        ("bridge", bridge_send, bridge_receive)):
                queue = f"{name}{turn}"
                channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
                rates[name] = {"send": send(queue)}
                # Both receive the client's messages.
                channel.queue_purge(queue)
                client("send", queue)
                rates[name]["receive"] = receive(queue)
                channel.queue_delete(queue)
            for way, found in ratios.items():
                found.append(rates["bridge"][way] / rates["client"][way])
                print(f"{way}: bridge {rates['bridge'][way]:.0f}/s, client {rates['client'][way]:.0f}/s, ratio {found[-1]:.2f}",
                      flush=True)
        medians = {way: statistics.median(found) for way, found in ratios.items()}
        print("median ratio: " + ", ".join(f"{way} {ratio:.2f}" for way, ratio in medians.items()))
        return 0 if min(medians.values()) >= 0.8 else 1
    finally:
        machine.close()
        server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50_000))
