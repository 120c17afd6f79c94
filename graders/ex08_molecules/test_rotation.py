"""Part 8.4, first half: random rotations."""

import torch
from molecule_reading import run_either
from molecule_worker import rotations, seeded_twice

from gdgrade.checks import CheckFailed, attempts, check, close, ks_test, observe, require


def drawn(student, count, seed):
    """(count, 3, 3) rotations as float64, finite."""
    try:
        found = torch.as_tensor(run_either(student, rotations, count, seed)).double()
    except (TypeError, ValueError):
        raise CheckFailed("random_rotation does not return a matrix") from None
    require(
        tuple(found.shape) == (count, 3, 3), f"random_rotation: got shape {tuple(found.shape[1:])}, expected (3, 3)"
    )
    require(found.isfinite().all(), "random_rotation: some entries are not finite")
    return found


@check("8.4", points=0.5)
def test_is_a_rotation(student, draw):
    """The matrix is orthogonal, with determinant +1, whenever it is drawn, and not the same every time."""
    found = drawn(student, 64, draw.integers(0, 2**31))
    gram = found @ found.transpose(1, 2)
    signs = torch.linalg.det(found)
    observe("orthogonal", bool((gram - torch.eye(3)).abs().max() < 1e-5))
    observe("share of reflections in tenths", round(10 * float((signs < 0).double().mean())))
    close(gram, torch.eye(3).expand(64, 3, 3), "R R^T", atol=1e-5)
    close(signs, torch.ones(64), "determinant", atol=1e-5)
    require(len(found.flatten(1).unique(dim=0)) == 64, "the same rotation comes again and again")


@check("8.4", points=0.5, alpha=1.25e-7)
def test_uniform(student, draw):
    """No direction and no angle is preferred: the law is Haar's."""
    count = 1200

    def trial(draw):
        found = drawn(student, count, draw.seed % 2**31)
        close(found @ found.transpose(1, 2), torch.eye(3).expand(count, 3, 3), "R R^T", atol=1e-5)
        cosine = ((found.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1)
        angle = torch.arccos(cosine)
        observe("tenths of the mean angle", round(10 * float(angle.mean())))
        observe("fifths of the mean entries", (5 * found.mean(dim=0)).round().flatten().tolist())
        observe("tenths of the mean squared entries", (10 * found.square().mean(dim=0)).round().flatten().tolist())
        # every column is uniform on the sphere, so every entry is uniform on [-1, 1] (Archimedes)
        entries = [ks_test(found[:, i, j], lambda u: (u + 1) / 2) for i in range(3) for j in range(3)]
        return [*entries, ks_test(angle, lambda a: (a - torch.as_tensor(a).sin().numpy()) / torch.pi)]

    attempts(draw, trial, message="the rotations are not uniform: some direction or angle comes too often")


@check("8.4", points=0.25, visibility="hidden")
def test_generator(student, draw):
    """The rotation comes from the generator that is handed over."""
    first, then, again, _ = student.run(seeded_twice, student.module, "random_rotation", (), draw.integers(0, 2**31))
    observe("equal generators, equal rotations", bool(torch.equal(first, again)))
    observe("the next rotation is another", not bool(torch.equal(first, then)))
    close(again, first, "rotation from an equal generator", rtol=1e-5)
    require(tuple(then.shape) == (3, 3), "random_rotation must return a 3x3 matrix")
    close(then.double() @ then.double().T, torch.eye(3), "R R^T", atol=1e-5)
    require(not torch.equal(first, then), "two draws from one generator are the same rotation")
