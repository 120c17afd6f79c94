"""Part 5.7, optional: the Metropolis-adjusted Langevin step."""

import torch
from langevin_oracles import array_of, constant_score, last_state

from gdgrade.checks import agrees, attempts, check, covariance_test, mean_z, require


@check("5.7", points=1, needs=("5.2",))
def test_given_noise_and_u(student, reference, draw):
    """With noise and u given, the right particles move and the others stay."""
    n = 200
    x, noise, u = draw.normal(n, 2), draw.normal(n, 2), draw.uniform(n, low=0.02, high=0.98)
    inputs = x, banana_log_prob(), banana_score(), 0.8, noise, u
    words = "one point per particle"
    agrees(student.mala_step, reference.mala_step, *inputs, pick=last_state, name="next point", means=words)


@check("5.7", points=0.5, needs=("5.2",), visibility="hidden")
def test_stays_in_a_box(student, draw):
    """With the same arrow everywhere and a density of two heights on a box, the choice is the one made by hand."""
    slope = 0.7

    def log_prob(x):
        x = torch.as_tensor(x)
        height = torch.where(x[..., 0] > 0, 1.0, 0.0).to(x)
        return torch.where((x.abs() < 1).all(dim=-1), height, -torch.inf)

    def by_hand(x, log_prob_fn, score_fn, eta, noise, u):
        way = eta / 2 * slope + eta**0.5 * noise
        # Forth, the arrow helps; back, it hinders: log q(x | y) - log q(y | x) = -slope * (sum of the way).
        log_ratio = log_prob_fn(x + way) - log_prob_fn(x) - slope * way.sum(dim=1)
        return torch.where((u < log_ratio.exp())[:, None], x + way, x)

    n = 400
    x, noise, u = draw.uniform(n, 2, low=-1, high=1), draw.normal(n, 2), draw.uniform(n, low=0.02, high=0.98)
    inputs, words = (x, log_prob, constant_score(slope), 0.5, noise, u), "one point per particle"
    agrees(student.mala_step, by_hand, *inputs, pick=last_state, name="next point", means=words)


@check("5.7", points=0.5, needs=("5.2",), visibility="hidden", alpha=1.25e-7)
def test_leaves_the_target_alone(student, draw):
    """Particles that follow the target still do so after five large steps, each by its own choice."""
    n, variance = 4000, 0.6
    mean = draw.normal(3)

    def log_prob(x):
        return -(torch.as_tensor(x) - mean.to(x)).square().sum(-1) / (2 * variance)

    def score(x):
        return (mean.to(x) - torch.as_tensor(x)) / variance

    # In the same place with the same noise all have the chance exp(-0.54) to move, so 200 do not choose alike.
    student.seed(draw.seed)
    alike = mean.repeat(200, 1)
    inputs = alike, log_prob, score, 1.2 * variance, torch.ones(200, 3)
    choices = [array_of(last_state(student.mala_step(*inputs)), (200, 3), "next points") for _ in range(2)]
    moved = int(((choices[0] - alike).abs() > 1e-3).any(dim=1).sum())
    require(0 < moved < 200, "200 particles in the same place with the same noise all made the same choice")
    require(not torch.equal(*choices), "without u given, two calls made the same choices")

    def trial(draw):
        student.seed(draw.seed)
        x = mean + variance**0.5 * draw.normal(n, 3)
        for _ in range(5):
            result = student.mala_step(x, log_prob, score, 1.2 * variance)
            x = array_of(last_state(result), (n, 3), "next points")
        return [mean_z(x, mean, variance**0.5), covariance_test(x, variance * torch.eye(3))]

    attempts(draw, trial, message="the particles no longer follow the target")


# ---- what the checks know by themselves


def banana_log_prob():
    """Log-density, up to a constant, of a bent Gaussian in the plane; takes (..., 2)."""

    def log_prob(x):
        x = torch.as_tensor(x)
        a, b = x[..., 0], x[..., 1]
        return -a.square() / 2 - (b - a.square() / 2).square()

    return log_prob


def banana_score():
    """Its gradient."""

    def score(x):
        x = torch.as_tensor(x)
        a, b = x[..., 0], x[..., 1]
        bend = b - a.square() / 2
        return torch.stack([-a + 2 * a * bend, -2 * bend], dim=-1)

    return score
