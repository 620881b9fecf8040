"""`sticky-calls db drill`: is the latest backup of any use? It is put back for real, at a temporary place, and read.

A backup that was never restored is a hope. Nothing of the running service is touched. Leaves out: making backups and
restoring in earnest (`backup`); PostgreSQL, whose dumps its own tools try.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import click

from adapter.cli.configured import config_option, configured
from adapter.cli.shown import AS_JSON, show_json
from adapter.clock import SystemClock
from adapter.config import Config
from adapter.engine.policy import SECOND
from adapter.errors import AdapterError, SealBroken
from adapter.store.bulk.pages import customer_pages
from adapter.store.moving.rows import counts
from adapter.store.organizations import realms
from adapter.store.sealing import Keyring
from adapter.store.sqlite.restore import restore
from adapter.store.sqlite.store import SqliteStore
from adapter.web.rest.render import timestamp

_HOUR_SECONDS: Final = 3_600
_PATIENCE_SECONDS: Final = 5.0
# Whether the keys fit shows with the first values; reading all of a big database would take minutes.
_PAGES_OPENED: Final = 2


@click.command(epilog="Example:  sticky-calls db drill /var/backups/sticky-calls --at-most-hours 30")
@click.argument("backup", type=click.Path(path_type=Path, exists=True))
@click.option("--at-most-hours", type=click.IntRange(1), help="Exit code 1 also when the backup is older than this.")
@click.option(
    "--work-folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where it is put back for a moment: room for the database is needed. Without it: $TMPDIR.",
)
@AS_JSON
@config_option
def drill(backup: Path, at_most_hours: int | None, work_folder: Path | None, as_json: bool, path: Path | None) -> None:
    """Put BACKUP (a file, or the latest *.db of a folder) back at a temporary place, check it, and throw it away.

    Is it whole, of a version that this one can use, and do the encryption keys of the configuration open what is in it?
    Exit code 1 if not.
    """
    config = configured(path)
    file = _latest(backup)
    with tempfile.TemporaryDirectory(dir=work_folder, prefix="sticky-calls-drill-") as folder:
        tried = _tried(config, file, Path(folder))
    problems = [*tried.problems, *_too_old(tried, at_most_hours)]
    if as_json:
        show_json({**asdict(tried), "problems": problems})
    else:
        click.echo(_told(tried))
    if problems and not as_json:
        raise click.ClickException("\n".join(problems))
    if problems:
        raise SystemExit(1)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of it. `made_at`: the file's own time. `rows`: by table; empty when it could not be read."""

    backup: str
    made_at: str
    hours_old: float
    seconds: float
    rows: dict[str, int]
    problems: tuple[str, ...] = ()


def _latest(backup: Path) -> Path:
    if backup.is_file():
        return backup
    found = sorted(backup.glob("*.db"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise click.ClickException(f"there is no backup (*.db) in {backup}")
    return found[-1]


def _tried(config: Config, file: Path, folder: Path) -> _Tried:
    began, made = time.monotonic(), file.stat().st_mtime
    store = SqliteStore(folder / "drill.db", Keyring(config.security.encryption_keys), _PATIENCE_SECONDS)
    rows: dict[str, int] = {}
    problems: list[str] = []
    try:
        restore(file, store, SystemClock().now())
        store.migrate()
        problems += store.schema_problems()
        rows = counts(store)
        _open_some(store)
    except SealBroken as error:
        problems.append(f"{error.message}: are these the encryption keys of the time of the backup?")
    except AdapterError as error:
        problems.append(error.message)
    finally:
        store.close()
    hours = (time.time() - made) / _HOUR_SECONDS
    seconds = time.monotonic() - began
    return _Tried(str(file), timestamp(round(made * SECOND)), round(hours, 1), round(seconds, 2), rows, tuple(problems))


def _open_some(store: SqliteStore) -> None:
    now = SystemClock().now()
    for realm in realms(store):
        for _ in islice(customer_pages(store, realm, now), _PAGES_OPENED):
            pass


def _too_old(tried: _Tried, at_most_hours: int | None) -> list[str]:
    if at_most_hours is None or tried.hours_old <= at_most_hours:
        return []
    return [f"it is {tried.hours_old:,.0f} hours old: is the backup timer running? (systemctl list-timers)"]


def _told(tried: _Tried) -> str:
    kept = f"{tried.rows.get('customers', 0):,} customers, {tried.rows.get('calls', 0):,} calls"
    state = "NOT USABLE" if tried.problems else "restored and sound"
    return f"{tried.backup} of {tried.made_at[:16]}Z: {state} in {tried.seconds:.1f} s, with {kept}."
