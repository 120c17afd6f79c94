"""Small molecules from noise, with the reference's EGNN, loss and sampler: figures and numbers beside EDM's.

    nice -n 10 python graders/ex08_molecules/showcase.py --minutes 30 --out docs/gallery/ex08_molecules

trains on the shipped molecules of QM9 with at most 7 heavy atoms for so many minutes of one core, and writes
`showcase-samples.png`, `showcase-trajectory.png`, `showcase-bonds.png` and `showcase.json`. With --keep FILE the
samples are kept too, and --drawn FILE only draws kept ones again. Needs RDKit (pip install 'gdgrade[molecules]').

The elements are given, not generated: each sample gets those of a random training molecule, and the network makes the
positions. EDM [1] generates both, of up to 9 heavy atoms, from 100,000 molecules; its numbers stand beside ours as the
state of the art of 2022, not as a contest.

[1] Hoogeboom, Satorras, Vignac & Welling (2022), Equivariant diffusion for molecule generation in 3D, ICML.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from chemistry import canonical, constitution  # noqa: E402
from stick_figures import BLUE, RED, panels, perceived, sticks_figure  # noqa: E402

from gdgrade.data.molecules import ELEMENTS, Molecules, load_molecules  # noqa: E402
from gdgrade.judge.reference import load_reference  # noqa: E402

T, BATCH, RATE, HIDDEN, LAYERS = 250, 32, 2e-3, 64, 4
SCALE = 3.0  # units of the network in one angstrom: the noise of the first step is then 0.007 angstrom
DECAY = 0.999  # of the running mean of the weights, with which is sampled
WARM_UP = 100  # steps
STAGES = (0.0, 0.6, 0.75, 0.85, 0.92, 0.97, 1.0)  # of the way from noise to molecule
PUBLISHED = {"atom stability": 0.987, "molecule stability": 0.820, "validity": 0.919}  # EDM [1] on QM9


Sample = tuple[Any, list[str]]
"""Positions in angstrom, (M, 3), and the symbols of the M elements."""


class Group(NamedTuple):
    """Molecules of the same number of atoms: positions (n, M, 3) in units of the network, elements (n, M, 5)."""

    x: Any
    h: Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="of training, of one core")
    parser.add_argument("--clock", type=float, default=float("inf"), help="minutes by the clock after which it ends")
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the samples here as well, .npz")
    parser.add_argument("--drawn", type=Path, help="train nothing, only draw what --keep wrote and showcase.json tells")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/gallery" / HERE.name)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    reference = load_reference(ROOT / "reference" / HERE.name / "molecules.py", HERE.name, "showcase")
    torch.set_default_dtype(torch.float32)
    if options.drawn is not None:
        found = json.loads((options.out / "showcase.json").read_text(encoding="utf-8"))
        draw(options.out, reference, *unpacked(options.drawn), list(load_molecules(7, "test")), found)
        return
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    train, test = load_molecules(7, "train"), load_molecules(7, "test")
    schedule = {key: value.float() for key, value in reference.linear_schedule(T).items()}
    net, measured = trained(reference, schedule, train, rng, 60 * options.minutes, 60 * options.clock)
    measured["test_loss"] = test_loss(reference, schedule, net, test)
    start = time.process_time()
    samples, states = sampled(reference, schedule, net, train, rng, options.samples)
    measured["sampling_seconds"] = round(time.process_time() - start)
    known = {canonical(text) for text in train.smiles}
    found = {
        "date": time.strftime("%Y-%m-%d"),
        "settings": {
            "T": T, "batch": BATCH, "rate": RATE, "hidden": HIDDEN, "layers": LAYERS, "scale": SCALE, "decay": DECAY,
            "seed": options.seed, "training_molecules": len(train),
            "parameters": sum(weights.numel() for weights in net.parameters()),
        },
        "run": measured,
        "samples": quality(reference, samples, known),
        "test_molecules": quality(reference, list(test), known),
        "EDM": PUBLISHED,
    }  # fmt: skip
    (options.out / "showcase.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.keep is not None:
        packed(options.keep, samples, states)
    draw(options.out, reference, samples, states, list(test), found)


def packed(path: Path, samples: list[Sample], states: list[Any]) -> None:
    """Write samples, one below the other, and the first molecules' states on the way."""
    sizes = np.array([len(types) for _, types in samples])
    kept = np.concatenate([way.swapaxes(0, 1) for way in states])  # (atoms, stages, 3)
    symbols = np.array([symbol for _, types in samples for symbol in types])
    np.savez_compressed(path, sizes=sizes, x=np.concatenate([x for x, _ in samples]), states=kept, symbols=symbols)


def unpacked(path: Path) -> tuple[list[Sample], list[Any]]:
    """What `packed` wrote."""
    with np.load(path) as kept:
        cuts = np.cumsum(kept["sizes"])[:-1]
        x, states, symbols = (np.split(kept[name], cuts) for name in ("x", "states", "symbols"))
    samples = [(place, types.tolist()) for place, types in zip(x, symbols, strict=True)]
    return samples, [way.swapaxes(0, 1) for way in states]


# --- training and sampling -----------------------------------------------------------------------


def groups(molecules: Molecules) -> list[Group]:
    """By number of atoms: no batch then needs a mask, and none computes with filling."""
    found = []
    for n in np.unique(molecules.n_atoms):
        part = molecules[molecules.n_atoms == n]
        found.append(Group(torch.tensor(part.positions * SCALE).float(), torch.tensor(part.one_hot()).float()))
    return found


def told(net: Any, h: Any) -> Any:
    """The network, told the elements, as the loss and the steps call it."""
    return lambda x, t: net(x, t, h)


def trained(
    reference: Any, schedule: Any, molecules: Molecules, rng: np.random.Generator, seconds: float, clock: float
) -> tuple[Any, dict[str, Any]]:
    """The running mean of the network's weights after so many seconds of one core, and what was measured."""
    parts = groups(molecules)
    share = np.array([len(part.x) for part in parts]) / len(molecules)
    net = reference.EGNN(HIDDEN, LAYERS, len(ELEMENTS))
    smooth = copy.deepcopy(net)
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    steps, losses, start, began = 0, [], time.process_time(), time.monotonic()
    while True:
        spent, passed = time.process_time() - start, time.monotonic() - began
        progress = max(spent / seconds, passed / clock)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (steps + 1) / WARM_UP) * (1 - progress)
        part = parts[rng.choice(len(parts), p=share)]
        rows = torch.from_numpy(rng.integers(len(part.x), size=BATCH))
        loss = reference.ddpm_loss_com(told(net, part.h[rows]), part.x[rows], schedule)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        steps += 1
        losses.append(float(loss.detach()))
        with torch.no_grad():
            for slow, fast in zip(smooth.parameters(), net.parameters(), strict=True):
                slow.lerp_(fast, 1 - min(DECAY, steps / (steps + 10)))
    smooth.eval()
    measured = {"steps": steps, "seconds_of_one_core": round(spent), "seconds_by_the_clock": round(passed)}
    return smooth, measured | {"train_loss": round(float(np.mean(losses[-500:])), 4)}


def test_loss(reference: Any, schedule: Any, net: Any, molecules: Molecules) -> float:
    """Mean over the molecules' groups, weighted by their sizes; ten draws of t and noise for each molecule."""
    total = 0.0
    with torch.no_grad():
        for part in groups(molecules):
            x, h = part.x.repeat(10, 1, 1), part.h.repeat(10, 1, 1)
            total += float(reference.ddpm_loss_com(told(net, h), x, schedule)) * len(part.x)
    return round(total / len(molecules), 4)


def sampled(
    reference: Any, schedule: Any, net: Any, molecules: Molecules, rng: np.random.Generator, count: int
) -> tuple[list[Sample], list[Any]]:
    """Samples in a random order, and the states of each on its way from noise, (STAGES, M, 3), in angstrom."""
    chosen = molecules[rng.integers(len(molecules), size=count)]
    samples: list[Sample] = []
    states: list[Any] = []
    for part in groups(chosen):
        x = reference.com_free_noise(tuple(part.x.shape))
        kept = [x]
        with torch.no_grad():
            for t in reversed(range(T)):
                x = reference.p_sample_com(told(net, part.h), x, t, schedule)
                kept.append(x)
        symbols = [[ELEMENTS[k] for k in row] for row in part.h.argmax(-1).tolist()]
        samples += zip((x / SCALE).double().numpy(), symbols, strict=True)
        way = torch.stack([kept[round(stage * T)] for stage in STAGES], 1) / SCALE
        states += list(way.double().numpy())
    order = rng.permutation(count)
    return [samples[k] for k in order], [states[k] for k in order]


# --- what they are worth -------------------------------------------------------------------------


def quality(reference: Any, samples: list[Sample], known: set[str]) -> dict[str, Any]:
    """Stability by the table of bond lengths, validity by RDKit (strict variant), uniqueness, novelty.

    Args:
        known: canonical SMILES of the training molecules.

    Returns:
        shares: of all atoms; of all molecules (stable, valid); of the valid ones (unique); of the unique ones (novel).
    """
    verdicts = [reference.stability(torch.as_tensor(x), types) for x, types in samples]
    atoms = sum(len(types) for _, types in samples)
    right = sum(share * len(types) for (share, _), (_, types) in zip(verdicts, samples, strict=True))
    seen = [constitution(x, types) for x, types in samples]
    valid = [text for text in seen if text is not None]
    unique = set(valid)
    return {
        "molecules": len(samples),
        "atom stability": round(right / atoms, 4),
        "molecule stability": round(sum(stable for _, stable in verdicts) / len(samples), 4),
        "validity": round(len(valid) / len(samples), 4),
        "uniqueness": round(len(unique) / max(len(valid), 1), 4),
        "novelty": round(len(unique - known) / max(len(unique), 1), 4),
    }


# --- figures -------------------------------------------------------------------------------------


def draw(
    out: Path, reference: Any, samples: list[Sample], states: list[Any], data: list[Sample], found: dict[str, Any]
) -> None:
    """The first samples, whatever they are; the way of the first valid ones; and distances beside the data's."""
    budget = f"{found['run']['steps']:,} steps, {found['run']['seconds_of_one_core'] / 60:.0f} minutes of one core"
    bonds = perceived(reference.bond_order)
    good = [k for k, (x, types) in enumerate(samples) if constitution(x, types) is not None]
    columns, shown = 6, 24
    figure = sticks_figure(
        [samples[k : k + columns] for k in range(0, shown, columns)],
        [["valid" if k + i in good else "" for i in range(columns)] for k in range(0, shown, columns)],
        f"The first {shown} of {len(samples)} samples, some valid by RDKit ({budget})", bonds=bonds,
    )  # fmt: skip
    figure.savefig(out / "showcase-samples.png", dpi=110)
    largest = sorted(good or range(len(samples)), key=lambda k: -len(samples[k][1]))[:3]
    left = [T - round(stage * T) for stage in STAGES]
    titles = [f"{steps} steps left" if steps else "done" for steps in left]
    figure = sticks_figure(
        [[(state, samples[k][1]) for state in states[k]] for k in largest],
        [titles, *[[""] * len(STAGES)] * (len(largest) - 1)],
        f"Reverse: the largest valid samples (all to the same scale; {budget})", bonds=bonds, turned=False,
    )  # fmt: skip
    figure.savefig(out / "showcase-trajectory.png", dpi=110)
    distances_figure(samples, data, budget).savefig(out / "showcase-bonds.png", dpi=110)


def distances_figure(samples: list[Sample], data: list[Sample], budget: str) -> Any:
    """Histograms of the distances between neighbours, by the two elements: samples beside test molecules."""
    pairs, edges = ("CH", "CC", "CN", "CO"), np.linspace(0.8, 1.75, 96)
    figure, axes = panels(1, len(pairs), 12.0, 3.4)
    for axis, pair in zip(axes[0], pairs, strict=True):
        for molecules, colour, name in ((data, BLUE, "test molecules"), (samples, RED, "samples")):
            counts, _ = np.histogram(distances_of(molecules, pair), edges)
            density = counts / max(counts.sum(), 1) / np.diff(edges)
            axis.stairs(density, edges, color=colour, fill=molecules is data, alpha=0.45 if molecules is data else 1.0,
                        linewidth=1.3, label=name)  # fmt: skip
        axis.set(title=f"{pair[0]} and {pair[1]}", xlabel="angstrom")
    axes[0, 0].set_ylabel("density")
    axes[0, 0].legend(fontsize=8)
    figure.suptitle(f"Distances below 1.75 angstrom ({budget})", fontsize=11)
    return figure


def distances_of(molecules: list[Sample], pair: str) -> Any:
    """All distances between atoms of these two elements, each pair of atoms once."""
    found = []
    for x, types in molecules:
        first, second = np.triu_indices(len(types), 1)
        mine = [sorted((types[i], types[j])) == sorted(pair) for i, j in zip(first, second, strict=True)]
        found.append(np.linalg.norm(x[first[mine]] - x[second[mine]], axis=1))
    return np.concatenate(found)


if __name__ == "__main__":
    main()
