"""Part 1.9 (optional): from one image to another through the latent plane."""

import torch
from vae_oracles import attempted, grey_images, smooth_decoder, smooth_encoder

from gdgrade.checks import agrees, check, close


@check("1.9", points=0.5)
def test_straight_line(student, reference, draw):
    """The pictures are decoded from codes at equal steps on the line between the two means."""
    attempted(student, "interpolate")
    encoder, decoder, x = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 2)
    for n in (10, 3):
        agrees(
            student.interpolate, reference.interpolate, x[0], x[1], encoder, decoder, n,
            name="the pictures", means="one picture per step",
        )  # fmt: skip


@check("1.9", points=0.5)
def test_ends(student, draw):
    """The walk starts at the first image's code, ends at the second's, and backwards it is the same walk."""
    attempted(student, "interpolate")
    encoder, decoder, x = smooth_encoder(draw), smooth_decoder(draw), grey_images(draw, 2)
    forth = student.interpolate(x[0], x[1], encoder, decoder, 6)
    back = student.interpolate(x[1], x[0], encoder, decoder, 6)
    ends = torch.sigmoid(decoder(encoder(x)[0])).detach()
    close(forth[0], ends[0], "the first picture")
    close(forth[-1], ends[1], "the last picture")
    close(back, torch.as_tensor(forth).flip(0), "the walk backwards")
