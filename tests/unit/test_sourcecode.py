"""Reading Python's text from several threads."""

import ast
import threading
import time

import pytest

from gdgrade.sourcecode import python_tree


def test_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees that are built at the same time make Python count their nesting wrongly; so none are."""
    inside, most = [], []

    def slow(source: str) -> ast.Module:
        inside.append(source)
        most.append(len(inside))
        time.sleep(0.002)
        inside.remove(source)
        return ast.Module(body=[], type_ignores=[])

    monkeypatch.setattr(ast, "parse", slow)
    threads = [threading.Thread(target=python_tree, args=(f"x = {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_an_error_frees_the_way() -> None:
    with pytest.raises(SyntaxError):
        python_tree("x = (")
    assert ast.dump(python_tree(b"x = 1")) == ast.dump(ast.parse("x = 1"))
