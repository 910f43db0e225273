"""Random SIGKILLs of producers and workers in every language, and of the daemon: no committed message is lost, none is torn,
nobody is stuck, and nothing is left behind.

usage: languages_soak.py BELTWAYD BELTWAY ACTOR...: the programs beltwayd and beltway, and a command line for each language:
"NAME=PROGRAM ARGUMENT ...", or "NAME=" if the build has no actor in that language: then this is told. A producer and a worker of
each language run at any time. It is counted what each language published and acknowledged, and none may be 0. BELTWAY_SOAK_S is
the length in seconds.

An actor is started as
    COMMAND producer SOCKET QUEUE ID FIRST LOG
    COMMAND worker SOCKET QUEUE GROUP LOG
and writes one line a write() to its log: a producer "b N" before it publishes message N and "c N" after it, a worker
"s ID N DELIVERIES" before it acknowledges. What is in the log outlives the actor.
"""

import collections
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

GROUP = "workers"
QUEUE = "stream"
OPTIONS = ["--slots", "64", "--lane-bytes", "65536", "--max-producers", "8", "--max-consumers", "16", "--retry-delay", "1ms"]
PATIENCE_S = 60
#: The logs of a round are read at its end, so they must not grow for long.
ROUND_S = 3.0


class Actor:
    """One living process of a role in a language. Its log stays when it is killed and another takes its place."""

    def __init__(self, soak, language, role, identity):
        self.soak, self.language, self.role, self.identity = soak, language, role, identity
        self.log = os.path.join(soak.folder, f"{role}-{language}-{identity}-{soak.rounds}.log")
        self.start()

    def start(self):
        command = [*self.soak.commands[self.language], self.role, self.soak.socket, QUEUE]
        command += [str(self.identity), str(self.next_number())] if self.role == "producer" else [GROUP]
        self.process = subprocess.Popen([*command, self.log], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.soak.errors)

    def next_number(self):
        return 1 + max((number for kind, number in self.lines() if kind == "b"), default=-1)

    def lines(self):
        """The whole lines of the log; numbers as int."""
        try:
            with open(self.log, encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        return [(kind, *map(int, numbers)) if len(numbers) > 1 else (kind, int(numbers[0]))
                for kind, *numbers in map(str.split, text[:text.rfind("\n") + 1].splitlines())]

    def kill(self):
        """Kills it and starts another. One that ended by itself has failed."""
        self.check()
        self.process.kill()
        self.process.wait()
        self.start()

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the {self.role} in {self.language} ended by itself: exit code {self.process.returncode}")

    def end(self):
        self.process.terminate()
        code = self.process.wait(timeout=PATIENCE_S)
        if code != 0:
            raise AssertionError(f"the {self.role} in {self.language} ended with exit code {code}")

    def size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0


class Shares:
    """What each language published and acknowledged."""

    def __init__(self, languages):
        self.published = collections.Counter(dict.fromkeys(languages, 0))
        self.acknowledged = collections.Counter(dict.fromkeys(languages, 0))

    def add_round(self, producers, workers):
        """Counts the logs of a round. The group must be empty: then the last delivery of each message was acknowledged."""
        last = {}
        for actor in producers:
            self.published[actor.language] += sum(kind == "c" for kind, _ in actor.lines())
        for actor in workers:
            for _, producer, number, deliveries in actor.lines():
                last[producer, number] = max(last.get((producer, number), (0, "")), (deliveries, actor.language))
        self.acknowledged.update(language for _, language in last.values())

    def check(self):
        """Each language had a part on both ends."""
        for what, counts in ("published", self.published), ("acknowledged", self.acknowledged):
            idle = [language for language, count in counts.items() if count == 0]
            assert not idle, f"{what} nothing: the actors in {', '.join(idle)}"

    def __str__(self):
        return f"published by {dict(self.published)}, acknowledged by {dict(self.acknowledged)}"


class Soak:
    def __init__(self, daemon, tool, commands):
        self.daemon, self.tool, self.commands = daemon, tool, commands
        self.folder = tempfile.mkdtemp(prefix="beltway-soak-")
        self.socket = os.path.join(self.folder, "beltwayd.sock")
        self.errors = open(os.path.join(self.folder, "errors"), "a+", encoding="utf-8")
        self.supervisor = subprocess.Popen([daemon, "--socket", self.socket], stdin=subprocess.DEVNULL,
                                           stdout=self.errors, stderr=self.errors)
        self.actors = []
        self.rounds = 0
        self.kills = collections.Counter()
        self.messages = 0
        self.again = 0
        self.shares = Shares(commands)
        self.random = random.Random()

    def beltway(self, *arguments):
        """The tool's answer; None if it failed, as while the daemon starts again."""
        env = {**os.environ, "BELTWAY_SOCKET": self.socket}
        done = subprocess.run([self.tool, *arguments], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def eventually(self, what, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            for actor in self.actors:
                actor.check()
            if time.monotonic() > end:
                raise AssertionError(f"after {PATIENCE_S} s still not: {what}")
            time.sleep(0.02)

    def run(self, seconds):
        self.eventually("the daemon answers", lambda: self.beltway("ping"))
        assert self.beltway("declare", QUEUE, *OPTIONS, "--group", GROUP) is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.rounds += 1
            self.run_round(min(end, time.monotonic() + ROUND_S))
        print(f"killed {dict(self.kills)}; {self.messages} messages, 0 lost, {self.again} seen again; "
              f"{self.shares}")
        self.shares.check()

    def run_round(self, end):
        for identity, language in enumerate(self.commands):
            self.actors += [Actor(self, language, "producer", identity), Actor(self, language, "worker", identity)]
        self.eventually("each actor has worked", lambda: all(actor.size() > 0 for actor in self.actors))
        turns = []
        while time.monotonic() < end:
            turns = turns or self.random.sample(self.actors, len(self.actors))  # each is killed as often as the others
            actor = turns.pop()
            if self.random.random() < 0.5:  # at work, not only at its start
                size = actor.size()
                self.eventually(f"the {actor.role} in {actor.language} goes on", lambda: actor.size() > size)
            time.sleep(self.random.random() * 0.05)
            actor.kill()
            self.kills[f"{actor.language} {actor.role}"] += 1
            if self.random.random() < 0.1:
                self.kill_daemon()
        sizes = [actor.size() for actor in self.actors]
        self.eventually("each actor goes on after the last kill",
                        lambda: all(actor.size() > size for actor, size in zip(self.actors, sizes)))
        self.finish()

    def kill_daemon(self):
        answer = self.beltway("ping", "--format", "json")
        if answer is not None:
            os.kill(json.loads(answer)["pid"], signal.SIGKILL)
            self.kills["daemon"] += 1

    def finish(self):
        producers = [actor for actor in self.actors if actor.role == "producer"]
        workers = [actor for actor in self.actors if actor.role == "worker"]
        for actor in producers:
            actor.end()
        self.actors = workers
        self.eventually("the queue is empty", self.is_empty)
        for actor in workers:
            actor.end()
        self.actors = []
        self.judge(producers, workers)
        self.eventually("all have left", lambda: not self.show()["queue"]["endpoints"])

    def show(self):
        """The queue. A daemon that was killed a moment ago is waited for by the tool."""
        answer = self.beltway("show", QUEUE, "--format", "json")
        if answer is None:
            raise AssertionError("beltway show fails")
        return json.loads(answer)

    def is_empty(self):
        (group,) = self.show()["state"]["groups"]
        return group["available"] + group["leased"] + group["delayed"] == 0

    def judge(self, producers, workers):
        """0 lost: all that was committed was seen. What was never begun was not seen; who sees it again is told so."""
        begun, committed = set(), set()
        for actor in producers:
            for kind, number in actor.lines():
                (begun if kind == "b" else committed).add((actor.identity, number))
        seen = collections.Counter()
        first = collections.Counter()
        for actor in workers:
            for _, producer, number, deliveries in actor.lines():
                seen[producer, number] += 1
                first[producer, number] += deliveries == 1
        lost = committed - seen.keys()
        assert not lost, f"{len(lost)} messages were committed and never seen: {sorted(lost)[:10]}"
        assert not seen.keys() - begun, f"never sent: {sorted(seen.keys() - begun)[:10]}"
        unmarked = [message for message, count in first.items() if count > 1]
        assert not unmarked, f"came again, and said first: {unmarked[:10]}"
        self.shares.add_round(producers, workers)
        self.messages += len(committed)
        self.again += sum(seen.values()) - len(seen)
        for actor in (*producers, *workers):
            os.unlink(actor.log)

    def close(self):
        for actor in self.actors:
            actor.process.kill()
            actor.process.wait()
        self.supervisor.terminate()
        try:
            self.supervisor.wait(timeout=PATIENCE_S)
        finally:
            self.supervisor.kill()
        self.errors.seek(0)
        text = "".join(line for line in self.errors if "[info]" not in line)
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return text


def give_up(_number, _frame):
    raise AssertionError("the soak does not end")


def main():
    commands = {}
    for argument in sys.argv[3:]:
        name, _, command = argument.partition("=")
        if command:
            commands[name] = shlex.split(command)
        else:
            print(f"SKIPPED: THIS BUILD HAS NO ACTOR IN {name.upper()}", flush=True)
    if not commands:
        return
    soak = Soak(sys.argv[1], sys.argv[2], commands)
    failure = None
    seconds = float(os.environ.get("BELTWAY_SOAK_S", "3"))
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(2 * seconds) + 100)  # before ctest kills this process, whose daemon would stay
    try:
        soak.run(seconds)
    except AssertionError as error:
        failure = error
    errors = soak.close()
    if failure:
        sys.exit(f"{failure}\n{errors[-4000:]}")


if __name__ == "__main__":
    main()
