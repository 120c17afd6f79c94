"""Part 4.3: the training loss."""

import torch
from ddpm_oracles import Bent, PointMass, Recipe, Zero, noised, schedule_of, wide
from ddpm_reading import run_either, seen_by
from ddpm_worker import WithSchedule, loss_and_gradient

from gdgrade.checks import (
    agrees,
    attempts,
    check,
    close,
    covariance_test,
    mean_z,
    observe,
    recorder,
    require,
    uniform_integers,
    well_formed,
)

RECIPE = Recipe(40)
SCHEDULE = schedule_of(*RECIPE)
WORDS = "one number"


@check("4.3", points=1)
def test_given_t_and_noise(student, draw):
    """With steps and noise given, the loss is right for points and for images."""

    def by_hand(model, x0, schedule, t, noise):
        gap = model(noised(x0, t, schedule["abar"], noise), t) - noise
        return gap.square().sum() / gap.numel()

    loss = WithSchedule(student, "ddpm_loss", RECIPE)
    for shape in ((5, 3), (4, 1, 6, 5)):
        t = torch.tensor([0, 11, 23, 39, 39][: shape[0]])
        inputs = Bent(), draw.normal(*shape, scale=2.0), SCHEDULE, t, draw.normal(*shape)
        agrees(loss, by_hand, *inputs, name="loss", means=WORDS)


@check("4.3", points=0.25)
def test_zero_for_one_point(student, draw):
    """When all data are one point, the network that knows it has loss zero, whatever is drawn."""
    point = draw.normal(2)
    loss = WithSchedule(student, "ddpm_loss", RECIPE)
    inputs = PointMass(SCHEDULE["abar"], point), point.repeat(50, 1), SCHEDULE
    agrees(loss, lambda *inputs: 0.0, *inputs, name="loss", atol=1e-8)


@check("4.3", points=0.5, alpha=1.25e-7)
def test_draws_t(student, draw):
    """Left to draw the steps, it draws one for every sample, each of 0 to T-1 equally often."""
    T, n, calls = 12, 500, 8
    recipe = Recipe(T, scale=False)
    loss = WithSchedule(student, "ddpm_loss", recipe)

    def trial(draw):
        student.seed(draw.seed)
        asked, different, values = [], [], []
        for _ in range(calls):
            spy = recorder(Zero())
            values.append(loss(spy, torch.zeros(n, 2), schedule_of(*recipe)))
            well_formed(values[-1], 1.0, "loss", means="the mean of the squares")
            t = torch.cat([time for _, time in seen_by(spy)])
            require(len(t) == n, f"the network was asked about {len(t)} samples, the batch has {n}")
            asked.append(t)
            different.append(len(t.unique()))
        t = torch.cat(asked)
        observe("smallest and largest t", [float(t.min()), float(t.max())])
        observe("one t in a batch", max(different) == 1)
        observe("whole numbers", bool((t == t.round()).all()))
        require(len({float(value) for value in values}) > 1, "the loss is the same whatever noise was drawn")
        return uniform_integers(t, T)

    attempts(draw, trial, message=f"with T = {T}, the steps t that the network sees are not drawn as asked")


@check("4.3", points=0.25, visibility="hidden", alpha=1.25e-7)
def test_draws_noise(student, draw):
    """Left to draw the noise, it draws a standard normal one, and it is the one the network has to find."""
    n = 3000
    loss = WithSchedule(student, "ddpm_loss", RECIPE)

    def trial(draw):
        student.seed(draw.seed)
        spy = recorder(Zero())
        value = loss(spy, torch.zeros(n, 2), SCHEDULE, draw.integers(5, 40, n))
        rows = seen_by(spy)
        x, t = (torch.cat([row[k] for row in rows]) for k in (0, 1))
        require(x.shape == (n, 2), f"the network was asked about {len(x)} samples, the batch has {n}")
        noise = x / (1 - SCHEDULE["abar"][t.long().clamp(0, RECIPE.T - 1)]).sqrt()[:, None]
        close(value, noise.square().mean(), "loss of the network that answers 0", rtol=1e-5)
        observe("different rows", len(noise.unique(dim=0)))
        return [mean_z(noise, 0.0, 1.0), covariance_test(noise, torch.eye(2))]

    attempts(draw, trial, message="the noise that the network has to find is not standard normal")


@check("4.3", points=0.5)
def test_trains_a_network(student, draw):
    """The loss is differentiable in the network's parameters, with the right gradient."""
    weights, x0, noise = draw.normal(2, 2), draw.normal(5, 2), draw.normal(5, 2)
    t = torch.tensor([0, 7, 19, 30, 39])
    loss, gradient = run_either(student, loss_and_gradient, tuple(RECIPE), SCHEDULE, weights, x0, t, noise)
    require(gradient is not None, "autograd finds no way from the loss back to the parameters of the network")
    with torch.enable_grad():
        leaf = weights.clone().requires_grad_(True)
        guess = torch.tanh(noised(x0, t, SCHEDULE["abar"], noise) @ leaf + 0.05 * wide(t, x0))
        expected = (guess - noise).square().mean()
        (due,) = torch.autograd.grad(expected, leaf)
    close(loss, expected.detach(), "loss", rtol=1e-5)
    close(gradient, due, "gradient of the loss in the parameters", rtol=1e-5)
