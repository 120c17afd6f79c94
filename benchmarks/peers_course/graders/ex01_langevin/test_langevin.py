"""Six checks, the same six that the notebook of the benchmark has."""

import torch

from gdgrade.checks import check, close, mean_z, passes, require, variance_chi2


def pull(x):
    return -x


def mixture(stds, weights, *means):
    return torch.tensor(means), torch.tensor(stds), torch.tensor(weights)


@check("1.1", points=1)
def test_score_shape(student):
    """The score has one vector per point and is finite."""
    got = student.score(torch.zeros(5, 2), *mixture([0.5, 0.8], [0.3, 0.7], [-1.0, 0.0], [1.0, 0.0]))
    require(tuple(got.shape) == (5, 2), "the score needs the shape of x")
    require(bool(torch.isfinite(got).all()), "the score must be finite")


@check("1.1", points=1, visibility="hidden")
def test_score_autograd(student, draw):
    """The score is the gradient of the log-density."""
    means, stds, weights = mixture([0.5, 0.8, 1.3], [0.2, 0.5, 0.3], [-1.0, 0.5], [1.0, 0.0], [0.0, -2.0])
    x = draw.normal(64, 2, scale=2.0).requires_grad_(True)
    squares = ((x[:, None] - means) ** 2).sum(-1)
    log_p = torch.logsumexp(torch.log(weights) - torch.log(2 * torch.pi * stds**2) - squares / (2 * stds**2), dim=1)
    (expected,) = torch.autograd.grad(log_p.sum(), x)
    close(student.score(x.detach(), means, stds, weights), expected, atol=1e-4)


@check("1.2", points=1)
def test_step_zero_noise(student):
    """Without noise a step goes half of eta along the score."""
    got = student.langevin_step(torch.tensor([[1.0, 2.0]]), pull, 0.5, torch.zeros(1, 2))
    close(got, torch.tensor([[0.75, 1.5]]), rtol=1e-5)


@check("1.2", points=1, visibility="hidden")
def test_step_values(student):
    """A step with noise lands where a sum by hand says."""
    got = student.langevin_step(torch.tensor([[1.0, 2.0]]), pull, 0.25, torch.tensor([[1.0, -2.0]]))
    close(got, torch.tensor([[1.375, 0.75]]), rtol=1e-5)


@check("1.3", points=1)
def test_sample_seed(student):
    """The same seed gives the same samples, another one others."""
    one, again, other = (student.sample(pull, 16, 5, 0.1, seed) for seed in (0, 0, 1))
    require(tuple(one.shape) == (16, 2), "n samples in the plane have the shape (n, 2)")
    require(torch.equal(one, again), "the same seed must give the same samples")
    require(not torch.equal(one, other), "another seed must give other samples")


@check("1.3", points=1, visibility="hidden", alpha=2e-7)
def test_sample_law(student):
    """Under a linear score the samples have the exact law of the chain."""
    eta, steps, variance = 1.0, 6, 1.0
    for _ in range(steps):
        variance = (1 - eta / 8) ** 2 * variance + eta
    got = student.sample(lambda x: -x / 4, 2000, steps, eta, 3)
    zeros = torch.zeros(2)
    message = "the samples do not have the mean and variance of the chain"
    passes([mean_z(got, zeros, variance**0.5), variance_chi2(got, variance, zeros)], 2e-7, message)
