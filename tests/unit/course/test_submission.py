"""A submission is read whatever it is, or refused with a sentence; nothing of it is run."""

import contextlib
import hashlib
import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.course.errors import SubmissionError
from gdgrade.course.submission import read_submission


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refused(path: Path, **options: bool) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        read_submission(path, **options)
    return caught.value


def test_a_plain_file(tmp_path: Path) -> None:
    """Source, name, kind and the hash of the bytes on disk."""
    data = "x = 'é'\n".encode()
    submission = read_submission(write(tmp_path, "mean.py", data))
    assert submission.source == "x = 'é'\n"
    assert (submission.display_name, submission.kind, submission.remarks) == ("mean.py", "py", ())
    assert submission.sha256 == hashlib.sha256(data).hexdigest()
    assert submission.locate(12) == "line 12"


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        (b"x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
        (b"x = 1\ry = 2\r", "x = 1\ny = 2\n"),
        ("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "# coding: latin-1\nx = 'é'\n"),
        (
            "#!/usr/bin/python\n# -*- coding: iso-8859-15 -*-\nx = '€'\n".encode("iso-8859-15"),
            "#!/usr/bin/python\n# -*- coding: iso-8859-15 -*-\nx = '€'\n",
        ),
        (
            "# vim: set fileencoding=windows-1252 :\n# €\n".encode("cp1252"),
            "# vim: set fileencoding=windows-1252 :\n# €\n",
        ),
        ("x = 1\n# coding: latin-1\ny = 'é'\n".encode(), "x = 1\n# coding: latin-1\ny = 'é'\n"),
    ],
    ids=["bom", "crlf", "cr", "latin", "latin9-second-line", "windows", "cookie-after-code"],
)
def test_encodings_that_python_accepts(tmp_path: Path, data: bytes, source: str) -> None:
    """BOM, line ends of all systems and PEP 263 cookies are read as Python reads them, without a remark."""
    submission = read_submission(write(tmp_path, "mean.py", data))
    assert submission.source == source
    assert submission.remarks == ()


def test_accents_without_a_cookie_are_read_with_a_remark(tmp_path: Path) -> None:
    """An editor's Windows encoding is read, and the remark says that Python would not."""
    submission = read_submission(write(tmp_path, "mean.py", "# moyenne pondérée\nx = 1\n".encode("cp1252")))
    assert submission.source == "# moyenne pondérée\nx = 1\n"
    assert submission.remarks == (
        (
            "mean.py is not in UTF-8 (line 1, byte 0xe9). Save it as UTF-8. It was read as Windows-1252 here, but "
            "Python itself would refuse it."
        ),
    )


def test_utf16_is_read_with_a_remark(tmp_path: Path) -> None:
    """So is what some editors call Unicode."""
    submission = read_submission(write(tmp_path, "mean.py", "x = 'é'\r\n".encode("utf-16")))
    assert submission.source == "x = 'é'\n"
    assert submission.remarks == ("The file is in UTF-16; save it as UTF-8.",)


@pytest.mark.parametrize(
    ("data", "cause", "words"),
    [
        (b"", "empty", "mean.py is empty."),
        (b" \r\n\t\n", "empty", "mean.py is empty."),
        (b"x = 1\ny = \0\n", "binary", "mean.py holds a NUL byte in line 2"),
        ("x\0".encode("utf-16"), "binary", "NUL character"),
        (b"\xff\xfe\x00\xd8", "encoding", "mean.py is not in UTF-16"),
        (bytes(range(1, 256)), "encoding", "mean.py is not in UTF-8 (line 2, byte 0x80). Save it as UTF-8."),
        (b"\xef\xbb\xbfx = '\xe9'", "encoding", "mean.py is not in UTF-8 (line 1, byte 0xe9)."),
        (b"# coding: utf-8\nx = '\x81'", "encoding", "mean.py is not in UTF-8"),
        (b"# coding: ascii\nx = '\xc3\xa9'", "encoding", "mean.py is not in ascii (line 2, byte 0xc3)"),
        (b"# coding: rot13\nk = 1", "encoding", "names the encoding 'rot13', which is not accepted"),
        (b"# coding: \x1b[31m", "ok", ""),
        (b"x" * 2_000_001, "too_large", "mean.py is larger than 2 MB."),
    ],
    ids=[
        "empty", "blank", "nul", "nul16", "half16", "junk", "bom", "cookie", "ascii", "rot13", "no-cookie", "large",
    ],
)  # fmt: skip
def test_contents_that_are_refused(tmp_path: Path, data: bytes, cause: str, words: str) -> None:
    """Each with its cause and a sentence that names the file."""
    path = write(tmp_path, "mean.py", data)
    if cause == "ok":
        assert read_submission(path).source
        return
    error = refused(path)
    assert error.cause == cause
    assert words in str(error)


def test_places_that_are_refused(tmp_path: Path) -> None:
    """Missing files, folders, pipes, devices, sockets, other endings: refused at once, without waiting on a pipe."""
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    (tmp_path / "text.txt").write_text("x")
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(tmp_path):
        server.bind("socket.py")  # a relative name: the length of a socket's path is limited
    assert refused(tmp_path / "none.py").cause == "missing"
    assert refused(tmp_path / "none").cause == "missing"
    assert refused(tmp_path).cause == "directory"
    assert refused(tmp_path / "folder.py").cause == "directory"
    assert refused(tmp_path / "pipe.py").cause == "not_a_file"
    assert refused(tmp_path / "socket.py").cause == "not_a_file"
    assert refused(tmp_path / "zero.py", follow_symlinks=True).cause == "not_a_file"
    assert refused(tmp_path / "text.txt").cause == "kind"
    assert refused(tmp_path / "nul\0.py").cause == "missing"
    assert refused(tmp_path / ("x" * 300 + ".py")).cause == "unreadable"


def test_symlinks_are_followed_only_on_request(tmp_path: Path) -> None:
    """A link in a stranger's folder could point at a secret; one's own may point anywhere."""
    write(tmp_path, "real.py", b"x = 1\n")
    (tmp_path / "link.py").symlink_to("real.py")
    (tmp_path / "broken.py").symlink_to("nowhere.py")
    (tmp_path / "circle.py").symlink_to("circle.py")
    assert refused(tmp_path / "link.py").cause == "symlink"
    assert read_submission(tmp_path / "link.py", follow_symlinks=True).source == "x = 1\n"
    assert refused(tmp_path / "broken.py").cause == "symlink"
    assert refused(tmp_path / "broken.py", follow_symlinks=True).cause == "missing"
    assert refused(tmp_path / "circle.py", follow_symlinks=True).cause == "unreadable"


def test_no_file_stays_open(tmp_path: Path) -> None:
    """Neither a success nor any refusal leaks a descriptor."""
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    write(tmp_path, "good.py", b"x = 1")
    write(tmp_path, "nul.py", b"\0")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("folder.py", "pipe.py", "good.py", "nul.py", "none.py"):
        with contextlib.suppress(SubmissionError):
            read_submission(tmp_path / name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_names_are_inert(tmp_path: Path) -> None:
    """A file's name is a student's text too."""
    submission = read_submission(write(tmp_path, "a\x1b[31m\u202e\n.py", b"x = 1"))
    assert submission.display_name == "a\\x1b[31m\\u202e .py"


def test_a_notebook_named_py_is_a_notebook(tmp_path: Path) -> None:
    """Downloads often get the wrong ending; the content decides, with a remark."""
    text = json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]})
    submission = read_submission(write(tmp_path, "mean.py", text.encode()))
    assert (submission.kind, submission.source) == ("ipynb", "x = 1\n")
    assert submission.remarks == ("The file is a notebook under the name of a Python file; it was read as a notebook.",)


@given(st.binary(max_size=400), st.sampled_from(["a.py", "a.ipynb", "a.PY", "a.txt"]))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    """Any bytes give a source that can be encoded, or a SubmissionError with a sentence."""
    path = write(tmp_path_factory.getbasetemp(), name, data)
    try:
        submission = read_submission(path)
    except SubmissionError as error:
        sentence = str(error)
        assert sentence.endswith(".")
    else:
        submission.source.encode("utf-8")
        assert "\0" not in submission.source
        assert "\r" not in submission.source
