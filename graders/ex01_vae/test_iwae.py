"""Part 1.6: the importance-weighted bound."""

import itertools

import torch
from vae_oracles import (
    PIXELS,
    LinearGaussian,
    code_decoder,
    grey_images,
    noise_tests,
    recorded_codes,
    smooth_decoder,
    smooth_encoder,
    tagged_encoder,
    tagged_images,
)

from gdgrade.checks import agrees, attempts, check, observe, recorder, require, well_formed

WORDS = "one bound per image"


@check("1.6", points=0.75)
def test_given_noise(student, reference, draw):
    """With the noise given, the bound is right for K = 5, K = 2 and K = 1, for seven images and for one."""
    encoder, decoder, x = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 7)
    for K, rows in ((5, 7), (2, 1), (1, 7)):
        agrees(
            student.iwae_bound, reference.iwae_bound, x[:rows], encoder, decoder, K, noise=draw.normal(K, rows, 2),
            name=f"the bound with K = {K}", means=WORDS,
        )  # fmt: skip


@check("1.6", points=0.5)
def test_equal_samples(student, reference, draw):
    """K copies of one sample say no more than the sample itself."""
    encoder, decoder, x = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 5)
    noise = draw.normal(1, 5, 2)
    for K in (4, 10):
        agrees(
            student.iwae_bound,
            lambda x, e, d, K, noise: reference.iwae_bound(x, e, d, 1, noise=noise[:1]),
            x, encoder, decoder, K, noise=noise.repeat(K, 1, 1), name=f"the bound with {K} equal samples",
        )  # fmt: skip


@check("1.6", points=0.5)
def test_exact_posterior(student, draw):
    """If q(z|x) is the true posterior, the bound is log p(x) for every K and every noise."""
    model = LinearGaussian(draw)
    mu, logvar = (part[:1].repeat(3, 1) for part in model.posteriors())
    x = tagged_images(mu, logvar)
    expected = torch.full((3,), model.log_probability_of_image(), dtype=torch.float64)
    for K in (1, 6):
        agrees(
            student.iwae_bound, lambda *args, **kwargs: expected, x, tagged_encoder(), model.decoder(), K,
            noise=draw.normal(K, 3, 2), name=f"the bound with K = {K}", means=WORDS,
        )  # fmt: skip


@check("1.6", points=0.5)
def test_tiny_weights(student, reference, draw):
    """Weights far below the smallest floating point number still give a finite, right bound."""
    # black images at logits around 3: about -2,400 nats, where exp gives 0 also in float64
    encoder, x = smooth_encoder(draw), torch.zeros(4, PIXELS, dtype=torch.float64)
    decoder = smooth_decoder(draw)
    with torch.no_grad():
        decoder.bias += 3.0
    agrees(
        student.iwae_bound, reference.iwae_bound, x, encoder, decoder, 3, noise=draw.normal(3, 4, 2),
        name="the bound", means=WORDS,
    )  # fmt: skip


@check("1.6", points=0.5)
def test_grows_with_k(student, draw):
    """On average more samples give a larger bound."""
    model = LinearGaussian(draw)
    mu, logvar = (part[1:] for part in model.posteriors())  # four wrong posteriors
    x, noise = tagged_images(mu, logvar), draw.normal(4, 4, 2)

    def mean_bound(K):
        """Over all choices of K of the four samples: then growth with K holds exactly, not only on average."""
        bounds = [
            torch.as_tensor(
                student.iwae_bound(x, tagged_encoder(), model.decoder(), K, noise=noise[list(chosen)])
            )
            for chosen in itertools.combinations(range(4), K)
        ]
        require(all(bound.shape == (4,) for bound in bounds), "the bound is not one number per image")
        return torch.stack(bounds).mean(0)

    one, two, four = mean_bound(1), mean_bound(2), mean_bound(4)
    for lower, higher, words in ((one, two, "from K = 1 to K = 2"), (two, four, "from K = 2 to K = 4")):
        growth = (higher - lower).min()
        require(growth > 1e-6, f"the average bound does not grow {words}: it changes by {float(growth):.4g} nats")


@check("1.6", points=0.25, alpha=1.25e-7)
def test_fresh_noise(student, draw):
    """Left to draw its own noise, the bound takes K independent samples per image."""
    rows, K = 400, 4
    mu, logvar = torch.tensor([[0.6, -0.9]], dtype=torch.float64), torch.tensor([[-1.0, 0.4]], dtype=torch.float64)
    x = tagged_images(mu, logvar).repeat(rows, 1)
    decoder = code_decoder()

    def trial(draw):
        student.seed(draw.seed % 2**31)
        spy = recorder(decoder)
        bounds = student.iwae_bound(x, tagged_encoder(), spy, K)
        well_formed(bounds, torch.zeros(rows), "the bound", means=WORDS, varies=True)
        z = recorded_codes(spy, K * rows)
        require(
            len(z) == K * rows, f"the decoder was asked for {len(z)} codes, with {rows} images and K = {K}"
        )
        noise = (z - mu) / torch.exp(logvar / 2)
        distinct = len(torch.unique((noise * 1e6).round(), dim=0))
        observe("distinct codes per image", distinct / rows)
        require(distinct > 0.99 * K * rows, f"only {distinct} of {K * rows} codes are different")
        return noise_tests(noise[: 2 * rows], noise[2 * rows :])

    attempts(draw, trial, message="the codes that reach the decoder are no independent samples of q(z|x)")
