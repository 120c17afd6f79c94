"""Downloading the full sets, against a server on this machine that behaves well and badly."""

import gzip
import hashlib
import http.server
import os
import socket
import struct
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gdgrade.cli import main
from gdgrade.data import FULL, DataError, download, fetch, load_full
from gdgrade.data.catalogue import OfficialFile

RNG = np.random.default_rng(8)


def gz_idx(shape):
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    return gzip.compress(header + pixels.tobytes(), mtime=0)


# A little data set under the official names; its files are longer than one network chunk.
CONTENTS = {
    "train-images-idx3-ubyte.gz": gz_idx((300, 28, 28)),
    "train-labels-idx1-ubyte.gz": gz_idx((300,)),
    "t10k-images-idx3-ubyte.gz": gz_idx((20, 28, 28)),
    "t10k-labels-idx1-ubyte.gz": gz_idx((20,)),
}
FIRST = "train-images-idx3-ubyte.gz"


class Server:
    """Serves CONTENTS below /mnist/; ``behave`` maps a file name to a misbehaviour."""

    def __init__(self):
        self.behave, self.asked = {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.headers = dict(self.headers)
                folder, _, name = self.path.lstrip("/").rpartition("/")
                body, how = CONTENTS.get(name), outer.behave.get(name)
                if how == "missing" or body is None or folder != "mnist":
                    self.send_error(404)
                    return
                if how == "forbidden":
                    self.send_error(403)
                    return
                if how == "silent":
                    time.sleep(1.5)
                    return
                if how == "other content":
                    body = body[:-1] + bytes([body[-1] ^ 1])
                if how == "longer":
                    body += b"and more"
                if how == "login page":
                    body = b"<html>please log in</html>"
                length = len(body) // 2 if how == "short and says so" else len(body)
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if how in ("truncated", "short and says so"):
                    body = body[: len(body) // 2]
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture(autouse=True)
def little_mnist(monkeypatch, tmp_path):
    """The catalogue knows the little set as mnist; proxies and the user's cache stay out."""
    files = tuple(
        OfficialFile(file.array, file.name, len(body), hashlib.sha256(body).hexdigest())
        for file in FULL["mnist"].files
        for body in [CONTENTS[file.name]]
    )
    little = {**FULL, "mnist": replace(FULL["mnist"], files=files, url="http://127.0.0.1:1/unused")}
    for module in ("gdgrade.data.download", "gdgrade.data.cli", "gdgrade.data.loading"):
        monkeypatch.setattr(f"{module}.FULL", little)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def left_in(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


def test_right_files_arrive_verified_and_once(server, tmp_path):
    """Four files with the right bytes; progress ends at each file's size; a second call asks nobody."""
    seen = []
    files = fetch("mnist", mirror=server.url + "/", cache=tmp_path, progress=lambda *step: seen.append(step))
    assert [file.read_bytes() for file in files] == list(CONTENTS.values())
    assert left_in(tmp_path) == sorted(CONTENTS)
    assert server.headers["Accept-Encoding"] == "identity"
    for name, body in CONTENTS.items():
        steps = [done for file, done, total in seen if file == name and total == len(body)]
        assert steps == sorted(steps)
        assert steps[-1] == len(body)
    assert len([step for step in seen if step[0] == FIRST]) > 3, "a long file reports on its way"

    asked = len(server.asked)
    assert fetch("mnist", mirror=server.url, cache=tmp_path) == files
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("truncated", "broke off before all .* bytes were there"),
        ("short and says so", "broke off before all .* bytes were there"),
        ("login page", "broke off before all"),
        ("other content", "not the published file"),
        ("longer", "not the published file"),
        ("missing", "answered 404"),
        ("forbidden", "answered 403"),
    ],
)
def test_bad_answers_leave_nothing_and_say_what_to_do(server, tmp_path, how, words):
    """Each misbehaviour has its own message, with address and way out; not even a part of a file stays."""
    server.behave[FIRST] = how
    with pytest.raises(DataError, match=words) as caught:
        fetch("mnist", mirror=server.url, cache=tmp_path)
    assert f"{server.url}/mnist/{FIRST}" in str(caught.value)
    assert "GDGRADE_MIRROR" in str(caught.value)
    assert left_in(tmp_path) == []


def test_complete_files_are_kept_and_the_rest_is_fetched_next_time(server, tmp_path):
    """After a failure on the third file the first two are not downloaded again."""
    server.behave["t10k-images-idx3-ubyte.gz"] = "truncated"
    with pytest.raises(DataError, match="t10k-images"):
        fetch("mnist", mirror=server.url, cache=tmp_path)
    assert len(left_in(tmp_path)) == 2
    server.behave.clear()
    server.asked.clear()
    fetch("mnist", mirror=server.url, cache=tmp_path)
    assert server.asked == ["/mnist/t10k-images-idx3-ubyte.gz", "/mnist/t10k-labels-idx1-ubyte.gz"]


def test_damaged_file_in_the_cache_is_replaced(server, tmp_path):
    """A file that no longer has its checksum is refused by load_full and mended by fetch."""
    files = fetch("mnist", mirror=server.url, cache=tmp_path)
    files[0].write_bytes(b"rubbish")
    with pytest.raises(DataError, match="not the published file.*gdgrade data fetch mnist --full"):
        load_full("mnist", cache=tmp_path)
    fetch("mnist", mirror=server.url, cache=tmp_path)
    assert files[0].read_bytes() == CONTENTS[FIRST]


def test_failed_replacement_keeps_the_old_file(server, tmp_path):
    """A broken download does not destroy what was there."""
    files = fetch("mnist", mirror=server.url, cache=tmp_path)
    files[0].write_bytes(b"old")
    server.behave[FIRST] = "truncated"
    with pytest.raises(DataError, match="broke off"):
        fetch("mnist", mirror=server.url, cache=tmp_path)
    assert files[0].read_bytes() == b"old"


def test_no_network(tmp_path):
    """A closed port: the message names the network and the proxy settings."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(DataError, match=r"cannot be reached.*HTTPS_PROXY"):
        fetch("mnist", mirror=url, cache=tmp_path)
    assert left_in(tmp_path) == []


def test_silent_server(server, tmp_path):
    """A server that does not answer is given up after the timeout."""
    server.behave[FIRST] = "silent"
    with pytest.raises(DataError, match=r"no answer within 0\.3 seconds"):
        fetch("mnist", mirror=server.url, cache=tmp_path, timeout=0.3)
    assert left_in(tmp_path) == []


def test_unwritable_cache(server, tmp_path):
    """A cache that cannot be a folder is named, with the variable that moves it."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written.*GDGRADE_CACHE"):
        fetch("mnist", mirror=server.url, cache=tmp_path / "file")


def test_interrupt_leaves_nothing(server, tmp_path):
    """Ctrl-C in the middle of a file leaves no part of it."""

    def interrupt(file, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("mnist", mirror=server.url, cache=tmp_path, progress=interrupt)
    assert left_in(tmp_path) == []


def test_mirror_and_cache_from_the_environment(server, tmp_path, monkeypatch):
    """GDGRADE_MIRROR and GDGRADE_CACHE are used; without the latter the user's cache is."""
    monkeypatch.setenv("GDGRADE_MIRROR", server.url)
    assert fetch("mnist")[0].is_relative_to(tmp_path / "user-cache" / "gdgrade")
    monkeypatch.setenv("GDGRADE_CACHE", str(tmp_path / "shared"))
    assert fetch("mnist")[0] == tmp_path / "shared" / "mnist" / FIRST


def test_wrong_names_and_mirrors(tmp_path):
    """An unknown set lists the known; a mirror that is no web address is refused before any request."""
    with pytest.raises(DataError, match="'cifar'.*mnist, fashion-mnist"):
        fetch("cifar", cache=tmp_path)
    with pytest.raises(DataError, match="http:// or https://"):
        fetch("mnist", mirror="/some/folder", cache=tmp_path)


def test_two_at_once_do_not_disturb_each_other(server, tmp_path):
    """Two downloads into one cache both end with complete files."""
    failures = []

    def one():
        try:
            fetch("mnist", mirror=server.url, cache=tmp_path)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert left_in(tmp_path) == sorted(CONTENTS)


def test_full_set_loads_like_the_small_one(server, tmp_path):
    """load_full: the names and scalings of load; without a download, the command to run."""
    with pytest.raises(DataError, match="gdgrade data fetch mnist --full"):
        load_full("mnist", cache=tmp_path)
    fetch("mnist", mirror=server.url, cache=tmp_path)
    data = load_full("mnist", cache=tmp_path)
    assert {key: value.shape for key, value in data.items()} == {
        "x_train": (300, 28, 28),
        "y_train": (300,),
        "x_test": (20, 28, 28),
        "y_test": (20,),
    }
    part = load_full("mnist", cache=tmp_path, part="test", scaling="symmetric", as_torch=True)
    assert set(part) == {"x", "y"}
    assert part["x"].numpy() == pytest.approx(2 * data["x_test"] - 1, abs=1e-6)


def run(*arguments):
    return CliRunner().invoke(main, ["data", *arguments])


def test_command_downloads_with_a_bar_on_stderr(server, tmp_path):
    """`data fetch mnist --full`: stdout holds the place alone, exit code 0; --quiet silences stderr."""
    done = run("fetch", "mnist", "--full", "--mirror", server.url, "--cache", str(tmp_path))
    assert done.exit_code == 0
    assert done.stdout.strip() == f"{tmp_path / 'mnist'}: complete (MNIST, 70,000 handwritten digits)"
    assert "100%" in done.stderr or "/" in done.stderr
    assert run("fetch", "mnist", "--full", "--cache", str(tmp_path), "--quiet").stderr == ""


def test_command_reports_failures_with_code_3(server, tmp_path):
    """A failed download: one sentence on stderr, no traceback, exit code 3."""
    server.behave[FIRST] = "missing"
    done = run("fetch", "mnist", "--full", "--mirror", server.url, "--cache", str(tmp_path), "--quiet")
    assert done.exit_code == 3
    assert done.stdout == ""
    assert done.stderr.startswith("Error: http://127.0.0.1")
    assert "404" in done.stderr


def test_command_without_full_checks_the_shipped_cut(tmp_path, monkeypatch):
    """No network: the shipped file is verified; a damaged one is exit code 3."""
    done = run("fetch", "fashion-mnist")
    assert done.exit_code == 0
    assert "fashion-small.npz: intact" in done.stdout
    (tmp_path / "fashion-small.npz").write_bytes(b"")
    monkeypatch.setenv("GDGRADE_DATA", str(tmp_path))
    assert run("fetch", "fashion-mnist").exit_code == 3


def test_command_usage_errors_have_code_2():
    """An unknown set is a usage error that lists the known ones."""
    done = run("fetch", "cifar")
    assert done.exit_code == 2
    assert "'mnist', 'fashion-mnist'" in done.stderr


def test_list_shows_all_sets_and_their_state(tmp_path, monkeypatch):
    """`data list` names every set; a damaged one is marked and gives exit code 3."""
    done = run("list")
    assert done.exit_code == 0
    for name in ("mnist-small", "fashion-small", "molecules-small", "mnist", "fashion-mnist"):
        assert any(line.split()[:1] == [name] for line in done.stdout.splitlines())
    (tmp_path / "mnist-small.npz").write_bytes(b"")
    monkeypatch.setenv("GDGRADE_DATA", str(tmp_path))
    done = run("list")
    assert done.exit_code == 3
    assert "NOT USABLE" in done.stdout


def test_official_sums_are_those_of_the_sources():
    """Names, sizes and SHA-256 in the catalogue are those that SOURCES.md states."""
    text = (Path(__file__).parents[3] / "data" / "SOURCES.md").read_text()
    from gdgrade.data.catalogue import FULL as official

    for full in official.values():
        for file in full.files:
            row = next(line for line in text.splitlines() if file.sha256 in line)
            assert f"`{file.name}`" in row
            assert f"{file.bytes:,}" in row
    assert download.FULL is not official
