"""Part 2.7: WGAN-GP on 8 and on 25 Gaussians, judged by what the trained generator makes.

The limits come from calibration.json. A training that falls short is repeated once with a fresh seed before it fails.
"""

import dataclasses

from wgan_training import GRID, RING, SAMPLES, limits, networks, of_mixture, scores, trained

from gdgrade.checks import at_least, at_most, check, require


@check("2.7", points=1.5, alpha=1e-9, training=True, seconds=70)
def test_ring_covers_modes(student, draw):
    """On 8 Gaussians the trained generator reaches every mode, about equally often."""
    judge_training(student, draw, RING, ("ring poorest", "ring reverse_kl"))


@check("2.7", points=1, visibility="hidden", alpha=1e-9, training=True, seconds=70)
def test_ring_quality(student, draw):
    """On 8 Gaussians most samples of the trained generator are of high quality, and the modes are not too narrow."""
    # 1 - exp(-4.5) of the mixture itself lies within 3 sigma; five standard errors of SAMPLES above it is too good
    best = 0.98889 + 5 * (0.98889 * 0.01111 / SAMPLES) ** 0.5

    def beyond_theory(score):
        bound = at_most(score.high_quality, best, "the share of samples of high quality", too_good=True)
        # the mixture itself has 0.974, with a standard error of 0.01
        narrow = at_least(score.width, 0.8, "the width of the modes, over sigma")
        return "" if bound.passed and narrow.passed else (narrow if bound.passed else bound).message

    wanted = ("ring high_quality", "ring width")
    judge_training(student, draw, RING, wanted, beyond_theory)


@check("2.7", points=1.5, alpha=1e-9, training=True, seconds=70)
def test_grid_of_25(student, draw):
    """On 25 Gaussians the trained generator reaches every mode with good samples, and the critic's slope is near 1."""
    wanted = ("grid poorest", "grid reverse_kl", "grid high_quality", "grid slope_low", "grid slope_high")
    judge_training(student, draw, GRID, wanted)


# ---- what the checks know by themselves


def judge_training(student, draw, problem, wanted, more=lambda score: ""):
    """Train with one seed and, if a score misses its limit, once more with a fresh one."""
    faults = []
    for attempt in ("first", "second"):
        fresh = draw.fork(attempt)
        seed, noise = fresh.seed % 2**31, fresh.normal(SAMPLES, 2)
        real = of_mixture(problem, fresh.integers(0, len(problem.centres), SAMPLES), fresh.normal(SAMPLES, 2))
        with student.dtype("float32"):
            parameters = student.run(trained, student.module, networks, dataclasses.asdict(problem), seed)
        score = scores(problem, parameters, noise, real)
        fault = fault_of(score, wanted) or more(score)
        if not fault:
            return
        faults.append(fault)
    require(False, f"{faults[0]} (and with another seed: {faults[1]})")


def fault_of(score, wanted):
    """What is wrong with a training, in words; nothing if it keeps all its limits."""
    if not score.finite:
        return "after training some parameters are not finite: the training diverged"
    bounds = limits()
    for name in wanted:
        field = name.split()[1].removesuffix("_low").removesuffix("_high")
        result = bounds[name].judge(getattr(score, field))
        if not result.passed:
            return result.message.rstrip(".")
    return ""
