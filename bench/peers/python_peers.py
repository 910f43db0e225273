"""Beltway in Python against C++ and against what Python programs use otherwise: pyzmq, multiprocessing's Queue and Pipe.

    PYTHONPATH=build/bench/python python3 bench/peers/python_peers.py [--rounds N] [--cpus A,B] [--only NAME] > figures.json

Two processes, a sender and a receiver, hold an endpoint of every candidate at the same time. They measure in slices, one
candidate after the other, round after round; C++ is measured by `beltway bench` in the same rounds. A figure is the
median over rounds. Throughput counts from the first send to the last receive. Latency is half a round trip, p50. The
output is one JSON object: figures, and the ratios that are asked of Python. Needs numpy; pyzmq (python3-zmq) if there.
"""

import argparse
import ctypes
import json
import multiprocessing
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import beltway
from python_candidates import LATENCY, THROUGHPUT, Images, now, zmq

# What `beltway bench` measures of C++.
CPP = {"C++ one by one": "throughput --size 64 --slots 4096 --copy",
       "C++ batches": "throughput --size 64 --slots 4096 --copy --batch 64",
       "C++ 1 MiB loans": "throughput --size 1M --slots 16 --lane-bytes 16M", "C++ round trip": "latency --size 8"}
# A ratio by its name: above and below the line. Of rates more is better, of times less, except those of pyzmq.
RATIOS = {"sent and received one by one / C++": ("one by one", "C++ one by one"),
          "lists of 64 / C++ batches": ("lists of 64", "C++ batches"), "arrays / C++ batches": ("arrays", "C++ batches"),
          "1 MiB loans / C++": ("1 MiB loans", "C++ 1 MiB loans"),
          "1 MiB loans, numpy / C++": ("1 MiB loans, numpy", "C++ 1 MiB loans"), "one by one / pyzmq": ("one by one", "pyzmq"),
          "one by one / multiprocessing.Queue": ("one by one", "multiprocessing.Queue"),
          "one by one / multiprocessing.Pipe": ("one by one", "multiprocessing.Pipe"),
          "round trip / C++": ("round trip", "C++ round trip"), "pyzmq round trip / ours": ("pyzmq round trip", "round trip"),
          "asyncio round trip / bare eventfd": ("asyncio round trip", "asyncio eventfd")}


def work(role, cpu, names, folder, pipes, control):
    """One of the two processes: measures a slice for each name that it is told."""
    os.sched_setaffinity(0, {cpu})
    candidates = {name: kind(role, folder, pipes) for name, kind in {**THROUGHPUT, **LATENCY}.items() if name in names}
    control.send("ready")
    while (name := control.recv()) is not None:
        start = now()
        result = getattr(candidates[name], role)(candidates[name].count)
        control.send((start, now(), result))


def measure_cpp(tool, arguments, cpus):
    command = [tool, "--format", "json", "bench", *arguments.split(), "--wait", "spin", "--seconds", "0.3",
               "--near", "0:1000000", "--pin", ",".join(map(str, cpus))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found["half_round_trip_ns"]["p50"] / 1e9 if found["bench"] == "latency" else found["messages_per_s"]["median"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cpus", default="0,1")
    parser.add_argument("--only", action="append", help="a candidate; may be repeated")
    parser.add_argument("--scale", type=float, default=1, help="of the messages of a slice")
    options = parser.parse_args()
    cpus = [int(each) for each in options.cpus.split(",")]
    programs = pathlib.Path(beltway.__file__).resolve().parents[2] / "bin"
    names = [name for name in [*THROUGHPUT, *LATENCY, *CPP] if options.only is None or name in options.only]
    if (programs / "bench_bytes.so").exists():  # target bench_bytes
        Images.loops = ctypes.CDLL(programs / "bench_bytes.so")
    else:
        names = [name for name in names if name != "1 MiB loans"]
    if zmq is None:
        names = [name for name in names if "zmq" not in name]
    for kind in {**THROUGHPUT, **LATENCY}.values():
        kind.count = max(64, int(kind.count * options.scale) // 10_000 * 10_000 or int(kind.count * options.scale))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BELTWAY_SOCKET"] = f"{folder}/socket"
        daemon = subprocess.Popen([programs / "beltwayd", "--no-keeper", "--socket", f"{folder}/socket"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(f"{folder}/socket"):
                time.sleep(0.01)
            figures = measure(names, options.rounds, cpus, folder, programs / "beltway")
        finally:
            daemon.terminate()
            daemon.wait()
    result = {"python": platform.python_version(), "processor": platform.processor(), "rounds": options.rounds,
              "figures": {name: statistics.median(values) for name, values in figures.items()},
              "spread": {name: [min(values), max(values)] for name, values in figures.items()}}
    found = result["figures"]
    result["ratios"] = {name: found[above] / found[below] for name, (above, below) in RATIOS.items()
                        if above in found and below in found}
    json.dump(result, sys.stdout, indent=1)
    print()


def measure(names, rounds, cpus, folder, tool):
    ours = [name for name in names if name not in CPP]
    start = multiprocessing.get_context("fork")
    pipes = {"queue": start.Queue(4096), "pipe": start.Pipe(False), "eventfds": (os.eventfd(0), os.eventfd(0))}
    controls, workers = {}, []
    for role, cpu in (("receive", cpus[1]), ("send", cpus[0])):
        controls[role], theirs = start.Pipe()
        workers.append(start.Process(target=work, args=(role, cpu, ours, folder, pipes, theirs), daemon=True))
        workers[-1].start()
        assert controls[role].recv() == "ready"
    figures = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            if name in CPP:
                figures[name].append(measure_cpp(tool, CPP[name], cpus))
                continue
            controls["receive"].send(name)
            controls["send"].send(name)
            first, _, half = controls["send"].recv()
            _, last, _ = controls["receive"].recv()
            figures[name].append(half if name in LATENCY else {**THROUGHPUT, **LATENCY}[name].count / (last - first))
    for control in controls.values():
        control.send(None)
    for worker in workers:
        worker.join()
    return figures


if __name__ == "__main__":
    main()
