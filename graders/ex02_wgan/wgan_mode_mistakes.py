"""Known wrong mode statistics (part 2.5), as overrides of the reference."""

import torch

from gdgrade.mistakes import mistake

MODES = ("modes/",)


def statistics(x, centres, sigma, k=3.0, **change):
    """The right statistics with one of them computed otherwise: each change gets distance, nearest, counts."""
    distance, nearest = (x[:, None] - centres).square().sum(2).sqrt().min(1)
    counts = torch.bincount(nearest, minlength=len(centres))
    counts = change["counts"](distance, nearest, counts) if "counts" in change else counts
    shares = counts.to(x.dtype) / counts.sum()
    quality = change["quality"](distance) if "quality" in change else (distance <= k * sigma).to(x.dtype).mean()
    kl = change["kl"](shares) if "kl" in change else torch.special.xlogy(shares, shares * len(centres)).sum()
    return {"counts": counts, "high_quality": float(quality), "reverse_kl": float(kl)}


@mistake(
    of="mode_statistics",
    title="only samples of high quality are counted",
    hint="What do your counts add up to?",
    kind="convention",
    checks=MODES,
)
def modes_count_high_quality_only(ref, x, centres, sigma, k=3.0):
    def good(distance, nearest, counts):
        return torch.bincount(nearest[distance <= k * sigma], minlength=len(centres))

    return statistics(x, centres, sigma, k, counts=good)


@mistake(
    of="mode_statistics",
    title="shares instead of counts",
    hint="What do your counts add up to?",
    kind="convention",
    checks=MODES,
)
def modes_shares_for_counts(ref, x, centres, sigma, k=3.0):
    return statistics(x, centres, sigma, k, counts=lambda distance, nearest, counts: counts.to(x.dtype) / len(x))


@mistake(
    of="mode_statistics",
    title="k is ignored",
    hint="Does your share of good samples change with k?",
    checks=MODES,
)
def modes_k_ignored(ref, x, centres, sigma, k=3.0):
    return statistics(x, centres, sigma, 3.0)


@mistake(
    of="mode_statistics",
    title="squared distance against k sigma",
    hint="In which units are the two sides of your comparison, if x is in metres?",
    checks=MODES,
)
def modes_squared_distance(ref, x, centres, sigma, k=3.0):
    return statistics(x, centres, sigma, k, quality=lambda distance: (distance**2 <= k * sigma).double().mean())


@mistake(
    of="mode_statistics",
    title="distance against k sigma^2",
    hint="In which units are the two sides of your comparison, if x is in metres?",
    checks=MODES,
)
def modes_sigma_squared(ref, x, centres, sigma, k=3.0):
    return statistics(x, centres, sigma, k, quality=lambda distance: (distance <= k * sigma**2).double().mean())


@mistake(
    of="mode_statistics",
    title="every coordinate within k sigma: a square, not a disc",
    hint="Is a point that lies 2.5 sigma to the right and 2.5 sigma above its centre within 3 sigma of it?",
    checks=MODES,
)
def modes_square(ref, x, centres, sigma, k=3.0):
    offset = (x[:, None] - centres).abs()
    near = offset[torch.arange(len(x)), offset.square().sum(2).argmin(1)].amax(1) <= k * sigma
    return statistics(x, centres, sigma, k, quality=lambda distance: near.double().mean())


@mistake(
    of="mode_statistics",
    title="the number of good samples",
    hint="Between which two values can a fraction lie?",
    kind="convention",
    checks=MODES,
)
def modes_quality_as_number(ref, x, centres, sigma, k=3.0):
    return statistics(x, centres, sigma, k, quality=lambda distance: (distance <= k * sigma).sum())


@mistake(
    of="mode_statistics",
    title="per cent instead of a fraction",
    hint="Between which two values can a fraction lie?",
    kind="convention",
    checks=MODES,
)
def modes_quality_in_per_cent(ref, x, centres, sigma, k=3.0):
    return statistics(x, centres, sigma, k, quality=lambda distance: 100 * (distance <= k * sigma).double().mean())


def kl_mistake(name, title, hint, kl, kind="mistake"):
    """Declare a wrong divergence of the shares (K,) under `name`."""

    def override(ref, x, centres, sigma, k=3.0):
        return statistics(x, centres, sigma, k, kl=kl)

    override.__name__ = name
    globals()[name] = mistake(of="mode_statistics", title=title, hint=hint, kind=kind, checks=MODES)(override)


kl_mistake(
    "modes_kl_forward",
    "the divergence of the uniform shares from the generated ones",
    "What does your divergence give when one mode is empty, and what does the statement's?",
    lambda shares: (-(shares * len(shares)).log() / len(shares)).sum(),
)
kl_mistake(
    "modes_kl_of_empty_mode",
    "0 log 0 is not a number",
    "What is 0 * log(0) on your computer?",
    lambda shares: (shares * (shares * len(shares)).log()).sum(),
)
kl_mistake(
    "modes_kl_in_bits",
    "the logarithm of base 2",
    "What does your divergence give for samples on one of four modes: 2, or log 4?",
    lambda shares: torch.special.xlogy(shares, shares * len(shares)).sum() / torch.log(torch.tensor(2.0)),
    kind="convention",
)
kl_mistake(
    "modes_kl_is_entropy",
    "the entropy of the shares",
    "What does your number give for even shares, and how should a divergence behave there?",
    lambda shares: -torch.special.xlogy(shares, shares).sum(),
)
kl_mistake(
    "modes_kl_without_uniform",
    "minus the entropy: the number of modes is missing",
    "Can your divergence be negative? Can a divergence?",
    lambda shares: torch.special.xlogy(shares, shares).sum(),
)
kl_mistake(
    "modes_kl_normalised",
    "divided by log K",
    "What is the largest value that your divergence can take, for four modes and for eight?",
    lambda shares: torch.special.xlogy(shares, shares * len(shares)).sum() / torch.tensor(len(shares)).log(),
    kind="convention",
)
kl_mistake(
    "modes_kl_mean_over_modes",
    "the mean over the modes instead of the sum",
    "What does your divergence give for samples on one of four modes?",
    lambda shares: torch.special.xlogy(shares, shares * len(shares)).mean(),
)
