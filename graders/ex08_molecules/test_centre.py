"""Part 8.1: the subspace of zero centre of mass, and noise in it."""

import torch
from molecule_oracles import centred, in_basis
from molecule_reading import mean_free, positions
from molecule_worker import Calls, drawn_means, seeded_twice

from gdgrade.checks import agrees, attempts, check, close, covariance_test, ks_test, mean_z, observe, require

WORDS = "a position for every atom"
MASK = torch.tensor([[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])


def present(value):
    """Rows without an atom as zeros: they may hold anything."""
    fits = isinstance(value, torch.Tensor) and tuple(value.shape) == (3, 5, 3) and value.layout == torch.strided
    return torch.where(MASK[..., None] > 0, value, torch.zeros_like(value)) if fits else value


@check("8.1", points=0.75)
def test_remove_mean(student, draw):
    """Every molecule is moved so that its atoms average to zero, wherever it was."""
    for B, M in ((4, 6), (3, 3), (2, 1)):
        x = draw.normal(B, M, 3, scale=2.0) + draw.normal(B, 1, 3, scale=5.0)
        agrees(student.remove_mean, lambda x: centred(x), x, name="centred positions", means=WORDS)


@check("8.1", points=0.75)
def test_mask(student, draw):
    """Atoms that are not present do not count, whatever stands in their rows."""
    remove_mean, x = Calls(student, "remove_mean"), draw.normal(3, 5, 3, scale=2.0) + 3.0
    agrees(remove_mean, centred, x, mask=MASK, pick=present, name="positions of the atoms present", means=WORDS)


@check("8.1", points=0.5)
def test_given_noise(student, draw):
    """Noise that is given is projected, with and without a mask, and nothing else happens to it."""
    noise_of, noise = Calls(student, "com_free_noise"), draw.normal(3, 5, 3) + 0.4

    def projected(shape, noise, mask=None):
        return centred(noise, mask)

    student.run(drawn_means, student.module)  # not judged here: tells who projects nothing from who leaves this out
    agrees(noise_of, projected, (3, 5, 3), noise=noise, name="noise", means=WORDS)
    agrees(noise_of, projected, (3, 5, 3), noise=noise, mask=MASK, pick=present, name="noise", means=WORDS)


@check("8.1", points=0.75, alpha=1.25e-7)
def test_drawn_noise(student, draw):
    """Drawn noise has no mean, and is standard normal in the subspace, independently for every molecule."""
    from scipy.stats import chi2  # takes most of a second to import

    B, M = 2000, 4

    def trial(draw):
        student.seed(draw.seed)
        noise = positions(student.com_free_noise((B, M, 3)), (B, M, 3), "noise")
        observe("mean over the atoms is zero", bool(noise.mean(dim=1).abs().max() < 1e-5 * noise.abs().max()))
        observe("mean over the molecules is zero", bool(noise.mean(dim=0).abs().max() < 1e-5 * noise.abs().max()))
        different = observe("different molecules", len(noise[:, :1].unique(dim=0)))
        observe("tenths of the spread", round(10 * float(noise.std())) if different > 1 else None)
        # Uniform noise of variance 1 stays below 2 sqrt(3) (1 - 1/M); of so many normal numbers some lie beyond.
        observe("bounded", bool(noise.abs().max() < 2.6) if different > 1 else None)
        mean_free(noise, "noise")
        free = in_basis(noise)  # (B, 9)
        lengths = ks_test(free.square().sum(dim=1), chi2(3 * (M - 1)).cdf)
        return [mean_z(free, 0.0, 1.0), covariance_test(free, torch.eye(3 * (M - 1))), lengths]

    attempts(draw, trial, message="the noise is not standard normal within the subspace, or not independent")


@check("8.1", points=0.25, visibility="hidden")
def test_generator(student, draw):
    """The noise comes from the generator that is handed over."""
    first, then, again, _ = student.run(
        seeded_twice, student.module, "com_free_noise", ((2, 4, 3),), draw.integers(0, 2**31)
    )
    observe("equal generators, equal noise", bool(torch.equal(first, again)))
    observe("the next noise is another", not bool(torch.equal(first, then)))
    close(again, first, "noise from an equal generator", rtol=1e-6)
    require(not torch.equal(first, then), "two draws from one generator are the same noise")
    positions(then, (2, 4, 3), "noise")
