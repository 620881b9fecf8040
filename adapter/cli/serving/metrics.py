"""The folder in which the workers of one service count together: made before there are workers, gone with the service.

In memory where the system has that (a page of a file on a slow disk can hold up whoever counts). Leaves out: what is
counted (`adapter.metrics`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from typing import Any

from adapter.config import Config
from adapter.metrics import FOLDER

MEMORY = "/dev/shm"  # nosec B108  # noqa: S108 - new files and folders of our own in it


def count_together(config: Config) -> None:
    """Before the workers, in their master. Somebody who has set the folder themselves keeps it."""
    if config.metrics.token is None or os.environ.get(FOLDER):
        return
    folder = tempfile.mkdtemp(prefix="sticky-calls-metrics-", dir=MEMORY if os.path.isdir(MEMORY) else None)
    os.environ[FOLDER] = folder
    atexit.register(_remove, folder, os.getpid())


def forget_worker(_: Any, worker: Any) -> None:
    """gunicorn's `child_exit`: what a worker that has ended counted stays, what it was at that moment goes."""
    if os.environ.get(FOLDER):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _remove(folder: str, master: int) -> None:
    if os.getpid() == master:  # workers are forks: they run what their master registered
        shutil.rmtree(folder, ignore_errors=True)
