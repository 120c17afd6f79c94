"""What `author items` found, as a page: per exercise a plot of all checks, a table, and failures without a name."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from gdgrade.author.items import Item
from gdgrade.report.html import render

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 540, 12, 250


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
    clusters = [(item.check, words, count) for item in items for words, count in item.clusters.items()]
    return {
        "name": name,
        "checks": items,
        "dots": [_dot(item) for item in drawn],
        "without": len(items) - len(drawn),
        "clusters": sorted(clusters, key=lambda cluster: -cluster[2]),
    }


def _dot(item: Item) -> dict[str, Any]:
    told = item.discrimination or 0.0
    return {
        "name": item.check.split("/", 1)[-1],
        "x": _across(item.pass_rate),
        "y": _up(told),
        "suspect": bool(item.suspicion),
        "right": item.pass_rate > 0.5,  # its name then stands on its left, inside the frame
        "words": f"{item.check}: {item.passed} of {item.judged} passed, {told:+.2f}",
    }


def _across(share: float) -> float:
    return round(LEFT + share * (RIGHT - LEFT), 1)


def _up(value: float) -> float:
    """Of a correlation in [-1, 1]."""
    return round(BOTTOM - (value + 1) / 2 * (BOTTOM - TOP), 1)
