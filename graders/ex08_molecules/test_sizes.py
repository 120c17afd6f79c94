"""Part 8.10, optional: molecules of different sizes in one batch, all the way."""

import torch
from molecule_networks import network_padding
from molecule_oracles import Bent, Recipe, ancestral_step, centred, noised, schedule_of
from molecule_reading import run_with_type
from molecule_worker import Calls

from gdgrade.checks import agrees, check, observe, require

RECIPE = Recipe(60)
SCHEDULE = schedule_of(*RECIPE)
MASK = torch.tensor([[1.0, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])
SIZES = (5, 3, 2)
WORDS = "a position for every atom"


class BentEach(Bent):
    """`Bent` with the mean left to others: the rows of a smaller molecule do not know of its size."""

    def forward(self, x, t):
        x = torch.as_tensor(x)
        time = torch.as_tensor(t).detach().to(x.dtype).reshape(-1, 1, 1)
        return 0.9 * x + 0.3 * torch.sin(2 * x + 0.1 * time)


def padded(draw, scale=1.0):
    """Positions (3, 5, 3), centred over the atoms present; rows without an atom are zero."""
    return centred(draw.normal(3, 5, 3, scale=scale), MASK)


def present(value):
    """Rows without an atom as zeros: they may hold anything."""
    fits = isinstance(value, torch.Tensor) and tuple(value.shape) == (3, 5, 3) and value.layout == torch.strided
    return torch.where(MASK[..., None] > 0, value, torch.zeros_like(value)) if fits else value


@check("8.10", points=0.25)
def test_noising_and_loss(student, draw):
    """Noising and loss count the atoms that are present, and no others."""
    t, x0, noise = torch.tensor([3, 25, 50]), padded(draw, 2.0), padded(draw)

    def each(x0, t, schedule, noise, mask):
        return noised(x0, t, schedule["abar"], noise)

    inputs, q_sample = (x0, t, SCHEDULE, noise), Calls(student, "q_sample_com", RECIPE)
    agrees(q_sample, each, *inputs, mask=MASK, pick=present, name="x_t of the atoms present", means=WORDS)

    def by_molecule(model, x0, schedule, t, noise, mask):
        gaps = [model(noised(x0, t, schedule["abar"], noise), t)[b, :n] - noise[b, :n] for b, n in enumerate(SIZES)]
        return torch.cat(gaps).square().mean()

    inputs, loss = (BentEach(), x0, SCHEDULE, t, noise), Calls(student, "ddpm_loss_com", RECIPE)
    agrees(loss, by_molecule, *inputs, mask=MASK, name="loss", means="one number")


@check("8.10", points=0.25)
def test_step_back(student, draw):
    """A step back keeps the atoms present at zero mean, and is right for them."""
    x, noise = padded(draw), padded(draw)

    def by_molecule(model, x, t, schedule, noise, mask):
        out = torch.zeros_like(x)
        for b, n in enumerate(SIZES):
            one = slice(b, b + 1), slice(0, n)
            out[one] = ancestral_step(model, x[one], t, schedule, noise[one])
        return out

    for t in (30, 0):
        inputs, step = (BentEach(), x, t, SCHEDULE, noise), Calls(student, "p_sample_com", RECIPE)
        agrees(step, by_molecule, *inputs, mask=MASK, pick=present, name="x before the step", means=WORDS)


@check("8.10", points=0.5, needs=("8.4",))
def test_network(student, draw):
    """The network answers a molecule among larger ones as if it were alone, and its gradients stay finite."""
    (found, finite), single = run_with_type(student, network_padding, draw.integers(0, 2**31))
    tolerance = 1e-3 if single else 1e-10
    observe("padding seen, finite", [*(value > tolerance for value in found), finite])
    for value, n in zip(found, (3, 5, 2), strict=True):
        require(value <= tolerance, f"EGNN: rows that are masked out change the answer to a molecule of {n} atoms")
    require(finite, "EGNN: gradients are not finite when rows that are masked out are all zero")
