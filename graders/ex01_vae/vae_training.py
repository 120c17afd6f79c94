"""Training a student's VAE inside the worker, and scoring what came out with the judge's own formulas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

EPOCHS = 20
NEIGHBOURS = 15
SHORT_IMAGES, SHORT_EPOCHS, SHORT_BATCH, SHORT_RATE = 1000, 4, 64, 4e-3


def train_and_show(module: Any, images: Any, test_images: Any, noise: Any, seed: int, epochs: int) -> Any:
    """Runs in the worker: build the networks, train them, return what they say about the test images.

    Args:
        module: the student's module.
        images, test_images: uint8 pixels, (N, 784) and (M, 784).
        noise: (M, 2), one draw per test image.
        seed: for torch's, numpy's and Python's generators.

    Returns:
        Codes of the training images (N, 2); mu, logvar (M, 2) and logits (M, 784) of the test images; the
        logits of the same codes in reverse order, asked for after the encoder has seen something else.
    """
    import random

    import numpy as np
    import torch

    def two(answer: Any) -> Any:
        if hasattr(answer, "__dataclass_fields__"):
            answer = [getattr(answer, name) for name in answer.__dataclass_fields__]
        mu, logvar = answer.values() if isinstance(answer, dict) else answer
        return torch.as_tensor(mu), torch.as_tensor(logvar)

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - students' code may use the global generator
    random.seed(seed)
    dtype = torch.get_default_dtype()
    data, test = images.to(dtype) / 255, test_images.to(dtype) / 255
    encoder, decoder = module.Encoder(), module.Decoder()
    module.train(encoder, decoder, data, epochs=epochs)
    encoder.eval()
    decoder.eval()
    with torch.no_grad():
        codes, _ = two(encoder(data))
        mu, logvar = two(encoder(test))
        z = mu + torch.exp(logvar / 2) * noise.to(mu.dtype)
        logits = torch.as_tensor(decoder(z))
        encoder(torch.zeros_like(test))
        again = torch.as_tensor(decoder(z.flip(0)))
    return codes, mu, logvar, logits, again


class Scores(NamedTuple):
    """What a trained VAE is worth on the test images; nats per image."""

    elbo: float
    reconstruction: float
    kl: float
    accuracy: float


def scores(shown: Any, test_images: Any, labels: Any, test_labels: Any) -> Scores:
    """The judge's own arithmetic, in float64, on what `train_and_show` returned.

    Args:
        shown: codes, mu, logvar, logits, logits again.
        test_images: uint8, (M, 784).
        labels, test_labels: digits, (N,) and (M,).
    """
    codes, mu, logvar, logits, _ = (np.asarray(item, dtype=np.float64) for item in shown)
    x = np.asarray(test_images, dtype=np.float64) / 255
    # x l - log(1 + e^l), with logaddexp for large l
    reconstruction = (x * logits - np.logaddexp(0.0, logits)).sum(1)
    kl = 0.5 * (np.exp(logvar) + mu**2 - 1 - logvar).sum(1)
    accuracy = neighbours_accuracy(codes, labels, mu, test_labels)
    bound = reconstruction - kl
    return Scores(float(bound.mean()), float(reconstruction.mean()), float(kl.mean()), accuracy)


def neighbours_accuracy(codes: Any, labels: Any, test_codes: Any, test_labels: Any) -> float:
    """Share of test codes whose 15 nearest training codes vote for the right digit."""
    if not (np.isfinite(codes).all() and np.isfinite(test_codes).all()):
        return 0.0
    squared = (test_codes**2).sum(1)[:, None] - 2 * test_codes @ codes.T + (codes**2).sum(1)
    nearest = np.argpartition(squared, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    votes = (np.asarray(labels)[nearest][:, :, None] == np.arange(10)).sum(1)  # (M, 10)
    return float((votes.argmax(1) == np.asarray(test_labels)).mean())


def grey_bound(test_images: Any) -> float:
    """Minus the mean binary entropy of the pixels: the most a Bernoulli decoder's likelihood can reach (nats)."""
    x = np.asarray(test_images, dtype=np.float64) / 255
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -(np.where(x > 0, x * np.log(x), 0.0) + np.where(x < 1, (1 - x) * np.log1p(-x), 0.0))
    return float(-entropy.sum(1).mean())


def independent_pixels(images: Any, test_images: Any) -> float:
    """Mean log-likelihood of the test images when each pixel has the training mean, whatever z (nats)."""
    means = (np.asarray(images, dtype=np.float64).sum(0) / 255 + 0.5) / (len(images) + 1)
    x = np.asarray(test_images, dtype=np.float64) / 255
    return float((x * np.log(means) + (1 - x) * np.log1p(-means)).sum(1).mean())


def limits() -> dict[str, Any]:
    """The pass limits, from calibration.json; `calibrate.py` writes that file."""
    return json.loads((Path(__file__).parent / "calibration.json").read_text(encoding="utf-8"))["limits"]


def short_run(
    module: Any, images: Any, noise: Any, seed: int, epochs: int, batch_size: int, lr: float
) -> Any:
    """Runs in the worker: a training of a second, and the networks' answers before and after it.

    Args:
        module: the student's module.
        images: uint8 pixels, (N, 784).
        noise: (N, 2).
        seed: for torch's, numpy's and Python's generators.
        epochs, batch_size, lr: handed on to `train`.

    Returns:
        For the encoder and the decoder, whether any parameter changed; then mu, logvar (N, 2) and logits (N, 784)
        before and after.
    """
    import random

    import numpy as np
    import torch

    def answers() -> Any:
        with torch.no_grad():
            answer = encoder(data)
            if hasattr(answer, "__dataclass_fields__"):
                answer = [getattr(answer, name) for name in answer.__dataclass_fields__]
            mu, logvar = answer.values() if isinstance(answer, dict) else answer
            mu, logvar = torch.as_tensor(mu), torch.as_tensor(logvar)
            return mu, logvar, torch.as_tensor(decoder(mu + torch.exp(logvar / 2) * noise.to(mu.dtype)))

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - students' code may use the global generator
    random.seed(seed)
    data = images.to(torch.get_default_dtype()) / 255
    encoder, decoder = module.Encoder(), module.Decoder()
    before = answers()
    copies = [[value.detach().clone() for value in network.parameters()] for network in (encoder, decoder)]
    module.train(encoder, decoder, data, epochs=epochs, batch_size=batch_size, lr=lr)
    moved = [
        any(not torch.equal(old, new) for old, new in zip(copy, network.parameters(), strict=True))
        for copy, network in zip(copies, (encoder, decoder), strict=True)
    ]
    encoder.eval()
    decoder.eval()
    return moved, before, answers()


def bound_of(answers: Any, images: Any) -> tuple[float, float]:
    """Mean ELBO and mean KL (nats) of mu, logvar and logits, by the judge's own formulas in float64."""
    mu, logvar, logits = (np.asarray(item, dtype=np.float64) for item in answers)
    x = np.asarray(images, dtype=np.float64) / 255
    reconstruction = (x * logits - np.logaddexp(0.0, logits)).sum(1)
    kl = 0.5 * (np.exp(logvar) + mu**2 - 1 - logvar).sum(1)
    return float((reconstruction - kl).mean()), float(kl.mean())
