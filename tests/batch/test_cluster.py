"""A real scheduler and two worker processes on loopback; one is killed midway; every file has one verdict."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gdgrade.batch.store import FILE_NAME, Store, StoreError

from .conftest import RIGHT, command

pytest.importorskip("distributed", reason="needs the extra [cluster]")
FILES = 40


def verdicts(out: Path) -> int:
    if not (out / FILE_NAME).exists():
        return 0
    try:
        with Store(out) as store:
            return int(store.db.execute("SELECT count(*) FROM verdicts").fetchone()[0])
    except StoreError:
        return 0


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker(tmp_path: Path) -> None:
    """Tasks of the killed worker go to the other one."""
    for number in range(FILES):
        path = tmp_path / "in" / f"s{number:02}" / "target.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{RIGHT}# {number}\n")
    where = tmp_path / "scheduler.json"
    out = tmp_path / "out"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    dask = [sys.executable, "-m"]
    started = [
        subprocess.Popen(
            [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
             "--scheduler-file", str(where)], **quiet,  # type: ignore[call-overload]
        )
    ]  # fmt: skip
    try:
        worker = [*dask, "distributed.cli.dask_worker", "--scheduler-file", str(where), "--nthreads", "1",
                  "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "dask")]  # fmt: skip
        started += [subprocess.Popen(worker, **quiet) for _ in range(2)]  # type: ignore[call-overload]
        deadline = time.monotonic() + 120
        while not where.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        address = json.loads(where.read_text())["address"]
        batch = subprocess.Popen(
            command("batch", tmp_path / "in", "--out", out, "--scheduler", address, "--quiet"),
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        while verdicts(out) < 6 and batch.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        started[1].send_signal(signal.SIGKILL)
        seen = verdicts(out)
        _, stderr = batch.communicate(timeout=240)
        assert batch.returncode == 0, stderr
        assert seen < FILES, "the worker was killed after the end"
        with Store(out) as store:
            rows = store.db.execute("SELECT sha256, count(*) AS n FROM verdicts GROUP BY sha256").fetchall()
            assert (len(rows), {row["n"] for row in rows}) == (FILES, {1})
            assert store.db.execute("SELECT count(*) FROM verdicts WHERE problem != ''").fetchone()[0] == 0
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_no_scheduler_there(tmp_path: Path) -> None:
    """An address where nobody answers ends with a clear message, and the store can be resumed."""
    (tmp_path / "in/ada").mkdir(parents=True)
    (tmp_path / "in/ada/target.py").write_text(RIGHT)
    out = tmp_path / "out"
    done = subprocess.run(
        command("batch", tmp_path / "in", "--out", out, "--scheduler", "tcp://127.0.0.1:1", "--quiet"),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr
