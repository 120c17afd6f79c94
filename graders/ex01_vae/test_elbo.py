"""Part 1.5: the evidence lower bound, checked with networks whose answers are known."""

import torch
from vae_oracles import (
    PIXELS,
    LinearGaussian,
    code_decoder,
    constant_decoder,
    grey_images,
    noise_tests,
    recorded_codes,
    smooth_decoder,
    smooth_encoder,
    tagged_encoder,
    tagged_images,
)

from gdgrade.checks import agrees, attempts, check, close, recorder, require, sign_vectors, well_formed

WORDS = "one bound per image"


@check("1.5", points=0.75)
def test_given_noise(student, reference, draw):
    """With the noise given, the bound of seven grey images is right."""
    encoder, decoder, x = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 7)
    agrees(
        student.elbo, reference.elbo, x, encoder, decoder, noise=draw.normal(7, 2), name="the ELBO", means=WORDS
    )


@check("1.5", points=0.25)
def test_constant_decoder(student, draw):
    """A decoder that ignores z gives log p(x) minus the divergence, whatever the noise."""
    mu = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    logvar = torch.zeros(3, 2, dtype=torch.float64)
    logits = draw.normal(PIXELS)
    x = tagged_images(mu, logvar)
    log_p = (x * logits - torch.nn.functional.softplus(logits)).sum(1)
    expected = log_p - torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    agrees(
        student.elbo, lambda *args, **kwargs: expected, x, tagged_encoder(), constant_decoder(logits),
        noise=draw.normal(3, 2), name="the ELBO", means=WORDS,
    )  # fmt: skip


@check("1.5", points=0.75)
def test_linear_gaussian(student, draw):
    """On a linear-Gaussian model the mean bound is log p(x) - KL(q || posterior): log p(x) at the posterior itself."""
    model = LinearGaussian(draw)
    mu, logvar = model.posteriors()
    signs = torch.from_numpy(sign_vectors(2))  # their average is the exact mean over the noise here
    x, noise = tagged_images(mu, logvar).repeat(4, 1), signs.repeat_interleave(5, dim=0)
    expected = model.bound(mu, logvar)

    def mean_over_noise(bounds):
        return torch.as_tensor(bounds).reshape(4, 5).mean(0)

    agrees(
        student.elbo, lambda *args, **kwargs: expected.repeat(4), x, tagged_encoder(), model.decoder(),
        noise=noise, pick=mean_over_noise, rtol=1e-11, atol=1e-10, name="the ELBO averaged over the noise",
    )  # fmt: skip


@check("1.5", points=0.25)
def test_batches(student, reference, draw):
    """A bound belongs to its image: alone, in another order or beside a copy it stays the same."""
    encoder, decoder, x, noise = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 7), draw.normal(7, 2)
    order = draw.permutation(7)
    for rows in (torch.tensor([3]), order, torch.tensor([2, 2, 5])):
        agrees(
            student.elbo, reference.elbo, x[rows], encoder, decoder, noise=noise[rows], name="the ELBO", means=WORDS
        )


@check("1.5", points=0.5, alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, the bound decodes one new sample of q(z|x) per image and call."""
    rows = 1000
    mu, logvar = torch.tensor([[0.6, -0.9]], dtype=torch.float64), torch.tensor([[-1.0, 0.4]], dtype=torch.float64)
    x = tagged_images(mu, logvar).repeat(rows, 1)
    decoder = code_decoder()

    def trial(draw):
        student.seed(draw.seed % 2**31)
        noise = []
        for _ in range(2):
            spy = recorder(decoder)
            bounds = student.elbo(x, tagged_encoder(), spy)
            well_formed(bounds, torch.zeros(rows), "the ELBO", means=WORDS, varies=True)
            z = recorded_codes(spy, rows)
            require(len(z) == rows, f"the decoder was asked for {len(z)} codes, with {rows} images in the batch")
            noise.append((z - mu) / torch.exp(logvar / 2))
        return noise_tests(*noise)

    attempts(draw, trial, message="the codes that reach the decoder do not follow q(z|x)")


@check("1.5", points=0.5)
def test_gradient(student, reference, draw):
    """The gradient of the mean bound reaches encoder and decoder, and is right."""
    encoder, decoder, x, noise = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 7), draw.normal(7, 2)
    got = student.run(bound_gradients, student.module, x, encoder, decoder, noise)
    require(got is not None, "autograd finds no way from the ELBO back to the networks")
    expected = bound_gradients(reference, x, encoder, decoder, noise)
    for (name, value), (_, due) in zip(got, expected, strict=True):
        close(value, due, f"the gradient with respect to {name}", rtol=1e-5)


def bound_gradients(module, x, encoder, decoder, noise):
    """Gradients of the mean bound with respect to the parameters of both networks, by name; zeros where none comes."""
    import torch

    bounds = module.elbo(x, encoder, decoder, noise=noise)
    if not torch.is_tensor(bounds) or not bounds.requires_grad:
        return None
    named = {
        **{f"the encoder's {name}": value for name, value in encoder.named_parameters()},
        **{f"the decoder's {name}": value for name, value in decoder.named_parameters()},
    }
    gradients = torch.autograd.grad(bounds.mean(), list(named.values()), allow_unused=True)
    return [
        (name, torch.zeros_like(value).detach() if gradient is None else gradient)
        for (name, value), gradient in zip(named.items(), gradients, strict=True)
    ]
