"""Part 1.1: a draw from q(z|x) through which gradients pass."""

import math

import torch
from vae_oracles import array_of, noise_tests

from gdgrade.checks import agrees, attempts, check, close, require


@check("1.1", points=1)
def test_given_noise(student, reference, draw):
    """With the noise given, z has the right mean and spread, for one image and for seven."""
    words = "one code per image"
    # logvar = log 4 is a standard deviation of 2: from 1, noise 0.5 leads to 2
    hand = [torch.tensor([[value]], dtype=torch.float64) for value in (1.0, math.log(4.0), 0.5)]
    agrees(student.reparameterize, lambda mu, logvar, noise: mu + 2 * noise, *hand, name="z", means=words)
    for rows, d in ((7, 3), (1, 2)):
        mu, noise = draw.normal(rows, d), draw.normal(rows, d)
        logvar = draw.uniform(rows, d, low=-13.0, high=3.0)  # a trained encoder says -6, and less
        agrees(student.reparameterize, reference.reparameterize, mu, logvar, noise, name="z", means=words)


@check("1.1", points=0.5, alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, the function takes a new normal number for every entry at every call."""
    rows = 20_000
    mu, logvar = torch.full((rows, 2), 0.7, dtype=torch.float64), torch.full((rows, 2), -0.8, dtype=torch.float64)

    def trial(draw):
        student.seed(draw.seed % 2**31)
        first, second = (
            (array_of(student.reparameterize(mu, logvar), (rows, 2), "z") - 0.7) / math.exp(-0.4) for _ in "ab"
        )
        return noise_tests(first, second)

    attempts(draw, trial, message="without given noise, z does not follow N(mu, sigma^2) independently")


@check("1.1", points=0.5)
def test_gradient(student, draw):
    """The derivatives of z with respect to mu and logvar are right, whether the noise is given or not."""
    mu, logvar, noise, weights = (draw.normal(5, 3) for _ in range(4))
    for given in (noise, None):
        z, by_mu, by_logvar = student.run(sample_gradients, student.module, mu, logvar, given, weights)
        require(z is not None, "autograd finds no way through z: it must be computed from mu and logvar by torch")
        require(tuple(z.shape) == (5, 3), f"z has shape {tuple(z.shape)}, expected (5, 3)")
        close(by_mu, weights, "the gradient with respect to mu", rtol=1e-5)
        # z = mu + sigma noise, so dz/dlogvar = sigma noise / 2 = (z - mu) / 2, which needs no noise to be known
        step = z - mu if given is None else torch.exp(logvar / 2) * noise
        close(by_logvar, weights * step / 2, "the gradient with respect to logvar", rtol=1e-5)


def sample_gradients(module, mu, logvar, noise, weights):
    """Runs in the worker: z and the gradients of sum(weights * z); None where autograd finds no way."""
    import torch

    mu, logvar = mu.clone().requires_grad_(True), logvar.clone().requires_grad_(True)
    z = module.reparameterize(mu, logvar) if noise is None else module.reparameterize(mu, logvar, noise)
    if not torch.is_tensor(z):
        return None, None, None
    if not z.requires_grad:
        return z, torch.zeros_like(mu), torch.zeros_like(logvar)
    by_mu, by_logvar = torch.autograd.grad((weights * z).sum(), [mu, logvar], allow_unused=True)
    zero = torch.zeros_like(mu)
    return z.detach(), zero if by_mu is None else by_mu, zero if by_logvar is None else by_logvar
