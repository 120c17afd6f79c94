"""Part 5.6: implicit (Hyvärinen) score matching."""

import torch
from langevin_oracles import bent_score, linear_score, run_either

from gdgrade.checks import agrees, check, close, require


@check("5.6", points=1)
def test_linear_score(student, draw):
    """For a linear score with a lopsided matrix, half the square and the trace add up."""
    matrix, mean = draw.normal(3, 3), draw.normal(3)

    def by_hand(score_fn, x):
        return (score_fn(x).square().sum(dim=1) / 2).mean() - matrix.trace()

    x = draw.normal(5, 3)
    loss = student.implicit_score_matching_loss
    agrees(loss, by_hand, linear_score(matrix, mean), x, name="loss", means="one number")


@check("5.6", points=1)
def test_curved_score(student, draw):
    """For a score that is no straight line, every point contributes its own trace."""

    def point_by_point(score_fn, x):
        jacobians = torch.stack([torch.autograd.functional.jacobian(score_fn, row) for row in x])
        traces = jacobians.diagonal(dim1=1, dim2=2).sum(dim=1)
        return (score_fn(x).square().sum(dim=1) / 2 + traces).mean()

    for n, d in ((6, 3), (1, 2)):
        x = draw.normal(n, d)
        loss = student.implicit_score_matching_loss
        agrees(loss, point_by_point, bent_score(), x, name="loss", means="one number")


@check("5.6", points=1, visibility="hidden")
def test_trains_a_network(student, reference, draw):
    """The loss is differentiable in the network's parameters through both of its terms."""
    inputs = draw.normal(2, 4), draw.normal(4, 2), draw.normal(5, 2)
    loss, *gradients = run_either(student, training_with_ism_loss, "implicit_score_matching_loss", *inputs)
    found = all(gradient is not None for gradient in gradients)
    require(found, "autograd finds no way from the loss back to the parameters of the network")
    expected_loss, *expected = training_with_ism_loss(reference, *inputs)
    close(loss, expected_loss, "loss", rtol=1e-5)
    for got, due, layer in zip(gradients, expected, ("first", "second"), strict=True):
        close(got, due, f"gradient of the loss in the {layer} layer", rtol=1e-5)


# ---- what the checks know by themselves


def training_with_ism_loss(module, first, second, x):
    """Loss of a network with two layers, and its gradient in either or None. Runs beside the student's code."""
    first, second = first.clone().requires_grad_(True), second.clone().requires_grad_(True)

    def network(points):
        return torch.tanh(torch.as_tensor(points) @ first) @ second

    with torch.enable_grad():
        loss = module.implicit_score_matching_loss(network, x)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return loss, None, None
    with torch.enable_grad():  # here too: the student's file may have turned gradients off for good
        return loss.detach(), *torch.autograd.grad(loss.sum(), (first, second), allow_unused=True)
