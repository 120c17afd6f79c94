"""The reference of the check API in docs/check-api.md, made from docstrings: `python -m gdgrade.author.apidoc`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

SECTIONS = {
    "Marking and comparing": ("check", "agrees", "close", "well_formed", "require", "observe", "remark", "recorder"),
    "Statistics": (
        "attempts", "passes", "holds", "mean_z", "variance_chi2", "covariance_test", "correlation_test", "mode_counts",
        "within_mode_variance", "within_mode_mean", "outside_fraction", "uniform_integers", "energy_test", "mmd_test",
        "sliced_wasserstein_test", "ks_test", "mann_whitney", "sign_vectors", "at_most", "at_least", "within",
    ),
}  # fmt: skip


def reference() -> str:
    """The whole page, in Markdown."""
    import gdgrade.checks as checks
    from gdgrade.judge.draw import Draw
    from gdgrade.judge.marks import CheckMark
    from gdgrade.judge.student import RemoteThing, Student
    from gdgrade.mistakes import mistake

    lines = [
        "# Check API",
        "",
        "Made from the docstrings by `python -m gdgrade.author.apidoc`; do not edit by hand.",
        "",
    ]
    for title, names in SECTIONS.items():
        lines += [f"## {title}", ""]
        for name in names:
            lines += _entry(name, getattr(checks, name))
    lines += ["## Fields of `@check`", "", _doc(CheckMark), ""]
    for title, owner in (("`draw`", Draw), ("`student`", Student), ("An object of the student's", RemoteThing)):
        lines += [f"## {title}", "", _doc(owner), ""]
        for name, value in vars(owner).items():
            if not name.startswith("_") and inspect.isfunction(value):
                lines += _entry(name, value)
    lines += ["## Mistakes", "", *_entry("mistake", mistake)]
    return "\n".join(lines).rstrip() + "\n"


def _entry(name: str, function: Callable[..., Any]) -> list[str]:
    parameters = list(inspect.signature(function).parameters.values())
    shown = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters if p.name != "self"])
    return [f"### `{name}{shown}`", "", _doc(function), ""]


def _doc(value: Any) -> str:
    """A docstring as it stands, in a block that keeps its indentation."""
    return "```text\n" + (inspect.getdoc(value) or "").strip() + "\n```"


if __name__ == "__main__":
    sys.stdout.write(reference())
