"""Part 8.5: the way back, within the subspace."""

import torch
from molecule_oracles import (
    Bent,
    Drifting,
    Gaussian,
    PointMass,
    Recipe,
    Zero,
    affine_law,
    ancestral_step,
    clouds,
    in_basis,
    schedule_of,
)
from molecule_reading import mean_free, normal_shape, positions, run_either, seen_by
from molecule_worker import Calls, chain

from gdgrade.checks import agrees, attempts, check, close, covariance_test, mean_z, observe, recorder

RECIPE = Recipe(60)
SCHEDULE = schedule_of(*RECIPE)
WORDS = "the shape of x_t"


@check("8.5", points=0.75)
def test_given_noise(student, draw):
    """With the noise given, the step is right early and late in the chain."""
    step = Calls(student, "p_sample_com", RECIPE)
    for B, M, t, scale in ((5, 4, 59, 1.0), (2, 7, 7, 1.0), (3, 3, 30, 9.0)):  # nothing is clamped, however far out
        inputs = Bent(), clouds(draw, B, M, scale), t, SCHEDULE, clouds(draw, B, M)
        agrees(step, ancestral_step, *inputs, name="x before the step", means=WORDS)
    spy = recorder(Zero())
    step(spy, clouds(draw, 3, 4), 7, SCHEDULE, clouds(draw, 3, 4))
    seen_by(spy, (4, 3), each=True)


@check("8.5", points=0.5)
def test_last_step(student, draw):
    """At t = 0 the result is the mean, and does not depend on the noise."""
    x, step = clouds(draw, 5, 4), Calls(student, "p_sample_com", RECIPE)
    for _ in range(2):
        inputs = Bent(), x, 0, SCHEDULE, clouds(draw, 5, 4)
        agrees(step, ancestral_step, *inputs, name="result of the last step", means=WORDS)

    def mean(model, x_t, t, schedule):
        return ancestral_step(model, x_t, t, schedule, 0 * x_t)

    agrees(step, mean, Bent(), x, 0, SCHEDULE, name="result of the last step, no noise given", means=WORDS)


@check("8.5", points=0.25)
def test_network_with_a_mean(student, draw):
    """If the network's answer has a mean, the result of the step has none."""
    step = Calls(student, "p_sample_com", RECIPE)
    for t in (20, 0):
        inputs = Drifting(), clouds(draw, 4, 3), t, SCHEDULE, clouds(draw, 4, 3)
        agrees(step, ancestral_step, *inputs, name="x before the step", means=WORDS)


@check("8.5", points=0.5)
def test_one_molecule(student, draw):
    """When all data are one molecule, the chain with the network that knows it ends there, whatever the noise."""
    molecule, start = clouds(draw, 1, 5, 1.5)[0], clouds(draw, 3, 5)
    model = PointMass(SCHEDULE["abar"], molecule)
    student.seed(draw.seed)
    end = run_either(student, chain, tuple(RECIPE), SCHEDULE, model, start, None)
    close(end, molecule.expand(3, 5, 3), "end of the chain", atol=1e-4)  # code in float32 is off by 1e-5


@check("8.5", points=0.5)
def test_gaussian(student, draw):
    """On Gaussian data of the subspace the whole chain has the mean and the variance of theory."""
    m, variance = clouds(draw, 1, 4, 1.5)[0], 0.25
    schedule, T = SCHEDULE, RECIPE.T
    model, silent = Gaussian(schedule["abar"], m, variance), torch.zeros(T, 1, 4, 3)
    # The chain is affine in its start and in each noise: without noise from 0 it gives the mean, and what a unit
    # vector in the place of the start or of a noise adds, squared and summed, is the variance.
    unit = clouds(draw, 1, 4)
    unit = unit / unit.norm()
    starts = torch.cat([torch.zeros(1, 4, 3), unit, torch.zeros(T, 4, 3)])
    noises = silent.repeat(1, T + 2, 1, 1)
    noises[torch.arange(T), torch.arange(T) + 2] = unit
    ends = run_either(student, chain, tuple(RECIPE), schedule, model, starts, noises)
    ends = positions(ends, (T + 2, 4, 3), "end of the chain")
    share, spread = affine_law(schedule, variance)
    # Sixty steps in float32, with differences of numbers near 1.5, leave the variance of 0.25 off by 3e-6 of it.
    close(ends[0], share * m, "mean of the chain", rtol=2e-5)
    close((ends[1:] - ends[:1]).square().sum(), spread, "variance of the chain in one direction", rtol=2e-5)


@check("8.5", points=0.5, visibility="hidden", alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, a step stays in the subspace and has the right spread there."""
    n, M, t = 2000, 3, 40
    step, deviation = Calls(student, "p_sample_com", RECIPE), SCHEDULE["betas"][t].sqrt()

    def trial(draw):
        student.seed(draw.seed)
        calls = [positions(step(Zero(), torch.zeros(n, M, 3), t, SCHEDULE), (n, M, 3), "the step") for _ in range(2)]
        noise = [call / deviation for call in calls]
        observe("mean over the atoms is zero", bool(noise[0].mean(dim=1).abs().max() < 1e-5))
        different = observe("different molecules", len(noise[0][:, :1].unique(dim=0)))
        observe("no noise at all", bool(noise[0].abs().max() == 0))
        observe("tenths of the spread", round(10 * float(noise[0].std())) if different > 1 else None)
        mean_free(noise[0], "the step")
        free = torch.cat([in_basis(x) for x in noise], dim=1)
        return [mean_z(free, 0.0, 1.0), covariance_test(free, torch.eye(6 * (M - 1))), normal_shape(free)]

    attempts(draw, trial, message="the noise of a step does not spread as asked, or is not independent")
