"""The gradebook on a real PostgreSQL server, which the test starts for itself."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gdgrade.cli import main

from .helpers import PLAIN, RIGHT, WRONG_DOUBLE, answered, cells_of, hand_in, run_app

pytestmark = pytest.mark.postgres


def binaries() -> Path | None:
    """The newest PostgreSQL on this machine: its programs are rarely on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a database on a fresh server, on loopback."""
    pytest.importorskip("psycopg2")
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL here: initdb was found neither on the PATH nor under /usr/lib/postgresql")
    account: dict[str, Any] = {}
    if os.name == "posix" and os.geteuid() == 0:  # initdb refuses to run as root
        import pwd

        person = next((name for name in ("postgres", "nobody") if _known(name)), None)
        if person is None:
            pytest.skip("running as root, and there is no other account for the server")
        entry = pwd.getpwnam(person)
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    # Not below pytest's folder: that one is for its own user alone, and the server may be somebody else.
    with tempfile.TemporaryDirectory(prefix="gdgrade-postgres-") as name:
        if account:
            os.chown(name, account["user"], account["group"])
        yield from _serve(programs, Path(name), account)


def _serve(programs: Path, folder: Path, account: dict[str, Any]) -> Iterator[str]:
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        with (folder / f"{program}.log").open("w+") as log:  # the server keeps its outputs open: a pipe would not end
            done = subprocess.run([programs / program, *arguments], stdout=log, stderr=log, timeout=300, cwd=folder,
                                  env=environment, check=False, **account)  # fmt: skip
            log.seek(0)
            assert done.returncode == 0, log.read()

    run("initdb", "-D", str(data), "-U", "teacher", "-A", "trust", "-N")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    run("pg_ctl", "-D", str(data), "-l", str(folder / "server.log"), "-w", "-t", "120", "-o", options, "start")
    try:
        yield f"postgresql+psycopg2://teacher@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def _known(name: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def test_gradebook_on_postgresql(server: str, course_dir: Path, released: dict[str, Any]) -> None:
    """Scores, manual scores and idempotence as with SQLite; nbgrader's own export reads them from the server."""
    from nbgrader.api import Gradebook

    with (course_dir / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {server!r}\n")
    hand_in(course_dir, "ada", "ex01", answered(released, RIGHT), stamp="2026-12-01 10:00:00 UTC")
    hand_in(course_dir, "bob", "ex01", answered(released, WRONG_DOUBLE))
    hand_in(course_dir, "eve", "ex01", b"junk")
    command = ["nbgrader", "grade", "ex01", "--course-dir", str(course_dir), "--course", str(PLAIN), "-q"]

    def grade(*more: str) -> Any:
        return CliRunner().invoke(main, [*command, *more], catch_exceptions=False)

    first = grade()
    assert first.exit_code == 1, first.output  # eve's needs a person
    with Gradebook(server) as book:
        one = book.find_grade("part-1-1", "ex01", "ex01", "bob")
        one.manual_score, one.needs_manual_grade = 3.0, False
        book.db.commit()
    found = {student: cells_of(course_dir, student, "ex01", server) for student in ("ada", "bob", "eve")}
    assert {name: cell[1] for name, cell in found["ada"].items()} == {"part-1-1": 4.0, "part-1-2": 2.0, "part-1-3": 2.0}
    assert found["bob"]["part-1-1"][1:] == (3.0, 3.0, False)
    assert set(found["eve"].values()) == {(None, 0.0, None, True)}
    assert grade().exit_code == 1
    assert {student: cells_of(course_dir, student, "ex01", server) for student in found} == found
    run_app("ExportApp", cwd=course_dir)
    assert "ada" in (course_dir / "grades.csv").read_text()


def test_server_that_is_not_there(course_dir: Path, released: dict[str, Any]) -> None:
    """A sentence and exit code 3; what was judged is kept."""
    hand_in(course_dir, "ada", "ex01", answered(released, RIGHT))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # nobody listens on it
        address = f"postgresql+psycopg2://teacher@127.0.0.1:{probe.getsockname()[1]}/postgres"
        command = ["nbgrader", "grade", "ex01", "--course-dir", str(course_dir), "--course", str(PLAIN), "-q"]
        result = CliRunner().invoke(main, [*command, "--db", address])
    assert result.exit_code == 3, result.output
    assert "the gradebook cannot be written" in result.output
