"""Part 5.2: one step of the unadjusted Langevin algorithm."""

import torch
from langevin_oracles import (
    array_of,
    bent_score,
    constant_score,
    linear_score,
    normal_noise,
    note_spread,
    points_asked,
    require_parted,
)

from gdgrade.checks import agrees, attempts, check, covariance_test, mean_z, recorder, require, well_formed


@check("5.2", points=1)
def test_given_noise(student, reference, draw):
    """With the noise given, the new point is right for two step sizes."""
    score = bent_score()
    for eta in (0.3, 0.05):
        x, noise = draw.normal(5, 3, scale=2.0), draw.normal(5, 3)
        inputs, words = (x, score, eta, noise), "one point per particle"
        agrees(student.langevin_step, reference.langevin_step, *inputs, name="new point", means=words)


@check("5.2", points=0.5)
def test_by_hand(student):
    """On N(0, I) a particle without noise moves uphill, and one with noise lands where a sum by hand says."""

    def by_hand(x, score_fn, eta, noise):
        return 0.95 * x + 0.1**0.5 * noise  # eta is 0.1: the drift takes a twentieth of the way to the centre

    x, noise = torch.tensor([[3.0, -2.0], [3.0, -2.0]]), torch.tensor([[0.0, 0.0], [1.0, -0.5]])
    score = linear_score(torch.eye(2), torch.zeros(2))
    agrees(student.langevin_step, by_hand, x, score, 0.1, noise, name="new point", means="one point per particle")


@check("5.2", points=0.5)
def test_score_is_asked_at_x(student, draw):
    """The score is evaluated at the particles as they were before the step."""
    x, noise = draw.normal(4, 2, scale=2.0), draw.normal(4, 2)
    spy = recorder(bent_score())
    well_formed(student.langevin_step(x, spy, 0.3, noise), x, "new point", means="one point per particle", varies=True)
    require(spy.count > 0, "langevin_step never called score_fn")
    asked = points_asked(spy)
    if asked is None:
        return
    distances = torch.cdist(asked, x)
    nowhere, missed = distances.min(dim=1).values > 1e-4, distances.min(dim=0).values > 1e-4
    require(not nowhere.any(), "score_fn was asked at points where no particle is")
    require(not missed.any(), "score_fn was not asked at every particle")


@check("5.2", points=0.5)
def test_particles_part(student, draw):
    """Particles that start at one point, left to draw their own noise, land at different points."""
    n = 6
    x = draw.normal(1, 3).repeat(n, 1)  # not in the plane, where most try their code
    student.seed(draw.seed)
    points = array_of(student.langevin_step(x, constant_score(2.0), 0.3), (n, 3), "new points")
    require_parted(points - x)


@check("5.2", points=0.5, visibility="hidden", alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, a step has the right mean and spread, independently for every particle."""
    n, eta, slope = 4000, 0.3, 2.0
    drift = eta / 2 * slope

    def trial(draw):
        student.seed(draw.seed)
        x = torch.zeros(n, 2)
        moves = [student.langevin_step(x, constant_score(slope), eta) for _ in range(2)]
        first, second = (array_of(move, (n, 2), "new points") for move in moves)
        note_spread(first, second, drift, eta)
        both = torch.cat([first, second], dim=1)  # a step that repeats its noise correlates the two
        tests = [mean_z(both, drift, eta**0.5), covariance_test(both, eta * torch.eye(4))]
        return [*tests, normal_noise(both, drift, eta**0.5)]

    attempts(draw, trial, message="steps from one point do not spread as the exercise prescribes")
