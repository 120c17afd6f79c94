"""Part 2.1: the losses of the original GAN, on logits."""

import math

import torch
from wgan_oracles import array_of, run_either

from gdgrade.checks import agrees, at_least, check, close, holds, require

NUMBER = "one number"


@check("2.1", points=0.5)
def test_by_hand(student):
    """Logits of log 3 and -log 3 give the values that a sum by hand gives."""
    sure, unsure = torch.tensor([[math.log(3.0)]]), torch.tensor([[-math.log(3.0)]])  # sigmoid 3/4 and 1/4

    def discriminator(d_real, d_fake):
        return {(0.75, 0.25): -2 * math.log(0.75), (0.25, 0.25): -math.log(0.25) - math.log(0.75)}[
            round(float(d_real.sigmoid()), 6), round(float(d_fake.sigmoid()), 6)
        ]

    agrees(student.discriminator_loss, discriminator, sure, unsure, name="discriminator_loss", means=NUMBER)
    agrees(student.discriminator_loss, discriminator, unsure, unsure, name="discriminator_loss", means=NUMBER)
    agrees(student.generator_loss_ns, lambda logits: -math.log(0.25), unsure, name="generator_loss_ns", means=NUMBER)
    agrees(
        student.generator_loss_saturating,
        lambda logits: math.log(0.75),
        unsure,
        name="generator_loss_saturating",
        means=NUMBER,
    )


@check("2.1", points=0.5)
def test_discriminator_loss(student, reference, draw):
    """The loss of the discriminator is right for real and fake batches of different sizes."""
    for n_real, n_fake in ((4, 7), (6, 1)):
        logits = draw.normal(n_real, 1, mean=1.0, scale=2.0), draw.normal(n_fake, 1, mean=-0.5, scale=2.0)
        agrees(student.discriminator_loss, reference.discriminator_loss, *logits, name="loss", means=NUMBER)


@check("2.1", points=0.5)
def test_non_saturating(student, reference, draw):
    """The non-saturating loss is right on random logits."""
    logits = draw.normal(7, 1, scale=2.0)
    agrees(student.generator_loss_ns, reference.generator_loss_ns, logits, name="loss", means=NUMBER)


@check("2.1", points=0.5)
def test_saturating(student, reference, draw):
    """The saturating loss, to be minimised, is right on random logits."""
    logits = draw.normal(7, 1, scale=2.0)
    agrees(student.generator_loss_saturating, reference.generator_loss_saturating, logits, name="loss", means=NUMBER)


@check("2.1", points=0.5)
def test_large_logits(student, draw):
    """All three losses are finite and right when the discriminator is very sure, rightly or wrongly."""
    big = 200.0 + 100.0 * draw.uniform(3, 1)  # here softplus is its argument or 0, to the last digit
    mean = float(big.mean())
    cases = [(big, -big, 0.0), (-big, -big, mean), (big, big, mean), (-big, big, 2 * mean)]
    for real, fake, value in cases:
        close(student.discriminator_loss(real, fake), value, "discriminator_loss", atol=1e-8, means=NUMBER)
    for logits, ns, saturating in ((big, 0.0, -mean), (-big, mean, 0.0)):
        close(student.generator_loss_ns(logits), ns, "generator_loss_ns", atol=1e-8, means=NUMBER)
        close(
            student.generator_loss_saturating(logits), saturating, "generator_loss_saturating", atol=1e-8, means=NUMBER
        )


@check("2.1", points=0.5, visibility="hidden")
def test_slopes(student, draw):
    """Each loss pulls the logits of its player in the right direction, as strongly as its formula says."""
    logits = torch.cat([torch.tensor([[-5.0]]), draw.normal(4, 1, scale=2.0)])
    n, sigma = len(logits), torch.sigmoid
    due = {
        "discriminator_loss": (-sigma(-logits) / n, sigma(logits) / n),
        "generator_loss_ns": (-sigma(-logits) / n,),
        "generator_loss_saturating": (-sigma(logits) / n,),
    }
    for name, expected in due.items():
        slopes = run_either(student, [name], slopes_of_loss, name, logits, len(expected))
        require(slopes is not None, f"autograd finds no way from the result of {name} back to the logits")
        for got, right in zip(slopes, expected, strict=True):
            require(got is not None, f"{name} does not depend on all of its arguments")
            close(got, right, f"slope of {name} in the logits", rtol=1e-5)


@check("2.1", points=0.5, visibility="hidden")
def test_optimal_discriminator(student):
    """With the best discriminator between two known Gaussians the loss is what their divergence says, and no lower."""
    shift, n = 1.5, 20_000
    levels = (torch.arange(n) + 0.5) / n  # equally likely points of N(0, 1): their mean is the integral to 1e-4
    real = torch.special.ndtri(levels)[:, None]
    fake = real + shift

    def log_ratio(x):  # log N(x; 0, 1) - log N(x; shift, 1)
        return ((x - shift).square() - x.square()) / 2

    best = 2 * math.log(2) - 2 * jensen_shannon(shift)
    loss = array_of(student.discriminator_loss(log_ratio(real), log_ratio(fake)), (), "loss")
    close(float(loss), best, "loss of the best discriminator", atol=1e-3)
    for factor in (0.5, 2.0):
        other = student.discriminator_loss(factor * log_ratio(real), factor * log_ratio(fake))
        holds(at_least(other, best, "loss of another discriminator", too_good=True, slack=1e-3))


# ---- what the checks know by themselves


def slopes_of_loss(module, name, logits, count):
    """Gradients of a loss in its `count` arguments, all equal to `logits`, or None. Runs beside the student's code."""
    leaves = [logits.detach().clone().requires_grad_(True) for _ in range(count)]
    with torch.enable_grad():
        loss = getattr(module, name)(*leaves)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return None
    return torch.autograd.grad(loss.sum(), leaves, allow_unused=True)


def jensen_shannon(shift):
    """JSD of N(0, 1) and N(shift, 1) in nats, by the trapezoid rule, which is exact to rounding here."""
    x = torch.linspace(-12.0, 12.0 + shift, 4001)
    p, q = (torch.exp(-((x - m) ** 2) / 2) / math.sqrt(2 * math.pi) for m in (0.0, shift))
    middle = (p + q) / 2
    integrand = torch.special.xlogy(p, p / middle) / 2 + torch.special.xlogy(q, q / middle) / 2
    return float(integrand.sum() * (x[1] - x[0]))
