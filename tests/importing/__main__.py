"""Very many customers are imported: how fast, in how much memory, and is one that was killed equal to one that was not?

python -m tests.importing --customers 1000000 --kills 4 [--store postgresql] [--sealed] [--batch 5000]

The same file goes into two databases with the command itself: once undisturbed, at a terminal with its progress bar,
and once killed at random moments and started again. Then both are exported, and what is in them is added up and
compared. On SQLite its speed is told as a share of a yardstick's in the same run, too: `plain`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.databases import Server
from tests.importing import kept, people, plain, runs

_MOST_MEGABYTES = 300.0


def main() -> int:
    """0 when both are equal and nothing took more memory than it may."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.importing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3, help="0: only the speed")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--sealed", action="store_true", help="with encryption at rest")
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return Importing(Path(folder), asked).compared()


class Importing:
    """One file, two databases."""

    def __init__(self, folder: Path, asked: argparse.Namespace) -> None:
        self.folder = folder
        self.asked = asked
        self.file = folder / "crm.jsonl"
        self.wrong: list[str] = []
        self._server: Server | None = None

    def compared(self) -> int:
        """0 when all is as it should be."""
        asked = self.asked
        people.write(self.file, asked.customers, asked.seed)
        if asked.store == "postgresql":
            self._server = Server(settings=("fsync=on",))
            self._server.start()
        try:
            seconds = self._undisturbed()
            if asked.kills:
                self._killed(seconds)
        finally:
            if self._server is not None:
                self._server.stop()
        print("\n".join(f"WRONG: {each}" for each in self.wrong) or "all is well")
        return int(bool(self.wrong))

    def _undisturbed(self) -> float:
        config = self._database("undisturbed")
        ran = runs.at_a_terminal(config, *self._import())
        self._must(ran.code == 1, f"the import ended with {ran.code}: some records are wrong, and that is 1")
        self._must(len(ran.shown) >= 3, f"the progress bar showed {ran.shown}")
        rate = self.asked.customers / ran.seconds
        print(f"{ran.told.strip()}\n{rate:,.0f} customers/s ({ran.seconds:.0f} s), {ran.megabytes:.0f} MB", flush=True)
        self._must(ran.megabytes < _MOST_MEGABYTES, f"the import took {ran.megabytes:.0f} MB")
        if self.asked.store == "sqlite":
            took = plain.seconds_for(self.file, self.folder / "plain.db", self.asked.batch)
            share = took / ran.seconds
            print(f"{share:.2f} of a plain script's {self.asked.customers / took:,.0f} customers/s", flush=True)
            (self.folder / "plain.db").unlink()
        return ran.seconds

    def _killed(self, seconds: float) -> None:
        config, chance = self._database("killed"), random.Random(self.asked.seed)
        within = seconds / (self.asked.kills + 1)
        kills = runs.killed(config, self.asked.kills, within, chance, *self._import())
        self._must(kills > 0, "it was over before it could be killed")
        ended = runs.progress(config, *self._import())
        again = runs.progress(self.folder / "undisturbed/config.yaml", *self._import())
        self._must(ended == again, f"progress is {ended} and not {again}")
        print(f"killed {kills} times and started again: {ended}", flush=True)
        first, second = (self._sums(name) for name in ("undisturbed", "killed"))
        for name in first.keys() | second.keys():
            self._must(first[name] == second[name], f"{name}: {first[name]} and {second[name]}")
        print(f"compared: {first}", flush=True)

    def _sums(self, name: str) -> dict[str, str]:
        output = self.folder / f"{name}.jsonl"
        ran = runs.at_a_terminal(self.folder / name / "config.yaml", "export", "--all", "--output", str(output))
        self._must(ran.code == 0, f"the export ended with {ran.code}")
        self._must(ran.megabytes < _MOST_MEGABYTES, f"the export took {ran.megabytes:.0f} MB")
        found = kept.sums(self._url(name), output)
        rate = int(found["customers, rows"]) / ran.seconds
        print(f"exported: {rate:,.0f} customers/s, {ran.megabytes:.0f} MB", flush=True)
        output.unlink()
        return found

    def _database(self, name: str) -> Path:
        if self._server is not None:
            with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
        return runs.configured(self.folder / name, self._url(name), sealed=self.asked.sealed)

    def _url(self, name: str) -> str:
        return f"sqlite:///{self.folder}/{name}/calls.db" if self._server is None else self._server.url(name)

    def _import(self) -> list[str]:
        return ["import", str(self.file), "--batch", str(self.asked.batch)]

    def _must(self, true: bool, otherwise: str) -> None:
        if not true:
            self.wrong.append(otherwise)


if __name__ == "__main__":
    sys.exit(main())
