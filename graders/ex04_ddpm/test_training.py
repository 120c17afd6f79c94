"""Part 4.9: the pieces trained by the judge; the limits are those of calibration.json."""

import torch
from ddpm_oracles import schedule_of
from ddpm_training import (
    DIGIT_BATCH,
    DIGIT_RATE,
    DIGIT_STEPS,
    DIGITS,
    OVERFIT_RATE,
    OVERFIT_STEPS,
    TOY,
    TOY_BATCH,
    TOY_RATE,
    TOY_SAMPLES,
    TOY_STEPS,
    calibrations,
    digit_test,
    overfit,
    overfit_batch,
    small_digits,
    toy_points,
    toy_scores,
    toy_test,
    train_digits,
    train_toy,
)

from gdgrade.checks import CheckFailed, at_least, check


@check("4.9", points=1, needs=("4.8",), training=True, seconds=90, alpha=1e-7)
def test_one_batch(student, draw, data):
    """The U-Net learns the noise in one batch of eight digits."""
    images = data("mnist-small")["x_train"]

    def trial(draw):
        x, t, noise = overfit_batch(draw, images)
        seed = draw.seed % 2**31
        answer = student.run(overfit, student.module, x, t, noise, seed, OVERFIT_STEPS, OVERFIT_RATE)
        guess = answered(answer, noise.shape)
        return [calibrations()["one batch"].judge(float((guess - noise).square().mean()))]

    judged(student, draw, trial)


@check("4.9", points=1.5, needs=("4.1", "4.3", "4.6"), training=True, seconds=120, alpha=1e-7)
def test_points(student, draw):
    """A small network trained with the loss comes near the best one possible, and its samples near the data."""

    def trial(draw):
        test = toy_test(draw)
        settings = (TOY_STEPS, TOY_BATCH, TOY_RATE, TOY_SAMPLES)
        inputs = tuple(TOY), schedule_of(*TOY), toy_points(draw, 20_000), *test[:2], draw.seed % 2**31, settings
        answer = student.run(train_toy, student.module, *inputs)
        if answer["broken"] >= 0:
            raise CheckFailed(f"the loss stopped being finite in step {answer['broken'] + 1} of the training")
        guesses, samples = answered(answer["guesses"], test[0].shape), answered(answer["samples"], (TOY_SAMPLES, 2))
        found, limits = toy_scores(guesses, samples, test), calibrations()
        floor = "the error of the guessed noise, beyond that of the best network,"
        bounds = [at_least(found.excess, 0.0, floor, too_good=True, slack=5 * found.error)]
        names = ("excess", "shares", "outside", "width")
        return bounds + [limits[f"points {name}"].judge(getattr(found, name)) for name in names]

    judged(student, draw, trial)


@check("4.9", points=1.5, needs=("4.1", "4.3", "4.8"), visibility="hidden", training=True, seconds=180, alpha=1e-7)
def test_digits(student, draw, data):
    """The U-Net trained with the loss on small digits finds the noise in new ones where it is hardest to see."""
    cut = data("mnist-small")
    images = small_digits(cut["x_train"])

    def trial(draw):
        x, t, noise = digit_test(draw, cut["x_test"])
        settings = (DIGIT_STEPS, DIGIT_BATCH, DIGIT_RATE)
        inputs = tuple(DIGITS), schedule_of(*DIGITS), images, x, t, draw.seed % 2**31, settings
        answer = student.run(train_digits, student.module, *inputs)
        if answer.get("broken", -1) >= 0:
            raise CheckFailed(f"the loss stopped being finite in step {answer['broken'] + 1} of the training")
        guesses = answered(answer["guesses"], noise.shape)
        return [calibrations()["digits"].judge(float((guesses - noise).square().mean()))]

    judged(student, draw, trial)


def answered(values, shape):
    """A network's answer as float64, once its shape is right and its numbers are finite."""
    numbers = torch.as_tensor(values).double()
    if tuple(numbers.shape) != tuple(shape):
        raise CheckFailed(f"after training, an answer of shape {tuple(numbers.shape)} came; {tuple(shape)} is due")
    if not bool(numbers.isfinite().all()):
        raise CheckFailed("after training, the answers are not finite: the training diverged")
    return numbers


def judged(student, draw, trial):
    """One training and, if it misses a limit, a second one with a fresh seed."""
    faults = []
    for attempt in ("first", "second"):
        with student.dtype("float32"):
            results = trial(draw.fork(attempt))
        fault = next((result.message for result in results if not result.passed), "")
        if not fault:
            return
        faults.append(fault)
    raise CheckFailed(faults[0] + ("" if faults[0] == faults[1] else f" A second training: {faults[1]}"))
