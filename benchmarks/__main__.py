"""`python -m benchmarks`: prints one Markdown table and stops whatever it started."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import report
from benchmarks.contenders import Arena, Contender
from benchmarks.rounds import measure


def main() -> None:
    """Measure, and print the table."""
    options = _options()
    # Whatever ends this ends the servers and removes what they left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr)

    with (
        tempfile.TemporaryDirectory(prefix="hzl-bench-") as folder,
        Arena(Path(folder), threads=options.threads) as arena,
    ):
        tell("starting databases")
        backing = arena.back()
        tell("starting applications")
        contenders = [
            one for one in arena.contenders(backing) if _is_wanted(one, options.only.split())
        ]
        records = measure(contenders, rounds=options.rounds, seconds=options.seconds, tell=tell)
        print(report.table(records))
        print()
        command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
        print(
            report.circumstances(
                backing, command=command, threads=options.threads, rounds=options.rounds
            )
        )
    tell("done")


def _is_wanted(contender: Contender, words: list[str]) -> bool:
    return not words or any(word in contender.name for word in words)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--rounds", type=int, default=0, help="rounds (5)")
    parser.add_argument("--seconds", type=float, default=0.0, help="of one turn in a round (1)")
    parser.add_argument("--threads", type=int, default=1, help="of each server's one worker (1)")
    parser.add_argument("--only", default="", help="parts of names, as in: 'flask colour werobot'")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.4 if options.quick else 1.0)
    return options


if __name__ == "__main__":
    main()
