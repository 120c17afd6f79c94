"""Part 2.10, optional: networks for pictures: shapes, what the penalty needs of a critic, and a short training."""

import torch
from wgan_oracles import array_of
from wgan_pictures import DATA, PICTURES, SETTINGS, distance, train_pictures
from wgan_training import limits

from gdgrade.checks import check, observe, require


@check("2.10", points=0.25)
def test_shapes(student, draw):
    """The generator makes pixels in [0, 1] from noise of dz coordinates; the critic gives one number per picture."""
    student.value("image_networks")
    student.seed(draw.seed)
    for dz in (5, 32):
        pixels, values, _, _, far = (
            part.double() for part in student.run(answers, student.module, draw.normal(7, dz), dz)
        )
        pixels = array_of(pixels, (7, 784), "pictures of the generator")
        array_of(values, (7, 1), "values of the critic")
        array_of(far, (7, 784), "pictures of the generator from large noise")
        low, high = float(torch.cat([pixels, far]).min()), float(torch.cat([pixels, far]).max())
        observe("pixels below 0", low < 0)
        observe("pixels above 1", high > 1)
        require(low >= 0 and high <= 1, f"the generator's pixels lie between {low:.3g} and {high:.3g}")
        require(len(pixels.unique(dim=0)) == 7, "different noise gives the same picture")


@check("2.10", points=0.25)
def test_critic_row_by_row(student, draw):
    """The critic's value of a picture does not depend on the other pictures of its batch, and is not bounded."""
    student.value("image_networks")
    student.seed(draw.seed)
    _, together, apart, grown, _ = student.run(answers, student.module, draw.normal(7, 16), 16)
    difference = float((together - apart).abs().max()) / max(float(together.abs().max()), 1e-3)
    observe("depends on the batch", difference > 1e-4)
    growth = float(grown.double().abs().max())
    observe("bounded by 1", growth <= 1)
    require(difference < 1e-4, "the critic's value of a picture changes when the other pictures of its batch change")
    require(growth > 1, f"even with far larger weights and pixels, the critic's values stay within +-{growth:.3g}")


@check("2.10", points=0.5, visibility="hidden", alpha=1e-9, training=True, seconds=80, memory_mib=1536)
def test_training(student, draw, data):
    """After a short training on FashionMNIST the generated pictures resemble unseen ones, in quality and variety."""
    student.value("image_networks")
    cut, bound = data(DATA), limits()["pictures"]
    images = torch.from_numpy(cut["x_train"].reshape(-1, 784))
    faults = []
    for attempt in ("first", "second"):
        fresh = draw.fork(attempt)
        noise = fresh.normal(PICTURES, SETTINGS["dz"])
        with student.dtype("float32"):
            made = student.run(train_pictures, student.module, images, noise, fresh.seed % 2**31, SETTINGS)
        made = array_of(made, (PICTURES, 784), "pictures of the generator")
        require(made.min() >= 0 and made.max() <= 1, "after training some pixels are not in [0, 1]")
        result = bound.judge(distance(made, cut["x_test"]))
        if result.passed:
            return
        faults.append(result.message.rstrip("."))
    require(False, f"{faults[0]} (and with another seed: {faults[1]})")


def answers(module, noise, dz):
    """What fresh networks say. Runs in the worker.

    Returns:
        pictures (B, 784); their critic values in one batch, (B, 1), and one by one; the values for far brighter
        pictures, and once all parameters of the critic are a thousand times as large; pictures from far larger noise.
    """
    import torch
    from torch import nn

    generator, critic = module.image_networks(dz)
    noise = noise.to(next(generator.parameters(), noise).dtype)  # networks may be built in float32
    with torch.no_grad():
        pictures = generator(noise)
        for layer in critic.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        together = critic(pictures)
        apart = torch.cat([critic(torch.cat([picture[None], 0 * picture[None]]))[:1] for picture in pictures])
        bright = critic(1e6 * pictures)
        for value in critic.parameters():
            value.mul_(1e3)
        return pictures, together, apart, torch.cat([bright, critic(pictures)]), generator(1e4 * noise)
