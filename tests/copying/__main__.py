"""A store of any size is moved to PostgreSQL while it is written to, and the move is killed at random moments.

python -m tests.copying --customers 1000000 --kills 20

Then both are compared row by row by this program itself, and every write that was acknowledged is looked for.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.copying.compared import differences
from tests.copying.writer import Writer, a_store
from tests.databases import Server

_COMMAND = [sys.executable, "-m", "adapter", "db", "copy"]


def main() -> int:
    """0 when both are equal and nothing that was acknowledged is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.copying", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10, help="how often the copy is killed, at random moments")
    parser.add_argument("--writes", type=int, default=50, help="how many calls a second are written meanwhile")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    server = Server(settings=("fsync=on",))
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _moved(Path(folder), server, asked)
    finally:
        server.stop()


def _moved(folder: Path, server: Server, asked: argparse.Namespace) -> int:
    file = folder / "calls.db"
    began = time.monotonic()
    a_store(folder, file, asked.customers)
    print(f"{asked.customers:,} customers in {_size(file):,} MB, made in {time.monotonic() - began:.0f} s", flush=True)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE calls")
    ends = ["--from", f"sqlite:///{file}", "--to", server.url("calls"), "--json"]
    writer = Writer(file, asked.writes, asked.customers)
    writer.start()
    try:
        _killed(ends, asked.kills, random.Random(asked.seed), longest=5.0 + asked.customers / 50_000)
        copied, again, done = _run(ends), _run(ends), _run([*ends, "--finish"])
    finally:
        writer.stop()
    rows = sum(table["rows"] for table in done["tables"].values())
    rate = rows / copied["seconds"]
    print(f"{rows:,} rows; the last copy {copied['seconds']:.0f} s ({rate:,.0f} rows/s if nothing was done before)")
    print(f"compared once more: {again['seconds']:.0f} s; the end: {done['seconds']:.1f} s")
    print(f"writers waited {done['stopped_seconds']:.2f} s; {len(writer.acknowledged):,} writes meanwhile")
    found = [*differences(file, server.url("calls")), *writer.missing(server.url("calls"))]
    print("\n".join(found) if found else "equal, row by row, and nothing is missing")
    return 1 if found else 0


def _killed(ends: list[str], kills: int, chance: random.Random, longest: float) -> None:
    """Start it and kill it, each time somewhere else."""
    for number in range(kills):
        process = subprocess.Popen([*_COMMAND, *ends], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = chance.uniform(0.4, longest)
        time.sleep(seconds)
        process.kill()
        ended = "killed" if process.wait() < 0 else "over already"
        print(f"{number + 1}: {ended} after {seconds:.1f} s", flush=True)


def _run(arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}: {done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _size(file: Path) -> int:
    return file.stat().st_size // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
