"""Part 2.2: the losses of critic and generator of a Wasserstein GAN."""

import torch
from wgan_oracles import linear_critic, run_either

from gdgrade.checks import agrees, check, close, require

NUMBER = "one number"


@check("2.2", points=0.5)
def test_critic_loss(student, draw):
    """The loss of the critic is right for real and fake batches of different sizes."""

    def by_hand(c_real, c_fake):
        return c_fake.sum() / len(c_fake) - c_real.sum() / len(c_real)

    for n_real, n_fake in ((4, 7), (5, 2)):
        values = draw.normal(n_real, 1, mean=1.0, scale=3.0), draw.normal(n_fake, 1, mean=-2.0, scale=3.0)
        agrees(student.critic_loss, by_hand, *values, name="loss", means=NUMBER)


@check("2.2", points=0.5)
def test_generator_loss(student, draw):
    """The loss of the generator is right, and falls at the same rate wherever the critic's values lie."""
    for mean in (-1.0, 100.0):
        values = draw.normal(6, 1, mean=mean, scale=3.0)
        agrees(student.generator_loss_w, lambda c: -c.sum() / len(c), values, name="loss", means=NUMBER)
    slope = run_either(student, ["generator_loss_w"], slope_of_generator_loss, values)
    require(slope is not None, "autograd finds no way from the loss back to the critic's values")
    close(slope, torch.full((6, 1), -1 / 6), "slope of the loss in the critic's values", rtol=1e-5)


@check("2.2", points=0.5, visibility="hidden")
def test_gap_is_the_distance(student, draw):
    """For fake data that are real data moved by one arrow, the best critic's gap is the length of the arrow."""
    real, arrow = draw.normal(9, 3, scale=2.0), draw.normal(3, scale=40.0)
    fake, length = real + arrow, float(arrow.norm())
    best = linear_critic(-arrow / length)  # 1-Lipschitz, highest where real data are: attains the maximum of the dual
    for critic, gap in ((best, length), (linear_critic(arrow / length), -length)):
        loss = student.critic_loss(critic(real), critic(fake))
        close(loss, -gap, "the critic's loss", means=NUMBER)


def slope_of_generator_loss(module, values):
    """Gradient of generator_loss_w in the critic's values, or None. Runs beside the student's code."""
    leaf = values.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        loss = module.generator_loss_w(leaf)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return None
    return torch.autograd.grad(loss.sum(), leaf, allow_unused=True)[0]
