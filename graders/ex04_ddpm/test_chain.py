"""Part 4.6: the ancestral sampler."""

import torch
from ddpm_oracles import Bent, Gaussian, Mixture, PointMass, Recipe, affine_law, ancestral_step, schedule_of
from ddpm_reading import generated, last, run_either, seen_by
from ddpm_worker import WithSchedule, graph_of_sample

from gdgrade.checks import (
    CheckFailed,
    StudentError,
    agrees,
    attempts,
    check,
    covariance_test,
    energy_test,
    mean_z,
    observe,
    recorder,
    remark,
    require,
    well_formed,
)

RECIPE = Recipe(30)
SCHEDULE = schedule_of(*RECIPE)
T = RECIPE.T
# How a student's code may read noises of shape (T + 1, ...): where it looks for the start and for the noises of the
# steps T-1, ..., 0. The first is the statement's.
LAYOUTS = {
    "": [0, *range(1, T + 1)],
    "the start, then by t": [0, T, *range(T - 1, 0, -1)],
    "by t, the start last": [T, *range(T - 1, 0, -1), 0],
    "by t, the start at 0": [0, *range(T - 1, 0, -1), T],
}


def states(model, shape, schedule, noises):
    """All states from the start on."""
    x = [noises[0]]
    for i, t in enumerate(reversed(range(len(schedule["betas"])))):
        x.append(ancestral_step(model, x[-1], t, schedule, noises[1 + i]))
    return torch.stack(x)


@check("4.6", points=0.75)
def test_given_noises(student, draw):
    """With all noises given, the generated data are right."""
    for shape in ((3, 2), (2, 1, 4, 3)):
        compared(student, draw.normal(T + 1, *shape), shape, {}, last, lambda *inputs: states(*inputs)[-1])


@check("4.6", points=0.25)
def test_trajectory(student, draw):
    """The trajectory holds the start and the state after every step."""

    def all_states(*inputs):
        return states(*inputs[:4])

    def trajectory(result):
        if isinstance(result, tuple | list) and len(result) == 2:
            result = result[1]
        return torch.stack(list(result)) if isinstance(result, tuple | list) else result

    compared(student, draw.normal(T + 1, 3, 2), (3, 2), {"return_traj": True}, trajectory, all_states)


@check("4.6", points=0.5)
def test_one_point(student, draw):
    """When all data are one point, the sampler ends there, whatever noise it draws."""
    point = draw.normal(1, 4, 4, scale=2.0)
    inputs = PointMass(SCHEDULE["abar"], point), (5, 1, 4, 4), SCHEDULE
    sample = WithSchedule(student, "sample", RECIPE)
    agrees(sample, lambda *inputs: point.expand(5, 1, 4, 4), *inputs, pick=last, name="generated data", rtol=1e-7)


@check("4.6", points=0.5)
def test_every_step_once(student, draw):
    """The network is asked at t = T-1, T-2, ..., 0, once at each, and the result carries no graph."""
    n = 3
    spy = recorder(Bent())
    result = WithSchedule(student, "sample", RECIPE)(spy, (n, 2), SCHEDULE)
    well_formed(last(result), torch.zeros(n, 2), "generated data", means="one row per sample", varies=True)
    rows = seen_by(spy)
    told = [told_of(call) for call in spy.calls]
    floating = any(entry[0] for entry in told)
    shape, samples = next((entry[1:] for entry in told if entry[1] != (entry[2],)), ((n,), n))
    asked = [(float(t[0]), len(x)) for x, t in rows if bool((t == t[0]).all())]
    observe("steps at which the network is asked, and about how many samples", [list(pair) for pair in asked])
    observe("t is floating, t is not one per sample", [floating, shape != (samples,)])
    require(len(asked) == spy.count, "one call of the network mixes several steps t")
    order = [t for i, (t, _) in enumerate(asked) if i == 0 or asked[i - 1][0] != t]
    rounds = max(1, round(len(order) / T))  # once, or once for every sample where they go one after the other
    due = [float(t) for t in reversed(range(T))]
    shown = ", ".join(f"{t:g}" for t in order[:4]) + f", ..., {order[-1]:g}"
    require(order == due * rounds, f"the network was asked at t = {shown} ({len(order)} steps); T is {T}")
    for t in due:
        count = sum(rows for time, rows in asked if time == t)
        require(count == n, f"at t = {t:g} the network was asked {count / n:g} times per sample")
    require(not floating, "the network got t as floating numbers; a LongTensor of indices is due")
    require(
        shape == (samples,),
        f"the network got t of shape {shape} for {samples} samples; due is (B,), one index for each sample",
    )
    graph = run_either(student, graph_of_sample, tuple(RECIPE), SCHEDULE, [2, 2])
    observe("graph", graph)
    require(not graph, "the result still carries the graph of all steps, which fills the memory of a real network")


@check("4.6", points=0.25, visibility="hidden", alpha=1.25e-7, seconds=60)  # loops over samples are right, too
def test_law_on_gaussian(student, draw):
    """With the right network for Gaussian data, start and samples have the mean and variance of the algorithm."""
    n, recipe, mean, variance = 1500, Recipe(30), draw.normal(2, scale=2.0), 0.25
    schedule = schedule_of(*recipe)
    due, spread = affine_law(schedule, mean, variance)
    model = Gaussian(schedule["abar"], mean, variance)

    sample = WithSchedule(student, "sample", recipe)

    def trial(draw):
        student.seed(draw.seed)
        x = generated(sample(model, (n, 2), schedule), (n, 2))
        spy = recorder(model)
        sample(spy, (100, 2), schedule)
        # With a short schedule and the right network, the law of the result hardly depends on that of the start.
        start = torch.cat([x for x, t in seen_by(spy) if float(t[0]) == recipe.T - 1])
        require(start.shape == (100, 2), f"at t = {recipe.T - 1} the network saw {len(start)} of 100 starts")
        if bool((start == start[0]).all()):
            observe("all samples start at one place", True)  # and else nothing: the results tell other causes apart
            raise CheckFailed("every sample starts at the same place; the start is standard normal noise")
        return [
            mean_z(x, due, spread.sqrt()),
            covariance_test(x, spread * torch.eye(2)),
            mean_z(start, 0.0, 1.0),
            covariance_test(start, torch.eye(2)),
        ]

    message = "the start, or the samples, do not have the law of ancestral sampling with this network"
    attempts(draw, trial, message=message)


@check("4.6", points=0.25, visibility="hidden", alpha=1.25e-7, seconds=60)  # loops over samples are right, too
def test_mixture(student, draw):
    """With the right network for four modes, samples fall into them as a right sampler's do, and spread as wide."""
    n, recipe = 250, Recipe(30)
    schedule = schedule_of(*recipe)
    centres = torch.tensor([[-2.0, -2.0], [2.0, -1.0], [0.0, 2.5], [-3.0, 2.0]])
    model = Mixture(schedule["abar"], centres, 0.25, torch.tensor([0.4, 0.3, 0.2, 0.1]))

    def trial(draw):
        student.seed(draw.seed)
        x = generated(WithSchedule(student, "sample", recipe)(model, (n, 2), schedule), (n, 2))
        y = states(model, (n, 2), schedule, draw.normal(recipe.T + 1, n, 2))[-1]
        inside, expected = (points - centres[torch.cdist(points, centres).argmin(dim=1)] for points in (x, y))
        return [energy_test(a, b, draw, permutations=399) for a, b in ((x, y), (inside, expected))]

    attempts(draw, trial, message="the samples do not have the law of ancestral sampling with this network")


def told_of(call):
    """Of one call of the network: whether t was floating, its shape, and for how many samples it was."""
    x, t = (torch.as_tensor(value) for value in [*call.args, *call.kwargs.values()])
    samples = len(x) if x.ndim > 1 else 1  # a chain for each sample may leave the axis of the batch out
    return t.is_floating_point(), tuple(t.shape), samples


# ---- the order of the noises


def compared(student, noises, shape, extra, pick, expected):
    """agrees on `pick` of a run with these noises, handed over in the order in which the student's code reads them."""
    sample, chosen = WithSchedule(student, "sample", RECIPE), ""
    model = Bent()
    repeats(sample, model, shape, noises)
    due = states(model, shape, SCHEDULE, noises)[-1]
    for name, order in LAYOUTS.items():
        try:
            result = torch.as_tensor(last(sample(model, shape, SCHEDULE, noises[invert(order)])))
        except (StudentError, TypeError, ValueError, RuntimeError):
            continue
        if result.shape == due.shape and torch.allclose(result.double(), due, rtol=1e-3, atol=1e-3):
            chosen = name
            break
    if chosen:
        remark(f"sample reads its noises in another order ({chosen}); that was accepted")
    order = LAYOUTS[chosen]

    def reordered(model, shape, schedule, noises, **extra):
        return expected(model, shape, schedule, noises[order])

    inputs = model, shape, SCHEDULE, noises[invert(order)]
    agrees(sample, reordered, *inputs, pick=pick, name="generated data" if not extra else "trajectory", **extra)


def repeats(sample, model, shape, noises):
    """Fail if two calls with the same noises differ; what is wrong then cannot be told from random numbers."""
    spy = recorder(model)
    try:
        first, again = (torch.as_tensor(last(sample(spy, shape, SCHEDULE, noises))) for _ in range(2))
    except (StudentError, TypeError, ValueError, RuntimeError):
        return  # what it is about is said by the comparison
    if first.shape != again.shape or torch.allclose(first, again) or not torch.stack((first, again)).isfinite().all():
        return
    start = torch.as_tensor(next(iter([*spy.calls[0].args, *spy.calls[0].kwargs.values()]))) if spy.calls else first
    observe("two calls with the same noises differ", True)
    observe("starts at the given start", start.shape == noises[0].shape and torch.allclose(start.double(), noises[0]))
    raise CheckFailed("two calls of sample with the same noises give different results: not all of them are used")


def invert(order):
    """Positions such that handed_over[order] == noises, for handed_over = noises[invert(order)]."""
    positions = [0] * len(order)
    for i, place in enumerate(order):
        positions[place] = i
    return positions
