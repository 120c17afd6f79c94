"""Part 4.4: clean data from noise, and the law of a step back when the clean data are known."""

import torch
from ddpm_oracles import Recipe, before, noised, posterior_by_bayes, schedule_of, wide
from ddpm_worker import WithSchedule

from gdgrade.checks import CheckFailed, agrees, check, require

RECIPE = Recipe(60)
SCHEDULE = schedule_of(*RECIPE)
STEPS = torch.tensor([2, 9, 24, 41, 59])


@check("4.4", points=0.5)
def test_clean_data(student, draw):
    """The guess at the clean data is right for points and images, each at its own step."""

    def solved(x_t, t, eps, schedule):
        abar = wide(schedule["abar"][t], x_t)
        return x_t / abar.sqrt() - (1 / abar - 1).sqrt() * eps

    for shape in ((5, 3), (4, 1, 6, 5)):
        inputs = draw.normal(*shape), STEPS[: shape[0]], draw.normal(*shape), SCHEDULE
        words = "the shape of x_t"
        agrees(WithSchedule(student, "predict_x0", RECIPE), solved, *inputs, name="clean data", means=words)


@check("4.4", points=0.25, visibility="hidden")
def test_undoes_the_noising(student, draw):
    """Told the noise that was added, the guess at the clean data is the clean data."""
    for shape in ((5, 5), (7, 1, 7, 7)):
        x0, noise, t = draw.normal(*shape, scale=2.0), draw.normal(*shape), draw.integers(0, 45, shape[0])
        x_t = noised(x0, t, SCHEDULE["abar"], noise)
        inputs = x_t, t, noise, SCHEDULE
        predict_x0 = WithSchedule(student, "predict_x0", RECIPE)
        agrees(predict_x0, lambda *inputs, x0=x0: x0, *inputs, name="clean data", rtol=1e-7)


@check("4.4", points=0.75)
def test_posterior(student, draw):
    """Mean and variance of the posterior are right, at t = 0 as well."""

    def formulas(x0, x_t, t, schedule):
        beta, alpha, abar = (schedule[key][t] for key in ("betas", "alphas", "abar"))
        prev = before(schedule["abar"], t)
        on_x0, on_xt = prev.sqrt() * beta / (1 - abar), alpha.sqrt() * (1 - prev) / (1 - abar)
        return wide(on_x0, x0) * x0 + wide(on_xt, x0) * x_t, (1 - prev) / (1 - abar) * beta

    for shape, first in (((5, 3), STEPS), ((4, 1, 6, 5), STEPS), ((3, 2), torch.zeros(3, dtype=torch.long))):
        t = first[: shape[0]]
        inputs = draw.normal(*shape), draw.normal(*shape), t, SCHEDULE
        got = torch.as_tensor(compared(student, formulas, inputs)["variance"])
        # Where the variance is 0, float32 has no rounding either, but its tolerance would let a lower bound pass.
        largest = float(got[t == 0].abs().max()) if bool((t == 0).any()) else 0.0
        require(largest < 2e-7, f"at t = 0 nothing is left to guess: the variance must be 0, not {largest:.2g}")


@check("4.4", points=0.5, visibility="hidden")
def test_posterior_by_bayes(student, draw):
    """Mean and variance of the posterior are those that Bayes' rule gives."""

    def bayes(x0, x_t, t, schedule):
        return posterior_by_bayes(schedule, x0, x_t, t)

    t = draw.integers(1, 60, 6)
    compared(student, bayes, (draw.normal(6, 6), draw.normal(6, 6), t, SCHEDULE))


def compared(student, expected, inputs):
    """Mean and variance, the variance as one number per sample."""
    shape = tuple(inputs[0].shape)

    def pick(result):
        if not (isinstance(result, tuple | list) and len(result) == 2):
            raise CheckFailed("q_posterior must return the pair (mean, variance)")
        return {"mean": result[0], "variance": per_sample(result[1], shape)}

    words = {"mean": "the shape of x0", "variance": "one variance per sample"}
    posterior = WithSchedule(student, "q_posterior", RECIPE)
    return agrees(posterior, expected, *inputs, pick=pick, name="q_posterior", means=words)


def per_sample(variance, shape):
    """A variance of any shape that broadcasts against the data, or (B,), as (B,)."""
    values = torch.as_tensor(variance)
    if values.shape != (shape[0],):
        try:
            values = values.expand(shape).reshape(shape[0], -1)
        except RuntimeError:
            raise CheckFailed(f"variance: the shape {tuple(values.shape)} does not broadcast against {shape}") from None
        if bool((values - values[:, :1]).abs().max() > 1e-9):
            raise CheckFailed("variance: it must be the same for all numbers of a sample")
        values = values[:, 0]
    return values
