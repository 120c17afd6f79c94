"""Verdicts by content."""

from pathlib import Path

from gdgrade.author.cache import Cache, content_of, engine, key_of


def test_put_and_get(tmp_path: Path) -> None:
    """What was put is got; a torn file counts as nothing; without a folder nothing is kept."""
    cache = Cache(tmp_path / "new")
    assert cache.get("a") is None
    cache.put("a", {"x": 1})
    assert cache.get("a") == {"x": 1}
    (tmp_path / "new/a.json").write_text("{")
    assert cache.get("a") is None
    Cache(None).put("a", 1)
    assert Cache(None).get("a") is None


def test_content(tmp_path: Path) -> None:
    """A hash follows names and bytes, not places, times or compiled files."""
    for root in ("one", "two"):
        (tmp_path / root / "__pycache__").mkdir(parents=True)
        (tmp_path / root / "f.py").write_text("x = 1\n")
        (tmp_path / root / "__pycache__/f.pyc").write_text(root)
    first, second = tmp_path / "one", tmp_path / "two"
    assert content_of([first], first) == content_of([second], second)
    (second / "f.py").write_text("x = 2\n")
    assert content_of([first], first) != content_of([second], second)
    assert key_of(1, "a") != key_of("1", "a")
    assert len(engine()) == 40
