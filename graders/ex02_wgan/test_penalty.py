"""Part 2.3: the gradient penalty, on critics whose slopes are known."""

import math

import numpy as np
import torch
from wgan_oracles import array_of, bent_critic, bent_slopes, linear_critic, quadratic_critic, rows_seen, run_either

from gdgrade.checks import (
    CheckFailed,
    StudentError,
    TestResult,
    agrees,
    attempts,
    check,
    close,
    multinomial_pvalue,
    observe,
    recorder,
    require,
)

NUMBER = "one number, the weight lambda_ included"
PAIRS = 300


@check("2.3", points=0.5)
def test_linear_critic(student, draw):
    """A critic of slope 5 everywhere is fined 10 * (5 - 1)^2, one of slope 1/2 is fined too, one of slope 1 is not."""
    for length, lambda_ in ((5.0, 10.0), (0.5, 10.0), (1.0, 10.0), (3.0, 0.7)):
        direction = draw.normal(3)
        inputs = linear_critic(length * direction / direction.norm()), draw.normal(6, 3), draw.normal(6, 3)

        def by_hand(critic, real, fake, alpha, lambda_, length=length):
            return lambda_ * (length - 1) ** 2

        words = {"name": f"penalty of a critic of slope {length:g}", "means": NUMBER}
        agrees(student.gradient_penalty, by_hand, *inputs, draw.uniform(6, 1), lambda_, **words)


@check("2.3", points=1)
def test_quadratic_critic(student, draw):
    """With alpha given, a critic whose slope grows with the distance from the origin gets the right penalty."""
    for curvature, lambda_ in ((0.8, 10.0), (2.0, 0.5)):

        def by_hand(critic, real, fake, alpha, lambda_, curvature=curvature):
            mixed = fake + alpha * (real - fake)
            return lambda_ * ((curvature * mixed.square().sum(1).sqrt() - 1) ** 2).sum() / len(mixed)

        inputs = quadratic_critic(curvature), draw.normal(7, 3, mean=2.0), draw.normal(7, 3, mean=-1.0)
        alpha = draw.uniform(7, 1)
        agrees(student.gradient_penalty, by_hand, *inputs, alpha, lambda_, name="penalty", means=NUMBER)


@check("2.3", points=0.5)
def test_pictures(student, draw):
    """For pictures the norm runs over all axes of one sample, and alpha has as many axes as the picture."""

    def by_hand(critic, real, fake, alpha, lambda_):
        norms = bent_slopes(alpha * real + (1 - alpha) * fake).square().sum(1).sqrt()
        return lambda_ * ((norms - 1) ** 2).sum() / len(real)

    inputs = bent_critic(axes=3), draw.normal(5, 2, 3, 4), draw.normal(5, 2, 3, 4), draw.uniform(5, 1, 1, 1)
    agrees(student.gradient_penalty, by_hand, *inputs, 10.0, name="penalty", means=NUMBER)


@check("2.3", points=1)
def test_trains_the_critic(student, reference, draw):
    """The penalty has the right gradient in the critic's parameters."""
    real, fake, alpha = draw.normal(6, 2, scale=2.0), draw.normal(6, 2, scale=2.0), draw.uniform(6, 1)
    slope = draw.normal(2)
    slope = 3 * slope / slope.norm()
    for weights in ([slope[:, None]], [draw.normal(2, 4), draw.normal(4, 1)]):
        inputs = weights, real, fake, alpha, 10.0
        penalty, *gradients = run_either(student, ["gradient_penalty"], gradients_of_penalty, *inputs)
        none = not gradients or any(gradient is None for gradient in gradients)
        require(not none, "autograd finds no way from the penalty back to the critic's parameters")
        expected, *right = gradients_of_penalty(reference, *inputs)
        if len(weights) == 1:
            right = [2 * 10.0 * (3 - 1) * slope[:, None] / 3]  # by hand: 2 lambda (n - 1) w / n, here n = 3
        close(penalty, expected, "penalty", rtol=1e-5)
        for gradient, due in zip(gradients, right, strict=True):
            close(gradient, due, "gradient of the penalty in the critic's parameters", rtol=1e-5)


@check("2.3", points=0.5, visibility="hidden", alpha=2.5e-7)
def test_drawn_alpha(student, draw):
    """Left to draw its own alpha, the penalty asks for one point between each pair, evenly spread."""
    for axes in (1, 3):
        ends = torch.tensor([[2.0, 0.5], [-0.5, 1.0]])
        event = (2,) if axes == 1 else (1, 2, 1)
        real, fake = (end.reshape(1, *event).repeat(PAIRS, *[1] * axes) for end in ends)

        def trial(draw, real=real, fake=fake, axes=axes):
            student.seed(draw.seed)
            tests, seen = [], []
            for _ in range(3):  # an alpha that is shared by the batch would show as penalties that differ too much
                spy = recorder(length_critic(axes))
                penalty = array_of(student.gradient_penalty(spy, real, fake), (), "penalty")
                tests.append(law_of_penalty(float(penalty)))
                seen.append(rows_seen(spy))
            if all(calls is not None for calls in seen):
                tests.append(law_of_alpha([row for calls in seen for row in calls], real, fake))
            return tests

        message = "alpha does not follow the law that the exercise prescribes"
        if not right_with_given_alpha(student, real, fake, draw.uniform(PAIRS, *[1] * axes), axes):
            message = "with alpha left out the penalty is wrong, and so it is with alpha given: mend that first"
        attempts(draw.fork(f"{axes} axes"), trial, message=message)


@check("2.3", points=0.5, visibility="hidden")
def test_batch_is_a_mean(student, draw):
    """The penalty of a batch is the mean of the penalties of its pairs, in any order."""
    critic = bent_critic()
    real, fake, alpha = draw.normal(5, 4), draw.normal(5, 4), draw.uniform(5, 1)

    def one_by_one(critic, real, fake, alpha, lambda_):
        norms = bent_slopes(alpha * real + (1 - alpha) * fake).norm(dim=1)
        return lambda_ * (norms - 1).square().mean()

    for order in (torch.arange(5), draw.permutation(5), torch.tensor([2]), torch.tensor([3, 3, 0])):
        inputs = critic, real[order], fake[order], alpha[order], 2.0
        agrees(student.gradient_penalty, one_by_one, *inputs, name="penalty", means=NUMBER)


# ---- what the checks know by themselves


def gradients_of_penalty(module, weights, real, fake, alpha, lambda_):
    """Penalty of a critic with these weights, and its gradients (nothing if it has none). Runs beside the student's.

    One weight (d, 1): a linear critic; two, (d, h) and (h, 1): a hidden layer of tanh.
    """
    leaves = [weight.detach().clone().requires_grad_(True) for weight in weights]

    def critic(x):
        x = torch.as_tensor(x)
        return x @ leaves[0] if len(leaves) == 1 else torch.tanh(x @ leaves[0]) @ leaves[1]

    with torch.enable_grad():
        penalty = module.gradient_penalty(critic, real, fake, alpha, lambda_)
    if not (isinstance(penalty, torch.Tensor) and penalty.requires_grad):
        return [penalty]
    return [penalty.detach(), *torch.autograd.grad(penalty.sum(), leaves, allow_unused=True)]


def length_critic(axes):
    """f(x) = |x|^2 / 2 over the last `axes` axes: its slope is the distance from the origin."""

    def critic(x):
        x = torch.as_tensor(x)
        return x.square().sum(tuple(range(-axes, 0)))[..., None] / 2

    return critic


def right_with_given_alpha(student, real, fake, alpha, axes):
    """Whether the penalty of `length_critic` is right with alpha given; also if it cannot be told."""
    try:
        penalty = student.gradient_penalty(length_critic(axes), real, fake, alpha)
        got = array_of(penalty, (), "penalty")
    except CheckFailed:
        return False
    except StudentError as error:
        if error.kind != "exception":
            raise
        return True
    lengths = (alpha * real + (1 - alpha) * fake).flatten(1).norm(dim=1)
    due = 10.0 * float((lengths - 1).square().mean())
    return abs(float(got) / due - 1) < 1e-4


def law_of_alpha(calls, real, fake):
    """Test of the recorded points of three times PAIRS pairs: on the way from fake to real, all different, even."""
    a, b = real[0].flatten().double(), fake[0].flatten().double()
    rows = torch.cat([call.reshape(-1, len(a)) for call in calls]) - b if calls else torch.empty(0, len(a))
    along = (a - b) / (a - b).square().sum()
    shares = rows @ along
    aside = float(((rows - shares[:, None] * (a - b)).norm(dim=1) > 1e-6).double().mean()) if len(rows) else 0.0
    shares = shares[(shares.abs() > 1e-6) & ((shares - 1).abs() > 1e-6)]  # not those of the real and fake points
    inside = float(((shares > 0) & (shares < 1)).double().mean()) if len(shares) else 0.0
    different = len(shares.unique())
    observe("share of points beside the line", round(aside, 1))
    observe("share of points between the pair", round(inside, 1))
    observe("different points", different if different < 10 else "many")
    require(aside == 0, "some points are not on the straight line through the two points of their pair")
    require(len(shares) > 0, "the critic was asked at the real or fake points only, not between them")
    require(inside == 1, "some points are not between the real and the fake point of their pair")
    require(different > 1, "all pairs got the same alpha")
    require(
        different > PAIRS, f"{3 * PAIRS} pairs in 3 calls got {different} different alphas: every pair needs its own"
    )
    counts = torch.histc(shares, 10, 0.0, 1.0)
    statistic, pvalue, _ = multinomial_pvalue(counts.numpy(), np.full(10, 1 / 10))
    return TestResult("alpha", statistic, pvalue, "The points are not evenly spread between the pair.")


def law_of_penalty(penalty, n=PAIRS, lambda_=10.0):
    """Test of a penalty of `length_critic` on n copies of the pair against its mean and spread, by quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    share, weights = (nodes + 1) / 2, weights / 2
    distance = np.hypot(-0.5 + 2.5 * share, 1.0 - 0.5 * share)
    fine = (distance - 1) ** 2
    mean = float(weights @ fine)
    deviation = math.sqrt(float(weights @ (fine - mean) ** 2) / n)
    z = (penalty / lambda_ - mean) / deviation
    pvalue = math.erfc(abs(z) / math.sqrt(2)) if math.isfinite(z) else 0.0
    return TestResult("penalty", z, pvalue, f"The mean penalty of many pairs is {penalty:.4g}.")
