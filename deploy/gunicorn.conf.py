"""The settings of `sticky-calls serve`, for running gunicorn by hand:

    ADAPTER_CONFIG=config.yaml gunicorn -c deploy/gunicorn.conf.py "adapter.wsgi:build()"

Address, workers and threads come from the configuration (`server`), so that there is one place for them.
"""

import os

from adapter.cli.gunicorn_app import MaskedLogger
from adapter.cli.serve import prepare
from adapter.config import find, load

_path = find(None, os.environ)
if _path is not None:
    # Workers read the file by this name; without it a ./config.yaml would count here and not there.
    os.environ["ADAPTER_CONFIG"] = str(_path)
_config = load(_path, os.environ)

bind = _config.server.bind
workers = _config.server.workers
threads = _config.server.threads

# Threads, because a request mostly waits for the disk; with sync workers a few slow connections stop everything.
worker_class = "gthread"

# Each worker listens for itself and the kernel shares connections out. With one shared socket, all of a proxy's
# keep-alive connections can end up at one worker: half the throughput. A unix socket cannot be shared in this way.
reuse_port = not bind.startswith("unix:")

# gunicorn >= 25.1 opens a socket in the home directory through which it can be controlled. Nobody uses it here.
control_socket_disable = True

# Loaded in each worker after the fork: a database connection carried over a fork corrupts the database.
preload_app = False

# A worker whose main loop is silent for so long is killed. Twilio gives up after 15 seconds; this is for real hangs.
timeout = 60

# At SIGTERM: requests being answered get so long to finish. Longer than Twilio waits, so that no caller is cut off.
graceful_timeout = 30

# Longer than nginx keeps idle connections to us (60 s), or it now and then sends a request into a closing one: a 502.
keepalive = 75

# The heartbeat file; on a disk, a slow fsync elsewhere could block the heartbeat and get a healthy worker killed.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - gunicorn makes its own file

# gunicorn's messages become lines of the service's log, masked like them. No access log: URLs of webhooks hold numbers.
logger_class = MaskedLogger
loglevel = _config.logging.level
proc_name = "sticky-calls"


def on_starting(server):
    """Database, pepper and organizations are made once, before there are workers to race for them."""
    from adapter import logs

    logs.configure(_config.logging.level)
    prepare(_config)
