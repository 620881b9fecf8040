"""The settings of `sticky-calls serve`, for running gunicorn by hand:

    ADAPTER_CONFIG=config.yaml gunicorn -c deploy/gunicorn.conf.py "adapter.wsgi:build()"

Address, workers and threads come from the configuration (`server`), the rest from adapter/cli/serving/application.py,
where each setting has its reason. Settings written below these lines win.
"""

import os

from adapter import logs
from adapter.cli.serving.application import settings
from adapter.cli.serving.serve import prepare
from adapter.config import find, load

_path = find(None, os.environ)
if _path is not None:
    # Workers read the file by this name; without it a ./config.yaml would count here and not there.
    os.environ["ADAPTER_CONFIG"] = str(_path)
_config = load(_path, os.environ)

globals().update(settings(_config))


def on_starting(server):
    """Database, pepper and organizations are made once, before there are workers to race for them."""
    logs.configure(_config.logging.level)
    prepare(_config)
