"""Molecules as sticks and balls in space."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

# Okabe and Ito's colours: told apart with any colour vision
BLUE, GREEN, RED, GREY = "#0072B2", "#009E73", "#D55E00", "#7F7F7F"
ELEMENT_COLOURS = {"H": "#FFFFFF", "C": "#404040", "N": BLUE, "O": RED, "F": GREEN}
SIZES = {"H": 28}  # points squared; others are larger
HEAVY = 75

Molecule = tuple[Any, Sequence[str]]
"""Positions in angstrom, (M, 3), and the symbols of the M elements."""
Bonds = Sequence[tuple[int, ...]]
"""(i, j) or (i, j, order) each."""


def panels(rows: int, columns: int, width: float, height: float, **kind: Any) -> Any:
    """A figure that belongs to no global state, and its axes as an array (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **kind)


def sticks_figure(
    rows: Sequence[Sequence[Molecule]],
    titles: Sequence[Sequence[str]],
    title: str,
    *,
    bonds: Bonds | Callable[[Any, Sequence[str]], Bonds],
    turned: bool = True,
    size: float = 1.55,
) -> Any:
    """Molecules in rows and columns, all to the same scale, coloured by element.

    Args:
        rows: the molecules.
        titles: above each.
        bonds: of every molecule; or a function of positions and symbols that finds them.
        turned: turn each so that its broadest side is seen.
    """
    height = size * len(rows) + 0.5
    figure, axes = panels(len(rows), len(rows[0]), size * len(rows[0]), height, subplot_kw={"projection": "3d"})
    places = [[_placed(x, turned) for x, _ in row] for row in rows]
    reach = max(float(np.abs(x).max()) for row in places for x in row)
    for i, row in enumerate(rows):
        for k, (_, symbols) in enumerate(row):
            axis, x = axes[i, k], places[i][k]
            found = bonds(x, symbols) if callable(bonds) else bonds
            _stick(axis, x, symbols, found, min(1.0, 2.5 / reach))
            axis.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-reach, reach))
            axis.set_box_aspect((1, 1, 1), zoom=1.45)
            axis.view_init(elev=78, azim=-90)
            axis.set_proj_type("ortho")
            axis.set_axis_off()
            axis.set_title(titles[i][k], fontsize=9, pad=0)
    _legend(figure, {symbol for row in rows for _, symbols in row for symbol in symbols})
    figure.suptitle(title, fontsize=11)
    return figure


def perceived(bond_order: Callable[[str, str, float], int]) -> Callable[[Any, Sequence[str]], Bonds]:
    """Finds bonds by a function of two symbols and a distance in angstrom."""

    def bonds(x: Any, symbols: Sequence[str]) -> Bonds:
        found = []
        for i in range(len(symbols)):
            for j in range(i):
                order = bond_order(symbols[i], symbols[j], float(np.linalg.norm(x[i] - x[j])))
                found += [(i, j, order)] if order else []
        return found

    return bonds


def _placed(x: Any, turned: bool) -> Any:
    """Centred; turned into the axes of its own spread, the broadest side up."""
    x = np.asarray(x, dtype=float)
    x = x - x.mean(0)
    return x @ np.linalg.svd(x, full_matrices=False)[2].T if turned and len(x) > 2 else x


def _stick(axis: Any, x: Any, symbols: Sequence[str], bonds: Bonds, shrink: float) -> None:
    for i, j, *order in bonds:
        for shift in _shifts(order[0] if order else 1):
            pair = x[[i, j]] + shift * _across(x[i] - x[j])
            axis.plot(*pair.T, color=GREY, linewidth=1.6, solid_capstyle="round")
    sizes = [shrink**2 * SIZES.get(symbol, HEAVY) for symbol in symbols]
    fills = [ELEMENT_COLOURS[symbol] for symbol in symbols]
    axis.scatter(*x.T, c=fills, s=sizes, edgecolors="black", linewidths=0.6, depthshade=False)


def _shifts(order: int) -> tuple[float, ...]:
    """Where the lines of a single, double or triple bond run beside its axis, in angstrom."""
    return {1: (0.0,), 2: (-0.09, 0.09), 3: (-0.15, 0.0, 0.15)}[order]


def _across(step: Any) -> Any:
    """A unit vector across a bond, in the plane of the picture."""
    across = np.array([-step[1], step[0], 0.0])
    length = float(np.linalg.norm(across))
    return across / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])


def _legend(figure: Any, symbols: Collection[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=5 if symbol == "H" else 8, markerfacecolor=colour,
               markeredgecolor="black", markeredgewidth=0.6, label=symbol)
        for symbol, colour in ELEMENT_COLOURS.items() if symbol in symbols
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9, frameon=False)
