"""The real verbs, called in a subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def call(verb, *arguments, cwd, **options):
    """Run a verb from another folder, with warnings as they are."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(ROOT / f"{verb}.py"), *map(str, arguments)],
        cwd=cwd,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        **options,
    )


def refused(verb, *arguments, cwd):
    """The output of a call that must fail with a message and no traceback."""
    result = call(verb, *arguments, cwd=cwd)
    assert result.returncode == 2, result.stdout
    assert "Traceback" not in result.stdout
    return result.stdout
