"""Part 1.4: encoder and decoder, however they are built."""

import torch
from vae_oracles import LATENT, PIXELS, two_outputs

from gdgrade.checks import check, close, observe, require

# 784-64-2 with and without biases; room for a second small layer, and for a trunk of its own behind each output
ENCODER_SIZES = (784 * 64 + 2 * 64 * 2, 2 * (784 * 64 + 64) + 2 * (64 * 2 + 2))
DECODER_SIZES = (2 * 64 + 64 * 784, 2 * 64 + 64 + 64 * 784 + 784 + 64 * 65)
# What outputs have to exceed on both sides at random weights. A guard that keeps logvar within +-10 is let pass: no
# code has a spread below e^-5 or above e^5.
REACH = {"mu": 12.0, "logvar": 9.0, "logits": 12.0}


@check("1.4", points=0.5)
def test_shapes(student, draw):
    """The encoder gives mu and logvar, the decoder logits, of the right shapes, for 7 images and for one."""
    encoder, decoder = student.Encoder(), student.Decoder()
    for rows in (7, 1):
        mu, logvar = two_outputs(encoder(draw.uniform(rows, PIXELS)))
        require_shape(mu, (rows, LATENT), "mu")
        require_shape(logvar, (rows, LATENT), "logvar")
        require_shape(decoder(draw.normal(rows, LATENT)), (rows, PIXELS), "logits")


@check("1.4", points=0.25)
def test_one_image_alone(student, draw):
    """An image gets the same code alone as in a batch, and a code the same logits."""
    encoder, decoder = student.Encoder(), student.Decoder()
    encoder.eval()
    decoder.eval()
    x, z = draw.uniform(7, PIXELS), draw.normal(7, LATENT)
    together, alone = two_outputs(encoder(x)), two_outputs(encoder(x[3:4]))
    for name, many, one in zip(("mu", "logvar"), together, alone, strict=True):
        close(one, many[3:4], f"{name} of one image alone")
    close(decoder(z[3:4]), decoder(z)[3:4], "logits of one code alone")


@check("1.4", points=0.5)
def test_no_activation_at_the_end(student, draw):
    """Means, log variances and logits can take any value, also far below 0 and far above 0."""
    # random weights instead of the initial ones: a head that starts at zero would look bounded
    encoder, decoder = student.Encoder(), student.Decoder()
    encoder(draw.uniform(2, PIXELS))  # lazy layers get their sizes now
    decoder(draw.normal(2, LATENT))
    answers = {"mu": [], "logvar": [], "logits": []}
    # With one set of weights all means have the same sign with a probability of about 1/4; with 24 sets 4^-24 = 4e-15.
    # Weights of 10 make outputs of thousands (of 50 if a sigmoid is the hidden activation), so that being within
    # REACH adds little: all 24 sets stay below it on one side with a probability of 1e-11 at most.
    for _ in range(24):
        randomise(encoder, draw, 10.0)
        randomise(decoder, draw, 10.0)
        mu, logvar = two_outputs(encoder(draw.uniform(8, PIXELS)))
        for name, values in (("mu", mu), ("logvar", logvar), ("logits", decoder(draw.normal(8, LATENT, scale=3.0)))):
            answers[name].append(values)
    outputs = {name: torch.cat(values) for name, values in answers.items()}
    traits = {}
    for name, values in outputs.items():
        require(bool(torch.isfinite(values).all()), f"{name}: some values are not finite at random weights")
        traits[name] = [bool((values >= 0).all()), bool((values <= 1).all()), bool((values >= -1).all())]
        observe(f"{name}: never negative, never above 1, never below -1", traits[name])
    for name, values in outputs.items():
        low, high = float(values.min()), float(values.max())
        require(
            low < -REACH[name] and high > REACH[name],
            f"over 192 inputs with large random weights, the values of {name} lie between {low:.3g} and {high:.3g} "
            "only: is there an activation after the last layer?",
        )


@check("1.4", points=0.5)
def test_layer_sizes(student, draw):
    """The networks have the sizes 784-64-2 and 2-64-784, with an activation after the hidden layer."""
    wanted = {"Encoder": (ENCODER_SIZES, PIXELS), "Decoder": (DECODER_SIZES, LATENT)}
    found, straight = {}, {}
    for name, (_, inputs) in wanted.items():
        network = getattr(student, name)()
        network(draw.uniform(2, inputs))
        found[name] = sum(int(value.numel()) for _, value in network.named_parameters())
        observe(f"parameters of {name}", found[name])
        straight[name] = is_affine(network, draw, inputs)
        observe(f"{name} is affine", straight[name])
    for name, ((least, most), _) in wanted.items():
        require(
            least <= found[name] <= most,
            f"{name} has {found[name]:,} parameters that an optimiser would see; with one hidden layer of 64 units "
            f"it has between {least:,} and {most:,}, depending on how it is built",
        )
    for name, affine in straight.items():
        require(not affine, f"{name} is an affine map of its input: is there an activation after the hidden layer?")


@check("1.4", points=0.25)
def test_every_parameter_learns(student, draw):
    """Every parameter of both networks gets a gradient."""
    for name, inputs in (("Encoder", PIXELS), ("Decoder", LATENT)):
        network = getattr(student, name)()
        network(draw.uniform(2, inputs))
        randomise(network, draw, 0.5)
        # 200 inputs and random weights on the outputs, so that no gradient vanishes by accident
        reached = student.run(gradient_sizes, network, draw.normal(200, inputs), draw.normal(200, PIXELS))
        require(len(reached) > 0, f"{name} has no parameters")
        dead = [key for key, size in reached if not size > 0]
        observe(f"share of {name} without gradient", len(dead) / len(reached))
        require(not dead, f"{name}: no gradient reaches {', '.join(dead[:4])}")


def require_shape(values, shape, name):
    found = getattr(values, "shape", None)
    require(found is not None, f"{name}: an array was expected, a {type(values).__name__} came")
    require(tuple(found) == shape, f"{name} has shape {tuple(found)}, expected {shape}")


def randomise(network, draw, scale):
    """Independent normal weights of standard deviation `scale` for all parameters."""
    network.set_parameters({name: draw.normal(*value.shape, scale=scale) for name, value in network.named_parameters()})


def is_affine(network, draw, inputs):
    """Whether f(a + b) = f(a) + f(b) - f(0) at random weights, as without a hidden activation.

    a and b share no coordinate, so every hidden unit hears from both independently; f(x) + f(-x) = 2 f(0) would also
    hold for an odd activation without biases. Any activation will do.
    """
    randomise(network, draw, 1.0)
    both = draw.uniform(8, inputs)
    first = both * (torch.arange(inputs) < inputs // 2)
    at_both, at_first, at_second, at_zero = (
        torch.cat(outputs_of(network(x)), 1) for x in (both, first, both - first, 0 * both)
    )
    bend = (at_both - at_first - at_second + at_zero).abs().max()
    return bool(bend < 1e-4 * at_both.abs().max())


def outputs_of(answer):
    return [answer] if torch.is_tensor(answer) else list(two_outputs(answer))


def gradient_sizes(network, inputs, weights):
    """Runs in the worker: (name, largest gradient) of every parameter, for a random mix of the outputs."""
    import torch

    out = network(inputs)
    if hasattr(out, "__dataclass_fields__"):
        out = [getattr(out, name) for name in out.__dataclass_fields__]
    parts = [out] if torch.is_tensor(out) else list(out.values() if isinstance(out, dict) else out)
    sum((part * weights[:, i : i + part.shape[1]]).sum() for i, part in enumerate(parts)).backward()
    return [
        (name, 0.0 if parameter.grad is None else float(parameter.grad.abs().max()))
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    ]
