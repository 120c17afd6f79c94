"""Part 2.8, optional: one-sided label smoothing."""

import math

import torch
from wgan_oracles import array_of, run_either

from gdgrade.checks import agrees, check, close, require


@check("2.8", points=0.5)
def test_values(student, reference, draw):
    """The smoothed loss is right for several labels, and finite when the discriminator is very sure."""
    for label in (0.9, 0.6, 1.0):
        logits = draw.normal(4, 1, scale=2.0), draw.normal(7, 1, scale=2.0)
        words = {"name": "loss", "means": "one number"}
        agrees(student.discriminator_loss_smooth, reference.discriminator_loss_smooth, *logits, label, **words)
    sure = torch.tensor([[300.0]])
    loss = array_of(student.discriminator_loss_smooth(sure, -sure, 0.9), (), "loss")
    close(loss, 30.0, "loss of a discriminator that is very sure")


@check("2.8", points=0.5, visibility="hidden")
def test_best_answer(student):
    """The loss pulls a real sample towards the logit of its label, and a fake one down for ever."""
    for label in (0.9, 0.7):
        best = math.log(label / (1 - label))
        logits = torch.tensor([[best], [best + 1], [-2.0], [6.0]])
        slopes = run_either(student, ["discriminator_loss_smooth"], slopes_of_smooth_loss, logits, label)
        require(slopes is not None, "autograd finds no way from the loss back to the logits")
        at_best, beyond, low, high = (float(slope) for slope in slopes)
        require(abs(at_best) < 1e-6, f"at the logit {best:.4g} a real sample with the label {label:g} is still pulled")
        require(beyond > 0, "a real sample beyond its best logit is pulled further away")
        require(low > 0 and high > 0, "a fake sample is not pulled towards lower logits")


def slopes_of_smooth_loss(module, logits, label):
    """Slopes of the loss in two real and in two fake logits, or None. Runs beside the student's code."""
    real, fake = (half.detach().clone().requires_grad_(True) for half in (logits[:2], logits[2:]))
    with torch.enable_grad():
        loss = module.discriminator_loss_smooth(real, fake, label)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return None
    slopes = torch.autograd.grad(loss.sum(), (real, fake), allow_unused=True)
    return None if any(slope is None for slope in slopes) else torch.cat(slopes).flatten()
