"""Part 1.10 (optional): a Gaussian decoder, and with it the linear-Gaussian model in plain sight."""

import math

import torch
from vae_oracles import LATENT, LinearGaussian, array_of, attempted

from gdgrade.checks import agrees, check, close, sign_vectors


@check("1.10", points=0.5)
def test_log_density(student, reference, draw):
    """The log-density is right, constant included, for several sigmas, in batches of 1 and 7."""
    attempted(student, "gaussian_log_likelihood")
    at_mean = torch.zeros(1, 3, dtype=torch.float64)
    agrees(
        student.gaussian_log_likelihood,
        lambda x_hat, x, sigma: torch.tensor([-1.5 * math.log(2 * math.pi * 0.25)], dtype=torch.float64),
        at_mean, at_mean, 0.5, name="the log-likelihood at the mean", means="one number per row",
    )  # fmt: skip
    for rows, sigma in ((7, 0.3), (1, 1.7)):
        agrees(
            student.gaussian_log_likelihood, reference.gaussian_log_likelihood, draw.normal(rows, 5),
            draw.normal(rows, 5), sigma, name="the log-likelihood", means="one number per row",
        )  # fmt: skip


@check("1.10", points=0.5, needs=("1.1", "1.2"))
def test_linear_gaussian(student, draw):
    """With your sample, divergence and log-density, the mean bound is log p(x) - KL(q || posterior) of y = W z + b."""
    attempted(student, "gaussian_log_likelihood")
    model = LinearGaussian(draw)
    mu, logvar = model.posteriors()
    signs = torch.from_numpy(sign_vectors(LATENT)).repeat_interleave(len(mu), dim=0)
    z = array_of(student.reparameterize(mu.repeat(4, 1), logvar.repeat(4, 1), signs), (20, LATENT), "z")
    x_hat = z @ torch.from_numpy(model.W).T + torch.from_numpy(model.b)
    y = torch.from_numpy(model.y).expand_as(x_hat).contiguous()
    likelihood = array_of(student.gaussian_log_likelihood(x_hat, y, model.sigma), (20,), "the log-likelihood")
    divergence = array_of(student.kl_diag_gaussian(mu, logvar), (len(mu),), "the KL")
    bound = likelihood.reshape(4, len(mu)).mean(0) - divergence
    close(bound, model.log_evidence() - model.gap(mu, logvar), "the ELBO averaged over the noise", rtol=1e-6)
