"""What `author items` found, as a page: per exercise a plot of all checks, a table, and failures without a name."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from gdgrade.author.items import Item
from gdgrade.report.html import render

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 540, 12, 250
NEAR = 14  # of two dots whose labels would lie on each other


def page(items: Sequence[Item]) -> str:
    """The whole page; what comes from reports is escaped by the template."""
    exercises = [
        _exercise(name, list(group)) for name, group in itertools.groupby(items, lambda item: item.check.split("/")[0])
    ]
    plot = {
        "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM,
        "across": [{"at": _across(share), "text": f"{share:.0%}"} for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        "up": [
            {"at": _up(value), "text": f"{value:+g}" if value else "0", "zero": not value}
            for value in (-1.0, -0.5, 0.0, 0.5, 1.0)
        ],
    }  # fmt: skip
    return render("items.html", title="How the class did, check by check", exercises=exercises, plot=plot)


def _exercise(name: str, items: Sequence[Item]) -> dict[str, Any]:
    drawn = [item for item in items if item.discrimination is not None]
    suspects = [item for item in items if item.suspicion]
    clusters = [(item.check, words, count) for item in items for words, count in item.clusters.items()]
    return {
        "name": name,
        "checks": items,
        "suspects": suspects,
        "dots": [_dot(item) for item in drawn],
        "labels": _labels(suspects),
        "without": len(items) - len(drawn),
        "clusters": sorted(clusters, key=lambda cluster: -cluster[2]),
    }


def _dot(item: Item) -> dict[str, Any]:
    x, y = _place(item)
    words = f"{item.check}: {item.passed} of {item.judged} passed, {item.discrimination:+.2f}"
    return {"x": x, "y": y, "suspect": bool(item.suspicion), "words": words}


def _labels(suspects: Sequence[Item]) -> list[dict[str, Any]]:
    """Numbers of the suspects in the list above the plot, beside their dots; one label where dots lie together."""
    found: dict[tuple[float, float], list[int]] = {}
    for number, item in enumerate(suspects, 1):
        if item.discrimination is not None:
            x, y = _place(item)
            near = next((at for at in found if abs(at[0] - x) < NEAR and abs(at[1] - y) < NEAR), (x, y))
            found.setdefault(near, []).append(number)
    return [{"x": x - 9, "y": y + 4, "text": ", ".join(map(str, numbers))} for (x, y), numbers in found.items()]


def _place(item: Item) -> tuple[float, float]:
    return _across(item.pass_rate), _up(item.discrimination or 0.0)


def _across(share: float) -> float:
    return round(LEFT + share * (RIGHT - LEFT), 1)


def _up(value: float) -> float:
    """Of a correlation in [-1, 1]."""
    return round(BOTTOM - (value + 1) / 2 * (BOTTOM - TOP), 1)
