"""Parts 4.10 and 4.11, optional: DDIM."""

import torch
from ddpm_oracles import Bent, Gaussian, PointMass, Recipe, Zero, posterior_by_bayes, schedule_of
from ddpm_worker import WithSchedule

from gdgrade.checks import (
    CheckFailed,
    agrees,
    attempts,
    check,
    close,
    covariance_test,
    mean_z,
    observe,
    outside_fraction,
    require,
    well_formed,
)

RECIPE = Recipe(60)
# abar ends at 0.2: where it ends at 5e-5, a walk with a bent network multiplies the roundings of float32 by up to 200.
MILD = Recipe(60, 1e-3, 0.05, scale=False)
SCHEDULE = schedule_of(*RECIPE)
WORDS = "the shape of x"


def level(t, schedule=SCHEDULE):
    """abar, 1 for the clean data."""
    return torch.ones(()) if t < 0 else schedule["abar"][t]


def spread_of(t, s, eta, schedule=SCHEDULE):
    """sigma of the step from t to s."""
    now, following = level(t, schedule), level(s, schedule)
    return eta * ((1 - following) / (1 - now) * (1 - now / following)).sqrt()


def step_down(model, x, t, s, schedule, eta, noise):
    """The step of the statement."""
    eps, now, following = model(x, torch.full((len(x),), t)), level(t, schedule), level(s, schedule)
    x0, sigma = (x - (1 - now).sqrt() * eps) / now.sqrt(), spread_of(t, s, eta, schedule)
    return following.sqrt() * x0 + (1 - following - sigma**2).clamp(min=0).sqrt() * eps + sigma * noise


def even(T, S):
    """Evenly spaced whole numbers from 0 to T - 1; no ties for even S."""
    return [int(k * (T - 1) / (S - 1) + 0.5) for k in range(S)]


@check("4.10", points=0.5)
def test_timesteps(student):
    """The indices run from 0 to T-1, evenly, each once."""

    def numbers(steps):
        try:
            return torch.as_tensor(steps).double().reshape(-1)
        except (TypeError, ValueError, RuntimeError):
            raise CheckFailed("ddim_timesteps: a list of indices is due") from None

    for inputs in ((1000, 50), (200, 10), (60, 6), (37, 36), (8, 8)):
        agrees(student.ddim_timesteps, even, *inputs, pick=numbers, name="indices")


@check("4.10", points=0.5, alpha=1.25e-7)
def test_step(student, draw):
    """One step is right, near and far, with and without noise, given or its own."""
    for t, s, eta in ((59, 41, 0.0), (41, 2, 0.7), (24, 23, 0.4)):
        inputs = Bent(), draw.normal(5, 3), t, s, SCHEDULE, eta, draw.normal(5, 3)
        agrees(WithSchedule(student, "ddim_step", RECIPE), step_down, *inputs, name="x at t_prev", means=WORDS)
    step, x = WithSchedule(student, "ddim_step", RECIPE), torch.zeros(5, 3)
    results = [step(Zero(), x, 41, 2, SCHEDULE, 0.7) for _ in range(2)]
    for result in results:
        well_formed(result, x, "x at t_prev", means=WORDS)
    different = len(torch.cat([torch.as_tensor(result) for result in results]).unique())
    observe("different numbers where the step draws its own noise", different)
    require(
        different > 20,  # of 30: from x = 0 and a network that answers 0, sigma n is left; float32 may repeat a number
        "with eta > 0 and no noise given, the step must draw its own, a new number for every sample and coordinate",
    )
    n, deviation = 3000, spread_of(41, 2, 0.7)

    def trial(draw):
        student.seed(draw.seed)
        calls = [step(Zero(), torch.zeros(n, 2), 41, 2, SCHEDULE, 0.7) for _ in range(2)]
        for call in calls:
            well_formed(call, torch.zeros(n, 2), "x at t_prev", means=WORDS)
        noise = torch.cat([torch.as_tensor(call).double() / deviation for call in calls], dim=1)
        far_out = outside_fraction(noise.flatten(), [0.0], 1.0, radius=1.75)  # no uniform noise of this variance is
        return [mean_z(noise, 0.0, 1.0), covariance_test(noise, torch.eye(4)), far_out]

    attempts(draw, trial, message="the noise that the step draws is not standard normal, or not independent")


@check("4.10", points=0.25)
def test_transports_a_point(student, draw):
    """When all data are one point, each step goes exactly to the next level, and the last one to the point."""
    point, noise = draw.normal(1, 3, 2, scale=2.0), draw.normal(4, 1, 3, 2)

    def at(s):
        return level(s).sqrt() * point + (1 - level(s)).sqrt() * noise

    model, step = PointMass(SCHEDULE["abar"], point), WithSchedule(student, "ddim_step", RECIPE)
    for t, s in ((59, 30), (30, 3), (3, -1), (0, -1)):
        agrees(step, lambda *inputs, s=s: at(s), model, at(t), t, s, SCHEDULE, name="x at t_prev", rtol=1e-7)


@check("4.10", points=0.25, visibility="hidden")
def test_ancestral_step(student, draw):
    """With eta = 1, a step to the index before has the mean and the variance of the posterior."""

    def posterior(model, x, t, s, schedule, eta, noise):
        index = torch.full((len(x),), t)
        x0 = (x - (1 - level(t)).sqrt() * model(x, index)) / level(t).sqrt()
        mean, variance = posterior_by_bayes(SCHEDULE, x0, x, index)
        return mean + variance.sqrt()[:, None] * noise

    for t in (1, 20, 59):
        inputs = Bent(), draw.normal(4, 2), t, t - 1, SCHEDULE, 1.0, draw.normal(4, 2)
        agrees(WithSchedule(student, "ddim_step", RECIPE), posterior, *inputs, name="x at t_prev", rtol=1e-7)


@check("4.10", points=0.5, visibility="hidden")
def test_sample(student, draw):
    """Without noise, standard normal data shrink by a known factor; with noises given, the result is right."""
    sample, x = WithSchedule(student, "ddim_sample", RECIPE), draw.normal(4, 2)

    def rotated(model, x, schedule, n_steps=20):
        # For N(0, 1) data every step multiplies by the cosine of the change of arccos sqrt(abar).
        angles = torch.stack([level(t) for t in [-1, *even(RECIPE.T, n_steps)]]).sqrt().acos()
        return x * (angles[1:] - angles[:-1]).cos().prod()

    for n_steps in ((6,), ()):
        model = Gaussian(SCHEDULE["abar"], torch.zeros(2), 1.0)
        agrees(sample, rotated, model, x, SCHEDULE, *n_steps, name="generated data", means=WORDS)

    def walk(model, x, schedule, n_steps, eta, noises):
        levels = [-1, *even(MILD.T, n_steps)]
        for i in range(n_steps):
            x = step_down(model, x, levels[n_steps - i], levels[n_steps - i - 1], schedule, eta, noises[i])
        return x

    inputs = Bent(), x, schedule_of(*MILD), 8, 0.5, draw.normal(8, 4, 2)
    agrees(WithSchedule(student, "ddim_sample", MILD), walk, *inputs, name="generated data", means=WORDS)


@check("4.11", points=0.5, needs=("4.10",))
def test_invert(student, draw):
    """The steps upwards are right, for a network that is no straight line."""

    def climb(model, x, schedule, n_steps=20):
        below = torch.ones(())
        for t in even(RECIPE.T, n_steps):
            eps = model(x, torch.full((len(x),), t))
            x = level(t).sqrt() * (x - (1 - below).sqrt() * eps) / below.sqrt() + (1 - level(t)).sqrt() * eps
            below = level(t)
        return x

    for n_steps in ((6,), ()):
        inputs = Bent(), draw.normal(4, 2), SCHEDULE, *n_steps
        agrees(WithSchedule(student, "ddim_invert", RECIPE), climb, *inputs, name="code", means=WORDS)


def two_far(draw, shape):
    """a and b of this shape, in each row 0.4 to 2.7 rad from each other: near 0 and pi float32 loses the way."""
    a, b, angle = draw.normal(*shape), draw.normal(*shape), draw.uniform(shape[0], 1, low=0.4, high=2.7)
    along, across = (rows.reshape(len(rows), -1) for rows in (a, b))
    length = across.norm(dim=1, keepdim=True)
    along = along / along.norm(dim=1, keepdim=True)
    across = across - (across * along).sum(dim=1, keepdim=True) * along
    across = across / across.norm(dim=1, keepdim=True)
    return a, (length * (angle.cos() * along + angle.sin() * across)).reshape(shape)


@check("4.11", points=0.5, seconds=10)
def test_slerp(student, draw):
    """Between two points and between two images, the walk follows the great circle."""

    def circle(a, b, weight):
        rows = []
        for p, q in zip(a, b, strict=True):
            omega = torch.acos((p * q).sum() / (p.square().sum() * q.square().sum()).sqrt())
            rows.append((torch.sin((1 - weight) * omega) * p + torch.sin(weight * omega) * q) / torch.sin(omega))
        return torch.stack(rows)

    for shape, weight in (((5, 3), 0.25), ((2, 1, 4, 4), 0.6), ((3, 8), 1.0)):
        a, b = two_far(draw, shape)
        agrees(student.slerp, circle, a, b, weight, name="point on the way", means="the shape of a", rtol=1e-7)
    # On the circle through two vectors of length 1 at a right angle, half-way is 45 degrees.
    half = student.slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5)
    close(half, torch.full((1, 2), 0.5**0.5), "half-way between two axes", rtol=1e-7)
