"""Networks with known answers, given to the student's functions in place of trained ones.

All of them work on the last axis, so they take one code, a batch, or K batches at once, in float32 and
float64, with or without autograd. Classes are made inside functions: such classes travel to the worker by value.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from gdgrade.checks import StudentError, correlation_test, mean_z, observe, require, variance_chi2

PIXELS, LATENT = 784, 2


def smooth_encoder(draw: Any) -> Any:
    """An encoder (.., 784) -> mu, logvar (.., 2) with random weights; mu about 1, logvar about -1 in size."""

    class Posterior(NamedTuple):
        mu: Any
        logvar: Any

    class SmoothEncoder(torch.nn.Module):
        def __init__(self, to_mu: Any, to_logvar: Any) -> None:
            super().__init__()
            self.to_mu, self.to_logvar = torch.nn.Parameter(to_mu), torch.nn.Parameter(to_logvar)

        def forward(self, x: Any) -> Any:
            centred = x - 0.5
            return Posterior(centred @ self.to_mu.to(x.dtype), (centred @ self.to_logvar.to(x.dtype)) - 1.0)

    scale = 2 / math.sqrt(PIXELS)
    to_mu, to_logvar = draw.normal(PIXELS, LATENT, scale=2 * scale), draw.normal(PIXELS, LATENT, scale=scale)
    return SmoothEncoder(to_mu, to_logvar)


def smooth_decoder(draw: Any) -> Any:
    """A decoder (.., 2) -> logits (.., 784) with random weights; logits about 0.8 in size.

    Grey images then have -650 to -550 nats: exp of that is small, but not yet 0 in float64.
    """

    class SmoothDecoder(torch.nn.Module):
        def __init__(self, first: Any, second: Any, bias: Any) -> None:
            super().__init__()
            self.first, self.second, self.bias = map(torch.nn.Parameter, (first, second, bias))

        def forward(self, z: Any) -> Any:
            hidden = (z @ self.first.to(z.dtype)).tanh()
            return hidden @ self.second.to(z.dtype) + self.bias.to(z.dtype)

    return SmoothDecoder(draw.normal(LATENT, 8), draw.normal(8, PIXELS, scale=0.3), draw.normal(PIXELS, scale=0.4))


def constant_decoder(logits: Any) -> Any:
    """A decoder that ignores z: p(x|z) = p(x), hence log p(x) is known and any z gives it."""

    class ConstantDecoder(torch.nn.Module):
        def __init__(self, constant: Any) -> None:
            super().__init__()
            self.constant = torch.nn.Parameter(constant)

        def forward(self, z: Any) -> Any:
            return self.constant.to(z.dtype) + 0.0 * z.sum(-1, keepdim=True)

    return ConstantDecoder(logits)


def tagged_encoder() -> Any:
    """An encoder that reads q(z|x) from grey pixels: mu = 8 t - 4 of pixels 1, 2; logvar = 8 t - 6 of 3, 4."""

    class Posterior(NamedTuple):
        mu: Any
        logvar: Any

    class TaggedEncoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unit = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: Any) -> Any:
            one = self.unit.to(x.dtype)
            return Posterior(one * (8 * x[..., 1:3] - 4), one * (8 * x[..., 3:5] - 6))

    return TaggedEncoder()


def tagged_images(mu: Any, logvar: Any) -> Any:
    """Images (B, 784) to which `tagged_encoder` gives N(mu, exp(logvar)); pixel 0 is 1, the rest is 0."""
    x = torch.zeros(len(mu), PIXELS, dtype=torch.float64)
    x[:, 0] = 1.0
    x[:, 1:3], x[:, 3:5] = (mu + 4) / 8, (logvar + 6) / 8
    return x


class LinearGaussian:
    r"""A linear-Gaussian model whose marginal likelihood is known, dressed as a Bernoulli decoder.

    One observation y (5,) with y = W z + b + sigma noise. Pixel 0 of the decoder is on with *probability*
    N(y; W z + b, sigma^2 I), which is below 1 for sigma > 0.4. An image whose pixel 0 is on then has exactly
    the log-likelihood of the linear-Gaussian model, up to a constant of the other pixels:

        log p(x) = log N(y; b, W W^T + sigma^2 I) + constant,   p(z|x) = N(m, P^-1),
        P = I + W^T W / sigma^2,   m = P^-1 W^T (y - b) / sigma^2.

    W has orthogonal columns, so P is diagonal and q(z|x) can be the posterior itself. For any diagonal q,
    ELBO = log p(x) - KL(q || p(z|x)). The log-likelihood is quadratic in z, so an average over sign vectors
    is the exact mean over the noise.
    """

    def __init__(self, draw: Any, sigma: float = 0.8) -> None:
        basis = np.asarray(draw.orthogonal(5))[:, :LATENT]
        self.W = basis * np.array([1.3, 0.6])  # columns of unequal length: unequal posterior widths
        self.b = np.asarray(draw.normal(5, scale=0.3))
        self.sigma = sigma
        self.y = self.W @ np.array([0.9, -0.7]) + self.b + np.asarray(draw.normal(5, scale=0.5 * sigma))
        precision = 1 + (self.W**2).sum(0) / sigma**2
        self.posterior_mean = (self.W.T @ (self.y - self.b)) / sigma**2 / precision
        self.posterior_var = 1 / precision

    def log_evidence(self) -> float:
        """log N(y; b, W W^T + sigma^2 I) in nats."""
        covariance = self.W @ self.W.T + self.sigma**2 * np.eye(5)
        residual = self.y - self.b
        _, log_det = np.linalg.slogdet(2 * math.pi * covariance)
        return float(-0.5 * (log_det + residual @ np.linalg.solve(covariance, residual)))

    def bound(self, mu: Any, logvar: Any) -> Any:
        """The exact ELBO of images `tagged_images(mu, logvar)`, (B,)."""
        return self.log_probability_of_image() - self.gap(mu, logvar)

    def log_probability_of_image(self) -> float:
        """log p(x): the evidence, four grey pixels at logit 0, and 779 black pixels at logit -40."""
        return self.log_evidence() - 4 * math.log(2) - (PIXELS - 5) * math.log1p(math.exp(-40))

    def gap(self, mu: Any, logvar: Any) -> Any:
        """KL(N(mu, exp(logvar)) || p(z|x)) in nats, (B,)."""
        mean, var = torch.from_numpy(self.posterior_mean), torch.from_numpy(self.posterior_var)
        return 0.5 * (logvar.exp() / var + (mu - mean) ** 2 / var - 1 - logvar + var.log()).sum(-1)

    def posteriors(self) -> tuple[Any, Any]:
        """Five q's: the posterior itself, shifted, too wide, too narrow, the prior; mu and logvar (5, 2)."""
        mean, logvar = torch.from_numpy(self.posterior_mean), torch.from_numpy(self.posterior_var).log()
        zero = torch.zeros(2, dtype=torch.float64)
        shift = torch.tensor([0.5, -0.4], dtype=torch.float64)
        mu = torch.stack([mean, mean + shift, mean, mean - shift, zero])
        return mu, torch.stack([logvar, logvar, logvar + 1.0, logvar - 0.7, zero])

    def decoder(self) -> Any:
        class GaussianPixel(torch.nn.Module):
            def __init__(self, W: Any, b: Any, y: Any, sigma: float) -> None:
                super().__init__()
                self.W, self.b, self.y = (torch.nn.Parameter(torch.from_numpy(v)) for v in (W, b, y))
                self.sigma = sigma

            def forward(self, z: Any) -> Any:
                W, b, y = self.W.to(z.dtype), self.b.to(z.dtype), self.y.to(z.dtype)
                squared = (y - b - z @ W.T).square().sum(-1)
                log_p = -2.5 * math.log(2 * math.pi * self.sigma**2) - squared / (2 * self.sigma**2)
                logit = log_p - torch.log(-torch.expm1(log_p))
                pixels = torch.full((*z.shape[:-1], 779), -40.0, dtype=z.dtype)
                tags = torch.zeros((*z.shape[:-1], 4), dtype=z.dtype)
                return torch.cat([logit[..., None], tags, pixels], dim=-1)

        return GaussianPixel(self.W, self.b, self.y, self.sigma)


def code_decoder() -> Any:
    """A decoder whose first two logits are the code itself; the others mix it, each pixel differently."""

    class CodeDecoder(torch.nn.Module):
        def __init__(self, mix: Any) -> None:
            super().__init__()
            self.mix = torch.nn.Parameter(mix)

        def forward(self, z: Any) -> Any:
            return z @ self.mix.to(z.dtype)

    angles = torch.linspace(0, 3, PIXELS, dtype=torch.float64)
    mix = torch.stack([angles.cos(), angles.sin()])
    mix[:, :2] = torch.eye(2, dtype=torch.float64)
    return CodeDecoder(mix)


def grey_images(draw: Any, rows: int) -> Any:
    """Images (rows, 784): a third of the pixels black, a third white, a third grey."""
    levels = draw.uniform(rows, PIXELS, low=-1.0, high=2.0)
    return levels.clamp(0.0, 1.0)


# --- reading answers -----------------------------------------------------------------------------


def attempted(student: Any, name: str) -> None:
    """An optional function that the student's file does not define counts as not attempted, like the stub's."""
    if not student.has(name):
        raise StudentError("not_implemented", "", f"{name} is optional and not there", function=name)


def array_of(value: Any, shape: tuple[int, ...], name: str) -> Any:
    """`value` as a float64 tensor of the given shape, or a failed check that says what came."""
    found = getattr(value, "shape", None)
    require(found is not None, f"{name}: an array was expected, a {type(value).__name__} came")
    require(tuple(found) == shape, f"{name} has shape {tuple(found)}, expected {shape}")
    return torch.as_tensor(value).detach().to(torch.float64)


def two_outputs(answer: Any) -> tuple[Any, Any]:
    """mu and logvar from whatever an encoder returned: a tuple, a list or a dict of two."""
    items = list(answer.values()) if isinstance(answer, dict) else answer
    right = isinstance(items, tuple | list) and len(items) == 2
    require(right, "the encoder must return two arrays, mu and logvar")
    return items[0], items[1]


def recorded_codes(spy: Any, due: int | None = None) -> Any:
    """All codes (rows, 2) that a recorded decoder was asked for, in the order of the calls.

    Where there are more than `due`, codes for which the decoder was asked again count once, if that leaves `due`: a
    likelihood may be written with decoder(z) twice.
    """
    require(spy.count > 0, "the decoder was never called")
    codes = []
    for call in spy.calls:
        values = [*call.args, *call.kwargs.values()]
        require(len(values) == 1, "the decoder takes one argument, the codes")
        z = torch.as_tensor(values[0]).detach().to(torch.float64)
        require(z.ndim > 0 and z.shape[-1] == LATENT, f"the decoder was given codes of shape {tuple(z.shape)}")
        codes.append(z.reshape(-1, LATENT))
    if due is not None and sum(map(len, codes)) > due:
        once = list({call.numpy().tobytes(): call for call in codes}.values())
        codes = once if sum(map(len, once)) == due else codes
    return torch.cat(codes)


def noise_tests(first: Any, second: Any) -> list[Any]:
    """Tests that two arrays (rows, 2) are independent standard normal noise; their traits are noted for diagnosis."""
    traits = {
        "equal in all rows": torch.allclose(first, first[:1].expand_as(first), atol=1e-4),
        "equal in both coordinates": torch.allclose(first[:, 0], first[:, 1], atol=1e-4),
        "equal in both calls": torch.allclose(first, second, atol=1e-4),
        "never negative": bool((first > -1e-4).all()),
    }
    for name, value in traits.items():
        observe(name, value)
    neighbours = first[0::2, 0], first[1::2, 0]
    return [
        mean_z(first.flatten(), 0.0, 1.0, name="mean of the noise"),
        variance_chi2(first.flatten(), 1.0, 0.0, name="variance of the noise"),
        correlation_test(*neighbours, name="correlation between neighbouring images"),
        correlation_test(first[:, 0], first[:, 1], name="correlation between the two coordinates"),
        correlation_test(first[:, 0], second[:, 0], name="correlation between two calls"),
    ]
