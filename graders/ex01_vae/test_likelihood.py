"""Part 1.3: the log-probability of an image under Bernoulli pixels."""

import math

import torch
from vae_oracles import PIXELS, grey_images

from gdgrade.checks import agrees, check


@check("1.3", points=0.5)
def test_by_hand(student):
    """A logit of 0 gives every pixel log 2, a logit of log 3 gives probabilities 3/4 and 1/4."""
    logits = torch.zeros(3, PIXELS, dtype=torch.float64)
    x = torch.zeros(3, PIXELS, dtype=torch.float64)
    x[1, ::3] = 0.25  # grey or not: at logit 0 it makes no difference
    logits[2, :] = math.log(3.0)
    x[2, :100] = 1.0
    third = 100 * math.log(3 / 4) + (PIXELS - 100) * math.log(1 / 4)
    expected = torch.tensor([-PIXELS * math.log(2), -PIXELS * math.log(2), third], dtype=torch.float64)
    agrees(
        student.bernoulli_log_likelihood, lambda logits, x: expected, logits, x,
        name="the log-likelihood", means="one number per image",
    )  # fmt: skip


@check("1.3", points=1)
def test_random_images(student, reference, draw):
    """The log-likelihood is right for binary and grey images, in batches of 1 and 7."""
    for rows in (7, 1):
        logits, grey = draw.normal(rows, PIXELS, scale=3.0), grey_images(draw, rows)
        for x in (grey, (grey > 0.5).to(grey.dtype)):
            agrees(
                student.bernoulli_log_likelihood, reference.bernoulli_log_likelihood, logits, x,
                name="the log-likelihood", means="one number per image",
            )  # fmt: skip


@check("1.3", points=0.5)
def test_large_logits(student):
    """Large logits of either sign give exact, finite log-likelihoods, in float64 and in float32."""
    # a sure and right pixel costs exp(-|l|), nearly nothing; a sure and wrong one costs |l| + exp(-|l|)
    compare_at(student, 20.0, torch.float64)
    with student.dtype("float32"):
        compare_at(student, 20.0, torch.float32)
    compare_at(student, 200.0, torch.float64)


def compare_at(student, size, dtype):
    logits = torch.full((3, PIXELS), size, dtype=dtype)
    logits[:, ::2] = -size
    right = (logits > 0).to(dtype)
    two_wrong, grey = right.clone(), right.clone()
    two_wrong[:, 0], two_wrong[:, 1] = 1.0, 0.0  # pixel 0 has the logit -size, pixel 1 +size
    grey[:, 0] = 0.5
    x = torch.stack([right[0], two_wrong[1], grey[2]])
    small = PIXELS * math.log1p(math.exp(-size))
    expected = torch.tensor([-small, -small - 2 * size, -small - size / 2], dtype=dtype)
    agrees(
        student.bernoulli_log_likelihood, lambda logits, x: expected, logits, x,
        name=f"the log-likelihood at logits of {size:g} in {str(dtype).removeprefix('torch.')}",
    )  # fmt: skip
