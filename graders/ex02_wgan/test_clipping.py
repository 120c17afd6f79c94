"""Part 2.9, optional: weight clipping."""

import torch
from wgan_oracles import run_either

from gdgrade.checks import check, close


@check("2.9", points=0.5)
def test_every_entry(student, draw):
    """Every entry of every parameter is forced into the bounds, and those inside stay as they are."""
    for c in (0.01, 0.5):
        weights = [draw.normal(3, 2, scale=c), draw.normal(3, scale=c), draw.normal(1, 3, scale=2 * c), draw.normal(1)]
        clipped, _ = run_either(student, ["clip_weights"], clipped_weights, weights, c)
        for number, (got, before) in enumerate(zip(clipped, weights, strict=True)):
            due = torch.minimum(torch.maximum(before, torch.tensor(-c)), torch.tensor(c))
            what = f"{'bias' if number % 2 else 'weight'} of layer {number // 2}"
            close(got, due, what, rtol=1e-5 if got.dtype == torch.float32 else None)


@check("2.9", points=0.5, visibility="hidden")
def test_still_trainable(student, draw):
    """A clipped critic is trained on by the optimiser that it had before."""
    weights = [draw.normal(3, 2), draw.normal(3), draw.normal(1, 3), draw.normal(1)]
    clipped, moved = run_either(student, ["clip_weights"], clipped_weights, weights, 0.05)
    for got, after in zip(clipped, moved, strict=True):
        # the loss of this step is the sum of all parameters and the step size is 1
        close(after, got - 1, "a parameter after one more step of its optimiser", rtol=1e-5)


def clipped_weights(module, weights, c):
    """A small critic's parameters after clipping, and after one step of an older optimiser. Runs in the worker."""
    import torch
    from torch import nn

    critic = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).to(weights[0].dtype)
    with torch.no_grad():
        for parameter, value in zip(critic.parameters(), weights, strict=True):
            parameter.copy_(value)
    optimiser = torch.optim.SGD(critic.parameters(), lr=1.0)
    module.clip_weights(critic, c)
    clipped = [value.detach().clone() for value in critic.parameters()]
    optimiser.zero_grad()
    sum(value.sum() for value in critic.parameters()).backward()
    optimiser.step()
    return clipped, [value.detach().clone() for value in critic.parameters()]
