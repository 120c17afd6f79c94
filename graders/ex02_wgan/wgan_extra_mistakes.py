"""Known wrong answers of the optional parts 2.8 to 2.10, as overrides of the reference."""

import itertools

import torch
from torch import nn
from torch.nn.functional import softplus

from gdgrade.mistakes import mistake

SMOOTHING, CLIPPING, IMAGES = ("smoothing/",), ("clipping/",), ("images/",)


def entropy(logits, label):
    """Cross-entropy between the label and the logits' probabilities, their mean."""
    return (label * softplus(-logits) + (1 - label) * softplus(logits)).mean()


@mistake(
    of="discriminator_loss_smooth",
    title="both labels are smoothed",
    hint="One-sided smoothing: which of the two labels stays as it was?",
    checks=SMOOTHING,
)
def smoothing_on_both_sides(ref, d_real, d_fake, real_label=0.9):
    return entropy(d_real, real_label) + entropy(d_fake, 1 - real_label)


@mistake(
    of="discriminator_loss_smooth",
    title="the label of the fake data is smoothed",
    hint="For which data should the discriminator be kept from being too sure?",
    checks=SMOOTHING,
)
def smoothing_of_fake(ref, d_real, d_fake, real_label=0.9):
    return entropy(d_real, 1.0) + entropy(d_fake, 1 - real_label)


@mistake(
    of="discriminator_loss_smooth",
    title="the real half is only scaled",
    hint="At which logit is your loss of a real sample smallest? Is it finite?",
    checks=SMOOTHING,
)
def smoothing_scales(ref, d_real, d_fake, real_label=0.9):
    return real_label * entropy(d_real, 1.0) + entropy(d_fake, 0.0)


@mistake(
    of="discriminator_loss_smooth",
    title="no smoothing",
    hint="Does your loss change with real_label?",
    checks=SMOOTHING,
)
def smoothing_ignored(ref, d_real, d_fake, real_label=0.9):
    return entropy(d_real, 1.0) + entropy(d_fake, 0.0)


@mistake(
    of="clip_weights",
    title="each parameter is scaled down to fit",
    hint="An entry lay inside the bounds before: is it still what it was?",
    checks=CLIPPING,
)
def clipping_scales(ref, critic, c=0.01):
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_((c / parameter.abs().max()).clamp(max=1.0))


@mistake(
    of="clip_weights",
    title="the norm of each parameter is clipped",
    hint="Is it the length of a whole weight matrix that must stay below c, or something else?",
    checks=CLIPPING,
)
def clipping_of_norm(ref, critic, c=0.01):
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_((c / parameter.norm()).clamp(max=1.0))


@mistake(
    of="clip_weights",
    title="clipped from above only",
    hint="What becomes of an entry of -3?",
    checks=CLIPPING,
)
def clipping_from_above(ref, critic, c=0.01):
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(max=c)


@mistake(
    of="clip_weights",
    title="biases are left out",
    hint="Which of the critic's parameters does your loop reach?",
    checks=CLIPPING,
)
def clipping_without_biases(ref, critic, c=0.01):
    with torch.no_grad():
        for name, parameter in critic.named_parameters():
            if "bias" not in name:
                parameter.clamp_(-c, c)


@mistake(
    of="clip_weights",
    title="the gradients are clipped",
    hint="After your function, are the weights themselves within the bounds?",
    checks=CLIPPING,
)
def clipping_of_gradients(ref, critic, c=0.01):
    for parameter in critic.parameters():
        if parameter.grad is not None:
            parameter.grad.clamp_(-c, c)


def perceptron(*widths, unit=nn.ReLU, last=None, norm=False):
    """A multilayer perceptron with these widths."""
    layers = []
    for width_in, width_out in itertools.pairwise(widths):
        layers += [nn.Linear(width_in, width_out), *([nn.BatchNorm1d(width_out)] if norm else []), unit()]
    end = len(layers) - (2 if norm else 1)  # no norm and no unit after the last layer
    return nn.Sequential(*layers[:end], *([last] if last else []))


@mistake(
    of="image_networks",
    title="batch norm in the critic",
    hint="Does the value of one picture depend on the other pictures of its batch? What would its slope then mean?",
    checks=IMAGES,
)
def critic_with_batch_norm(ref, dz=32):
    return perceptron(dz, 128, 784, last=nn.Sigmoid()), perceptron(784, 128, 64, 1, norm=True)


@mistake(
    of="image_networks",
    title="a sigmoid at the end of the critic",
    hint="Can your critic say 100?",
    checks=IMAGES,
)
def critic_with_sigmoid(ref, dz=32):
    return perceptron(dz, 128, 784, last=nn.Sigmoid()), perceptron(784, 128, 1, last=nn.Sigmoid())


@mistake(
    of="image_networks",
    title="pixels in [-1, 1]",
    hint="Between which values do the pixels of the data lie, and between which do yours?",
    kind="convention",
    checks=IMAGES,
)
def pixels_from_minus_one(ref, dz=32):
    return perceptron(dz, 128, 784, last=nn.Tanh()), perceptron(784, 128, 1)


@mistake(
    of="image_networks",
    title="pixels of any size",
    hint="What keeps your generator from saying 1.7 for a pixel?",
    checks=IMAGES,
)
def pixels_unbounded(ref, dz=32):
    return perceptron(dz, 128, 784), perceptron(784, 128, 1)
