"""Part 7.2: one step along score, transport and noise."""

import torch
from morphing_oracles import (
    PLAN_RTOL,
    array_of,
    bent_score,
    cloud,
    no_score,
    note_spread,
    own_velocity,
    shift_of,
)

from gdgrade.checks import agrees, attempts, check, covariance_test, mean_z, observe, outside_fraction

POINTS = "one point per particle"


@check("7.2", points=1)
def test_without_transport(student, draw):
    """At lam = 0 the step is a Langevin step at temperature tau."""
    score = bent_score()

    def langevin(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
        return x + eta / 2 * score_fn(x) + eta**0.5 * tau * noise

    for eta, more in ((0.3, {}), (0.05, {"tau": 0.6}), (0.2, {"tau": 0.0})):
        x, y, noise = cloud(draw, 5, 3), cloud(draw, 4, 3), draw.normal(5, 3)
        numbers = {"eta": eta, "lam": 0.0, "eps": 1.5, **more, "noise": noise}
        agrees(student.score_ot_step, langevin, x, y, score, **numbers, name="new point", means=POINTS)


@check("7.2", points=1)
def test_given_noise(student, draw):
    """Score, transport and noise enter with the right factors (the transport is your own ot_velocity)."""
    score = bent_score()
    for eta, lam, tau in ((0.2, 1.5, 0.7), (0.05, 4.0, 1.3)):
        x, y, noise = cloud(draw, 6, 2), cloud(draw, 5, 2, centre=0.8), draw.normal(6, 2)
        velocity = own_velocity(student, x, y, 1.5)

        def law(x, y, score_fn, eta, lam, eps, tau, noise, velocity=velocity):
            return x + eta / 2 * score_fn(x) + eta * lam * velocity + eta**0.5 * tau * noise

        numbers = {"eta": eta, "lam": lam, "eps": 1.5, "tau": tau, "noise": noise}
        step = student.score_ot_step
        agrees(step, law, x, y, score, **numbers, rtol=1e-6, name="new point", means=POINTS)


@check("7.2", points=0.5, needs=("7.1",))
def test_lands_on_shifted_cloud(student, draw):
    """Without score and noise, a shifted cloud is half reached at eta lam = 1/2, and reached at eta lam = 1."""
    x, shift = cloud(draw, 7, 2), shift_of(draw, 2)
    y = x[draw.permutation(7)] + shift
    noise = draw.normal(7, 2)

    def law(x, y, score_fn, eta, lam, eps, tau, noise):
        return x + eta * lam * shift

    for eta, lam in ((0.25, 2.0), (0.25, 4.0), (0.5, 2.0)):
        numbers = {"eta": eta, "lam": lam, "eps": 1.2, "tau": 0.0, "noise": noise}
        inputs = student.score_ot_step, law, x, y, no_score()
        agrees(*inputs, **numbers, rtol=PLAN_RTOL, name="new point", means=POINTS)


@check("7.2", points=0.5, visibility="hidden", alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, a step draws it anew for every particle, coordinate and call."""
    n, eta, tau = 120, 0.3, 0.5
    x, y = torch.zeros(n, 2), torch.zeros(3, 2)
    numbers = {"eta": eta, "lam": 0.0, "eps": 1.5, "tau": tau}
    variance = eta * tau**2

    def trial(draw):
        student.seed(draw.seed)
        calls = [student.score_ot_step(x, y, no_score(), **numbers) for _ in range(3)]
        moves = [array_of(call, (n, 2), "new points") for call in calls]
        note_spread(observe, torch.cat(moves), variance)
        joint = torch.cat(moves, dim=1)  # a step that repeats its noise correlates the columns
        # Uniform noise of this variance ends at 1.73 sd, signs are all at 1 sd: 8 % of normal noise lie beyond 1.75.
        far_out = outside_fraction(joint.flatten(), [0.0], variance**0.5, radius=1.75)
        return [mean_z(joint, 0.0, variance**0.5), covariance_test(joint, variance * torch.eye(6)), far_out]

    attempts(draw, trial, message="free particles do not spread as the exercise prescribes")
