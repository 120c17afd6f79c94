"""Part 4.5: one ancestral step."""

import torch
from ddpm_oracles import (
    Bent,
    Gaussian,
    PointMass,
    Recipe,
    Zero,
    affine_step,
    ancestral_step,
    bound_of_steps,
    gaussian_entropy,
    posterior_by_bayes,
    schedule_of,
)
from ddpm_reading import run_either
from ddpm_worker import WithSchedule, step_maps

from gdgrade.checks import (
    agrees,
    at_least,
    attempts,
    check,
    close,
    covariance_test,
    holds,
    mean_z,
    observe,
    outside_fraction,
    require,
)

RECIPE = Recipe(60)
SCHEDULE = schedule_of(*RECIPE)
WORDS = "the shape of x_t"


@check("4.5", points=0.75)
def test_given_noise(student, draw):
    """With the noise given, the step is right early and late in the chain, for points and for images."""
    for shape, t in (((5, 3), 59), ((3, 1, 4, 5), 7)):
        inputs = Bent(), draw.normal(*shape), t, SCHEDULE, draw.normal(*shape)
        step = WithSchedule(student, "p_sample", RECIPE)
        agrees(step, ancestral_step, *inputs, name="x before the step", means=WORDS)


@check("4.5", points=0.25)
def test_last_step(student, draw):
    """At t = 0 the result is the mean, and does not depend on the noise."""
    x, step = draw.normal(5, 3), WithSchedule(student, "p_sample", RECIPE)
    for _ in range(2):
        inputs = Bent(), x, 0, SCHEDULE, draw.normal(5, 3)
        agrees(step, ancestral_step, *inputs, name="result of the last step", means=WORDS)

    def mean(model, x_t, t, schedule):
        return ancestral_step(model, x_t, t, schedule, 0 * x_t)

    agrees(step, mean, Bent(), x, 0, SCHEDULE, name="result of the last step, no noise given", means=WORDS)


@check("4.5", points=0.25, visibility="hidden")
def test_mean_is_that_of_the_posterior(student, draw):
    """With a network that knows the clean data, a step without noise lands on the mean of the posterior."""
    x0, x = draw.normal(1, 2, scale=2.0), draw.normal(4, 2)  # one point: the network may be asked row by row

    def posterior_mean(model, x_t, t, schedule, noise):
        return posterior_by_bayes(schedule, x0, x_t, torch.full((4,), t))[0]

    for t in (1, 30, 59):
        inputs = PointMass(SCHEDULE["abar"], x0), x, t, SCHEDULE, torch.zeros(4, 2)
        step = WithSchedule(student, "p_sample", RECIPE)
        agrees(step, posterior_mean, *inputs, name="mean of the step", means=WORDS, rtol=1e-7)


@check("4.5", points=0.25, visibility="hidden", alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, a step has the right spread, independently for every sample and call."""
    n, t = 3000, 40
    step, deviation = WithSchedule(student, "p_sample", RECIPE), SCHEDULE["betas"][t].sqrt()

    def trial(draw):
        student.seed(draw.seed)
        calls = [step(Zero(), torch.zeros(n, 2), t, SCHEDULE) for _ in range(2)]
        for call in calls:
            require(getattr(call, "shape", None) == (n, 2), "the step must return the shape of x_t")
        noise = torch.cat([torch.as_tensor(call).double() / deviation for call in calls], dim=1)
        observe("different rows", len(noise[:, :2].unique(dim=0)))
        observe("tenths of the spread", round(10 * float(noise.std())))
        # Uniform noise of this variance ends at 1.73, signs are all at 1: 8 % of normal noise lie beyond 1.75.
        far_out = outside_fraction(noise.flatten(), [0.0], 1.0, radius=1.75)
        return [mean_z(noise, 0.0, 1.0), covariance_test(noise, torch.eye(4)), far_out]

    attempts(draw, trial, message="the noise of a step does not spread as asked, or is not independent")


@check("4.5", points=0.5)
def test_variational_bound(student):
    """On Gaussian data, the steps of all t together have the variational bound (nats) that theory gives them."""
    recipe, mean, variance = Recipe(50), torch.tensor(2.0), 0.25
    schedule = schedule_of(*recipe)
    model = Gaussian(schedule["abar"], mean, variance)
    maps = torch.as_tensor(run_either(student, step_maps, tuple(recipe), schedule, model)).double()
    require(maps.shape == (50, 3) and bool(maps.isfinite().all()), "p_sample does not return finite numbers at every t")
    at_zero, at_one, with_noise = maps.T
    deviations = with_noise - at_zero
    still = [t for t in range(1, 50) if abs(float(deviations[t])) < 1e-12]
    require(not still, f"the step at t = {(still or [0])[0]} adds no noise: the variational bound is infinite")
    bound = bound_of_steps(schedule, mean, variance, at_one - at_zero, at_zero, deviations)
    holds(at_least(bound, gaussian_entropy(variance), "the variational bound in nats", too_good=True, slack=1e-6))
    right = [affine_step(schedule, t, mean, variance) for t in range(50)]
    slopes, offsets = (torch.stack([pair[k] for pair in right]) for k in (0, 1))
    due = bound_of_steps(schedule, mean, variance, slopes, offsets, schedule["betas"].sqrt())
    close(bound, due, "the variational bound in nats", rtol=1e-5)
