"""Part 5.4: annealed Langevin dynamics."""

import torch
from langevin_oracles import array_of, bent_blurred_score, blurred_score, last_state, levels_asked, normal_noise

from gdgrade.checks import (
    StudentError,
    agrees,
    attempts,
    check,
    covariance_test,
    mean_z,
    recorder,
    remark,
    require,
    well_formed,
)

SIGMAS = torch.tensor([3.0, 1.2, 0.5], dtype=torch.float64)


@check("5.4", points=1.5)
def test_given_noises(student, reference, draw):
    """With the noises given, the last state is right."""
    x0, noises = draw.normal(4, 2, scale=3.0), draw.normal(3, 2, 4, 2)
    compared(student, reference.annealed_langevin, bent_blurred_score(), x0, SIGMAS, 0.05, 2, noises)


@check("5.4", points=1)
def test_step_sizes(student, draw):
    """The step of each level follows its noise level, and is eta0 at the last."""
    x0, noises = draw.normal(3, 2), draw.normal(3, 2, 3, 2)
    slope = 1.5

    def score(x, sigma):
        return slope * torch.ones_like(torch.as_tensor(x))

    def moves(score_fn, x0, sigmas, eta0, n_per_level, noises):
        etas = eta0 * sigmas.square() / sigmas[-1].square()
        drift = n_per_level * slope * etas.sum() / 2
        return x0 + drift + torch.einsum("l,lnbd->bd", etas.sqrt(), noises)

    compared(student, moves, score, x0, SIGMAS, 0.05, 2, noises)


@check("5.4", points=0.5)
def test_levels_in_order(student, draw):
    """The score is asked at the largest noise level first, n_per_level times at each."""
    n_particles, n_per_level = 3, 4
    spy = recorder(bent_blurred_score())
    x0 = draw.normal(n_particles, 2)
    last = last_state(student.annealed_langevin(spy, x0, SIGMAS, 0.05, n_per_level))
    well_formed(last, x0, "last state", means="one point per particle", varies=True)
    require(spy.count > 0, "annealed_langevin never called score_fn")
    asked = levels_asked(spy)
    if asked is None:
        return
    order = [sigma for i, (sigma, _) in enumerate(asked) if i == 0 or abs(sigma - asked[i - 1][0]) > 1e-4]
    levels = SIGMAS.tolist()
    rounds = max(1, len(order) // len(levels))  # one, or one per particle where they walk one after the other
    right = len(order) == rounds * len(levels) and torch.allclose(
        torch.tensor(order), SIGMAS.repeat(rounds), rtol=0, atol=1e-4
    )
    text = f"score_fn was asked at the noise levels {shown(order)}, in this order"
    require(right, f"{text}; sigmas is {shown(levels)}")
    for level in levels:
        points = sum(count for sigma, count in asked if abs(sigma - level) < 1e-4)
        text = f"at the noise level {level:g} the score was asked {points / n_particles:g} times per particle"
        require(points == n_per_level * n_particles, f"{text}; n_per_level is {n_per_level}")


@check("5.4", points=1, visibility="hidden", alpha=1.25e-7)
def test_law_on_gaussian(student, draw):
    """On a Gaussian target, mean and variance of twice 2,000 chains are those of the algorithm at these levels."""
    n, n_per_level, eta0, variance = 2000, 6, 0.1, 0.5
    mean, start = draw.normal(3), draw.normal(3, scale=4.0)
    expected, spread = law(mean, variance, start, SIGMAS, eta0, n_per_level)

    def trial(draw):
        student.seed(draw.seed)
        score = blurred_score(mean, variance)
        inputs = score, start.repeat(n, 1), SIGMAS, eta0, n_per_level
        results = [student.annealed_langevin(*inputs) for _ in range(2)]
        # One beside the other: a sampler that repeats its noise correlates the two.
        both = torch.cat([array_of(last_state(result), (n, 3), "last state") for result in results], dim=1)
        tests = [mean_z(both, expected.repeat(2), spread**0.5), covariance_test(both, spread * torch.eye(6))]
        one_step = student.annealed_langevin(score, start.repeat(n, 1), SIGMAS[-1:], eta0, 1)  # a sum hides the shape
        moved, step = law(mean, variance, start, SIGMAS[-1:], eta0, 1)
        return [*tests, normal_noise(array_of(last_state(one_step), (n, 3), "last state"), moved, step**0.5)]

    attempts(draw, trial, message="the chains do not have the law of annealed Langevin steps")


# ---- what the checks know by themselves


def compared(student, expected, score, x0, sigmas, eta0, n_per_level, noises):
    """agrees on the last state, with the noises in the layout that the student's code reads."""
    inputs = score, x0, sigmas, eta0, n_per_level
    layout = noises
    for candidate in (noises, noises.flatten(0, 1)):
        try:
            result = last_state(student.annealed_langevin(*inputs, candidate))
        except StudentError:
            continue
        if tuple(getattr(result, "shape", ())) == tuple(x0.shape):
            layout = candidate
            break
    if layout is not noises:
        remark("annealed_langevin reads its noises as (levels * n_per_level, B, d); that was accepted")

    def due(*inputs):
        return expected(*inputs[:-1], inputs[-1].reshape(noises.shape))

    words = "one point per particle"
    agrees(student.annealed_langevin, due, *inputs, layout, pick=last_state, name="last state", means=words)


def law(mean, variance, start, sigmas, eta0, n_per_level):
    """Exact mean (d,) and variance (same in every coordinate) after all levels, for N(mean, variance I)."""
    deviation, spread = start - mean, 0.0
    for sigma in sigmas.tolist():
        eta = eta0 * sigma**2 / float(sigmas[-1]) ** 2
        contraction = 1 - eta / (2 * (variance + sigma**2))
        for _ in range(n_per_level):
            deviation, spread = contraction * deviation, contraction**2 * spread + eta
    return mean + deviation, spread


def shown(levels):
    """Noise levels as a short text."""
    texts = [f"{level:g}" for level in levels[:8]]
    return ", ".join(texts) + (", ..." if len(levels) > 8 else "")
