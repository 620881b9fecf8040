"""A broken build: its workers end as soon as they are told, whether others are there to go on or not."""

from __future__ import annotations

from gunicorn.workers.gthread import ThreadWorker

from adapter.cli.serving.worker import Worker


class Impatient(Worker):
    """As gunicorn's own."""

    handle_exit = ThreadWorker.handle_exit
