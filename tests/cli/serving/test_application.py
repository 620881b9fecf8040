"""What is there before the workers are forked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

_MADE_AFTER_THE_FORK = """
import json, sys
from pathlib import Path
from adapter.cli.serving import application
from adapter.config import load
config = load(Path(sys.argv[1]), {})
before = set(sys.modules)
application.worker_app(config)
print(json.dumps([name for name in set(sys.modules) - before if name.startswith("adapter")]))
"""


def test_a_worker_reads_no_code_of_ours_after_the_fork(tmp_path: Path) -> None:
    """It would wait for that at every reload, and get a part of the next version once its files are there."""
    config = tmp_path / "config.yaml"
    database = {"url": f"sqlite:///{tmp_path / 'sticky-calls.db'}", "state_dir": str(tmp_path)}
    config.write_text(yaml.safe_dump({"database": database, "organizations": [{"id": "acme"}]}), "utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", _MADE_AFTER_THE_FORK, str(config)], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == []
