"""Known wrong gradient penalties (part 2.3), as overrides of the reference."""

import torch

from gdgrade.mistakes import mistake

# not the check of drawn alphas: most of these look alike there
PENALTY = tuple(f"penalty/{name}" for name in ("linear", "quadratic", "pictures", "trains", "batch"))


def mixed_points(real, fake, alpha):
    """Points between the pairs, with one drawn alpha per pair if none is given."""
    if alpha is None:
        alpha = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype)
    return alpha * real + (1 - alpha) * fake


def slopes_at(critic, points, graph=True, total=torch.sum):
    """Gradient of the critic at each point, (B, d)."""
    with torch.enable_grad():
        points = points.detach().requires_grad_(True)
        return torch.autograd.grad(total(critic(points)), points, create_graph=graph)[0].flatten(1)


def wrong(name, title, hint, override, kind="mistake", checks=PENALTY, seen_by="exact"):
    """Declare a penalty (critic, real, fake, alpha, lambda_) -> number under `name`."""

    def replacement(ref, critic, real, fake, alpha=None, lambda_=10.0):
        return override(critic, real, fake, alpha, lambda_)

    replacement.__name__ = name
    declare = mistake(of="gradient_penalty", title=title, hint=hint, kind=kind, checks=checks, seen_by=seen_by)
    globals()[name] = declare(replacement)


def fine(norms, lambda_):
    """The two-sided penalty of these norms."""
    return lambda_ * (norms - 1).square().mean()


def plain(critic, real, fake, alpha, lambda_, **options):
    """The right penalty, but for the options of `slopes_at`."""
    return fine(slopes_at(critic, mixed_points(real, fake, alpha), **options).norm(dim=1), lambda_)


wrong(
    "penalty_alpha_of_fake",
    "alpha multiplies the fake point",
    "Which point do you get for alpha = 1?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, fake, real, alpha, lambda_),
    kind="convention",
)
wrong(
    "penalty_alpha_ignored",
    "a given alpha is ignored",
    "Call your function twice with the same alpha: are the results equal?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, None, lambda_),
)
wrong(
    "penalty_alpha_normal",
    "alpha is drawn from a normal law",
    "Are all your points between the real and the fake point of their pair?",
    lambda critic, real, fake, alpha, lambda_: plain(
        critic, real, fake, torch.randn(len(real), *[1] * (real.ndim - 1)).to(real) if alpha is None else alpha, lambda_
    ),
    checks=("penalty/drawn_alpha",),
    seen_by="chance",
)
wrong(
    "penalty_alpha_shared",
    "one alpha for the whole batch",
    "How many different alphas do you draw for 64 pairs?",
    lambda critic, real, fake, alpha, lambda_: plain(
        critic, real, fake, torch.rand(1).to(real) if alpha is None else alpha, lambda_
    ),
    checks=("penalty/drawn_alpha",),
    seen_by="chance",
)
wrong(
    "penalty_alpha_per_coordinate",
    "every coordinate has its own alpha",
    "Do your points lie on the straight line between the two points of their pair?",
    lambda critic, real, fake, alpha, lambda_: plain(
        critic, real, fake, torch.rand_like(real) if alpha is None else alpha, lambda_
    ),
    checks=("penalty/drawn_alpha",),
    seen_by="chance",
)
wrong(
    "penalty_norm_of_batch",
    "one norm over the whole batch",
    "Does your penalty change when every pair is there twice?",
    lambda critic, real, fake, alpha, lambda_: fine(slopes_at(critic, mixed_points(real, fake, alpha)).norm(), lambda_),
)
wrong(
    "penalty_squared_norm",
    "the square of the norm is compared with 1",
    "What is the penalty of a critic that has the slope 3 everywhere?",
    lambda critic, real, fake, alpha, lambda_: fine(
        slopes_at(critic, mixed_points(real, fake, alpha)).square().sum(1), lambda_
    ),
)
wrong(
    "penalty_one_sided",
    "only slopes above 1 are fined",
    "What does the statement want for a critic that is too flat?",
    lambda critic, real, fake, alpha, lambda_: (
        lambda_ * (slopes_at(critic, mixed_points(real, fake, alpha)).norm(dim=1) - 1).clamp(min=0).square().mean()
    ),
)
wrong(
    "penalty_without_one",
    "slopes are compared with 0",
    "Which slope is free of charge in your penalty?",
    lambda critic, real, fake, alpha, lambda_: (
        lambda_ * slopes_at(critic, mixed_points(real, fake, alpha)).square().sum(1).mean()
    ),
)
wrong(
    "penalty_not_squared",
    "the difference is not squared",
    "Is a flat critic fined or rewarded by your penalty?",
    lambda critic, real, fake, alpha, lambda_: (
        lambda_ * (slopes_at(critic, mixed_points(real, fake, alpha)).norm(dim=1) - 1).mean()
    ),
)
wrong(
    "penalty_squared_after_mean",
    "the square of the mean instead of the mean of the squares",
    "Half of the points have slope 0 and half slope 2: are they fined?",
    lambda critic, real, fake, alpha, lambda_: (
        lambda_ * (slopes_at(critic, mixed_points(real, fake, alpha)).norm(dim=1).mean() - 1).square()
    ),
)
wrong(
    "penalty_without_graph",
    "the penalty has a value but no gradient",
    "Does your penalty change the gradient of the critic's parameters at all?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, alpha, lambda_, graph=False),
)
wrong(
    "penalty_of_mean",
    "the gradient of the mean over the batch",
    "By how much does the mean of 64 critic values change when one point moves?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, alpha, lambda_, total=torch.mean),
)
wrong(
    "penalty_without_lambda",
    "lambda_ is left out",
    "Does your penalty change with lambda_?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, alpha, 1.0),
)
wrong(
    "penalty_lambda_fixed",
    "lambda_ is always 10",
    "Does your penalty change with lambda_?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, alpha, 10.0),
)
wrong(
    "penalty_half",
    "a factor 1/2",
    "What is your penalty of a critic of slope 5, by hand?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, alpha, lambda_ / 2),
)
wrong(
    "penalty_sum_over_batch",
    "the sum over the batch instead of its mean",
    "What happens to your penalty when every pair is there twice?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, fake, alpha, lambda_ * len(real)),
)
wrong(
    "penalty_at_real",
    "the slope is asked for at the real points",
    "On the way from fake to real data, where does your penalty look?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, real, real, alpha, lambda_),
)
wrong(
    "penalty_at_fake",
    "the slope is asked for at the fake points",
    "On the way from fake to real data, where does your penalty look?",
    lambda critic, real, fake, alpha, lambda_: plain(critic, fake, fake, alpha, lambda_),
)
wrong(
    "penalty_sum_of_absolute_slopes",
    "the sum of the absolute partial derivatives",
    "How long is the vector (3, 4)?",
    lambda critic, real, fake, alpha, lambda_: fine(
        slopes_at(critic, mixed_points(real, fake, alpha)).abs().sum(1), lambda_
    ),
)


def first_axis_norm(critic, real, fake, alpha, lambda_):
    slopes = slopes_at(critic, mixed_points(real, fake, alpha)).reshape(real.shape)
    return fine(slopes.norm(dim=1), lambda_)


wrong(
    "penalty_norm_of_first_axis",
    "for pictures, the norm runs over one axis only",
    "How many norms do you compute for one picture of 3 x 28 x 28?",
    first_axis_norm,
    checks=("penalty/pictures",),
)
