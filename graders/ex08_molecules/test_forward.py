"""Part 8.3: noising within the subspace, and the loss."""

import torch
from molecule_oracles import Bent, PointMass, Radial, Recipe, Zero, centred, clouds, in_basis, noised, schedule_of, wide
from molecule_reading import mean_free, normal_shape, positions, run_either, seen_by
from molecule_worker import Calls, loss_and_gradient

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

RECIPE = Recipe(60)
SCHEDULE = schedule_of(*RECIPE)
WORDS = "a position for every atom"


@check("8.3", points=0.75)
def test_given_noise(student, draw):
    """With the noise given, every molecule is noised to the level of its own step."""

    def by_molecule(x0, t, schedule, noise):
        return noised(x0, t, schedule["abar"], noise)

    for B, M in ((5, 4), (3, 3), (4, 4)):
        t = torch.tensor([0, 9, 24, 41, 59][:B])
        inputs = clouds(draw, B, M, 2.0), t, SCHEDULE, clouds(draw, B, M)
        agrees(Calls(student, "q_sample_com", RECIPE), by_molecule, *inputs, name="x_t", means=WORDS)


@check("8.3", points=0.5, alpha=1.25e-7)
def test_drawn_noise(student, draw):
    """Left to draw its own noise, it stays in the subspace, with the right spread, independently for every molecule."""
    n, M = 2000, 3
    q_sample = Calls(student, "q_sample_com", RECIPE)

    def trial(draw):
        student.seed(draw.seed)
        t = draw.integers(5, 60, n)
        spread = (1 - SCHEDULE["abar"][t]).sqrt()[:, None, None]
        calls = [positions(q_sample(torch.zeros(n, M, 3), t, SCHEDULE), (n, M, 3), "x_t") for _ in range(2)]
        noise = [call / spread for call in calls]
        observe("mean over the atoms is zero", bool(noise[0].mean(dim=1).abs().max() < 1e-5))
        different = observe("different molecules", len(noise[0][:, :1].unique(dim=0)))
        observe("tenths of the spread", round(10 * float(noise[0].std())) if different > 1 else None)
        mean_free(noise[0], "x_t")
        free = torch.cat([in_basis(x) for x in noise], dim=1)
        return [mean_z(free, 0.0, 1.0), covariance_test(free, torch.eye(6 * (M - 1))), normal_shape(free)]

    attempts(draw, trial, message="the noise of fixed data is not standard normal in the subspace, or not independent")


@check("8.3", points=0.75)
def test_loss(student, draw):
    """With steps and noise given, the loss is the mean square over molecules, atoms and coordinates."""

    def by_hand(model, x0, schedule, t, noise):
        gap = model(noised(x0, t, schedule["abar"], noise), t) - noise
        return gap.square().sum() / gap.numel()

    loss = Calls(student, "ddpm_loss_com", RECIPE)
    for B, M in ((5, 4), (3, 3)):
        t = torch.tensor([0, 11, 23, 39, 59][:B])
        inputs = Bent(), clouds(draw, B, M, 2.0), SCHEDULE, t, clouds(draw, B, M)
        agrees(loss, by_hand, *inputs, name="loss", means="one number")


@check("8.3", points=0.25)
def test_loss_of_turned_molecules(student, draw):
    """Molecules and their noise, all turned or mirrored together, have the loss that they had before."""
    x0, noise, t = clouds(draw, 4, 5, 1.5), clouds(draw, 4, 5), torch.tensor([3, 14, 30, 58])
    turn = draw.orthogonal(3)
    gap = Radial()(noised(x0, t, SCHEDULE["abar"], noise), t) - noise

    def before(model, x0, schedule, t, noise):
        return gap.square().mean()

    loss = Calls(student, "ddpm_loss_com", RECIPE)
    for sign in (1, -1):
        inputs = Radial(), sign * x0 @ turn.T, SCHEDULE, t, sign * noise @ turn.T
        agrees(loss, before, *inputs, name="loss of the turned molecules", means="one number")


@check("8.3", points=0.5, alpha=1.25e-7)
def test_loss_draws(student, draw):
    """Left to draw, the loss draws one step for every molecule, and noise in the subspace that is to be found."""
    T, n, M = 12, 1500, 3
    recipe = Recipe(T, scale=False)
    loss, abar = Calls(student, "ddpm_loss_com", recipe), schedule_of(*recipe)["abar"]

    def trial(draw):
        student.seed(draw.seed)
        asked, different, values = [], [], []
        for _ in range(2):
            spy = recorder(Zero())
            value = loss(spy, torch.zeros(n, M, 3), schedule_of(*recipe))
            well_formed(value, 1.0, "loss", means="the mean of the squares")
            x, t = seen_by(spy, (M, 3))
            require(len(t) == n, f"the network was asked about {len(t)} molecules, the batch has {n}")
            asked.append(t)
            different.append(len(t.unique()))
            noise = x / (1 - abar[t.long().clamp(0, T - 1)]).sqrt()[:, None, None]
            observe("mean over the atoms is zero", bool(noise.mean(dim=1).abs().max() < 1e-5))
            observe("different molecules", len(noise[:, :1].unique(dim=0)))
            values.append((value, noise))
        t = torch.cat(asked)
        observe("smallest and largest t", [float(t.min()), float(t.max())])
        observe("one t in a batch", max(different) == 1)
        for value, noise in values:
            ratio = float(value) / float(noise.square().mean())
            observe("loss over mean square of the noise", round(ratio, 3))
            close(torch.tensor(ratio), torch.ones(()), "loss of the network that answers 0, relative", rtol=1e-4)
            mean_free(noise, "the noise that the network sees")
        free = torch.cat([in_basis(noise) for _, noise in values], dim=1)
        tests = [mean_z(free, 0.0, 1.0), covariance_test(free, torch.eye(6 * (M - 1))), normal_shape(free)]
        return [uniform_integers(t, T), *tests]

    attempts(draw, trial, message=f"with T = {T}, steps or noise of the loss are not drawn as asked")


@check("8.3", points=0.25)
def test_trains_a_network(student, draw):
    """The loss is differentiable in the network's parameters, with the right gradient; at best it is zero."""
    weights, x0, noise = draw.normal(3, 3), clouds(draw, 5, 4), clouds(draw, 5, 4)
    t = torch.tensor([0, 7, 19, 30, 59])
    loss, gradient = run_either(student, loss_and_gradient, tuple(RECIPE), SCHEDULE, weights, x0, t, noise)
    require(gradient is not None, "autograd finds no way from the loss back to the parameters of the network")
    with torch.enable_grad():
        leaf = weights.clone().requires_grad_(True)
        guess = torch.tanh(noised(x0, t, SCHEDULE["abar"], noise) @ leaf + 0.05 * wide(t, x0))
        expected = (guess - guess.mean(dim=1, keepdim=True) - noise).square().mean()
        (due,) = torch.autograd.grad(expected, leaf)
    close(loss, expected.detach(), "loss", rtol=1e-5)
    close(gradient, due, "gradient of the loss in the parameters", rtol=1e-5)
    molecule = centred(draw.normal(1, 4, 3))[0]
    inputs = PointMass(SCHEDULE["abar"], molecule), molecule.repeat(50, 1, 1), SCHEDULE
    agrees(
        Calls(student, "ddpm_loss_com", RECIPE), lambda *inputs: 0.0, *inputs, name="loss when all is known", atol=1e-8
    )
