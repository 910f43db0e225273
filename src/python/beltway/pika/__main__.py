"""Runs a program of pika unmodified on Beltway: python3 -m beltway.pika [-m MODULE | SCRIPT.py] ARGS..."""

from __future__ import annotations

import os
import runpy
import sys

import beltway.pika


def give_our_modules() -> None:
    """From now on `import pika`, and the import of its modules, give ours."""
    for name, module in list(sys.modules.items()):
        public = not name.rpartition(".")[2].startswith("_")
        if public and (name == "beltway.pika" or name.startswith("beltway.pika.")):
            sys.modules[name.removeprefix("beltway.")] = module


def main() -> None:
    """Runs what the command line names, as python3 would."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        print("usage: python3 -m beltway.pika [-m MODULE | SCRIPT.py] ARGS...\n\n"
              "Runs a Python program that uses pika on Beltway instead of RabbitMQ.", file=sys.stderr)
        sys.exit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    give_our_modules()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    sys.argv = arguments
    sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
    runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
