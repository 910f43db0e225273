#!/usr/bin/env python3
"""Medians of what wait_strategies wrote, run after run: CSV for wait_strategies.gp, or a table.

    wait_strategies.py [--table] [--near LOW:HIGH] RUNS.csv... > wait_strategies.csv

Runs whose raw probes, before and after, are not both within --near (ns) are dropped; how many is said at the end.
"""
import argparse
import csv
import statistics
import sys

STRATEGIES = ("spin", "adaptive", "sleep")
FIGURES = ("p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns", "cpu_percent", "sleeps_per_message",
           "cpu_ns_per_message", "probe_ns")


def read(paths, low, high):
    """(strategy, rate) -> runs that count; and how many were there, and dropped."""
    kept, dropped = {}, 0
    for path in paths:
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                if row["rate"] == "rate":
                    continue  # the heading of a run that was appended
                probes = [float(row["probe_before_ns"]), float(row["probe_after_ns"])]
                if not all(low <= probe <= high for probe in probes):
                    dropped += 1
                    continue
                run = {name: float(row[name]) for name in FIGURES if name in row}
                messages = float(row["messages"])
                run["sleeps_per_message"] = float(row["sleeps"]) / messages
                run["cpu_ns_per_message"] = float(row["cpu_ns"]) / messages
                run["probe_ns"] = statistics.mean(probes)
                kept.setdefault((row["strategy"], int(row["rate"])), []).append(run)
    return kept, dropped


def time_name(ns):
    for unit, name in ((1e6, "ms"), (1e3, "us")):
        if ns >= unit:
            return f"{ns / unit:.3g} {name}"
    return f"{ns:.0f} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="Markdown instead of CSV")
    parser.add_argument("--near", default="45:110", help="ns of a raw half round trip")
    parser.add_argument("runs", nargs="+")
    options = parser.parse_args()
    low, high = (float(bound) for bound in options.near.split(":"))
    kept, dropped = read(options.runs, low, high)
    rates = sorted({rate for _, rate in kept})
    medians = {key: {name: statistics.median(run[name] for run in runs) for name in FIGURES}
               for key, runs in kept.items()}
    if options.table:
        print("| messages a second | strategy | p50 | p99 | processor time | a message | sleeps a message | runs |")
        print("|---|---|---|---|---|---|---|---|")
    else:
        print(",".join(("strategy", "rate") + FIGURES + ("runs",)))
    for rate in rates:
        for strategy in STRATEGIES:
            if (strategy, rate) not in medians:
                continue
            figures, runs = medians[strategy, rate], len(kept[strategy, rate])
            if options.table:
                print(f"| {rate} | {strategy} | {time_name(figures['p50_ns'])} | {time_name(figures['p99_ns'])} "
                      f"| {figures['cpu_percent']:.3g} % | {time_name(figures['cpu_ns_per_message'])} "
                      f"| {figures['sleeps_per_message']:.2g} | {runs} |")
            else:
                print(",".join([strategy, str(rate)] + [f"{figures[name]:.6g}" for name in FIGURES] + [str(runs)]))
    print(f"{sum(map(len, kept.values()))} runs count, {dropped} were not near", file=sys.stderr)


main()
