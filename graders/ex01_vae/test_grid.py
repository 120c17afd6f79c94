"""Part 1.8: the map of the latent plane."""

import torch
from vae_oracles import PIXELS, array_of, code_decoder, recorded_codes

from gdgrade.checks import check, close, observe, recorder, require, well_formed


@check("1.8", points=1)
def test_codes_at_quantiles(student):
    """The n x n codes are the normal quantiles of equally spaced levels inside (0, 1), each pair once."""
    for n in (15, 4):
        spy = recorder(code_decoder())
        well_formed(tiles(student.latent_grid(spy, n), n), torch.zeros(n * n, PIXELS), "the pictures", varies=True)
        z = recorded_codes(spy)
        require(len(z) == n * n, f"the decoder was asked for {len(z)} codes; n = {n} means {n * n}")
        observe("codes finite", bool(torch.isfinite(z).all()))
        axes = [torch.unique(column.mul(1e4).round()) / 1e4 for column in z.T]
        traits = {
            "distances equal": all(evenly_spaced(axis) for axis in axes),
            "levels equal": all(evenly_spaced(torch.special.ndtr(axis)) for axis in axes),
            "inside (0, 1)": bool(((z > 0) & (z < 1)).all()),
        }
        for name, value in traits.items():
            observe(name, value)
        require(bool(torch.isfinite(z).all()), "some codes are not finite: no normal quantile belongs to 0 or 1")
        for axis in axes:
            require(len(axis) == n, f"along one axis there are {len(axis)} different values; n = {n} are asked for")
        require(traits["levels equal"], "the codes do not cut the prior into slices of equal probability")
        levels = torch.special.ndtr(torch.cat(axes))
        wide = float(levels.min()) < 0.3 and float(levels.max()) > 0.7 and abs(float(levels.mean()) - 0.5) < 0.05
        require(wide, "the codes cover only a part of the latent plane")
        pairs = torch.unique((z * 1e4).round(), dim=0)
        require(len(pairs) == n * n, f"only {len(pairs)} of the {n * n} codes are different")


@check("1.8", points=1)
def test_probabilities(student):
    """The pictures are the decoder's probabilities, one per code, for n = 15 by default and n = 4."""
    decoder = code_decoder()
    for n in (15, 4):
        spy = recorder(decoder)
        answer = student.latent_grid(spy) if n == 15 else student.latent_grid(spy, n)
        pictures = tiles(answer, n, left_out=n == 15)
        z = recorded_codes(spy)
        require(len(z) == n * n, f"the decoder was asked for {len(z)} codes; n = {n} means {n * n}")
        expected = torch.sigmoid(decoder(z)).detach()
        # pixels 0 and 1 are the code's own: they say which code a picture belongs to, in whatever order they come
        order = torch.cdist(pictures[:, :2], expected[:, :2]).argmin(dim=1)
        close(pictures, expected[order], "the pictures", rtol=0.0, atol=1e-6)
        require(len(torch.unique(order)) == n * n, "some codes have more than one picture, others have none")


def evenly_spaced(values):
    steps = values.diff()
    return bool(len(steps) > 0 and torch.isfinite(steps).all() and (steps - steps.mean()).abs().max() < 1e-3)


def tiles(answer, n, left_out=False):
    """Pictures (n * n, 784) from an answer of shape (n*n, 784), (n, n, 784), (.., 28, 28) or one big picture."""
    shape = tuple(getattr(answer, "shape", ()))
    squeezed = tuple(size for size in shape if size != 1)
    if squeezed == (28 * n, 28 * n):
        big = array_of(answer, shape, "the pictures").reshape(n, 28, n, 28)
        return big.permute(0, 2, 1, 3).reshape(n * n, PIXELS)
    count = 1
    for size in shape:
        count *= size
    given = f"with n left out, that is {n}," if left_out else f"with n = {n}"
    require(count == n * n * PIXELS, f"the pictures have shape {shape}; {given} it is ({n * n}, {PIXELS})")
    return array_of(answer, shape, "the pictures").reshape(n * n, PIXELS)
