"""Part 8.7: the pieces trained by the judge on a toy of known law; the limits are those of calibration.json."""

import torch
from molecule_oracles import schedule_of
from molecule_training import (
    BATCH,
    RATE,
    SAMPLES,
    STEPS,
    TOY,
    TYPES,
    calibrations,
    scores,
    toy_test,
    train_waters,
    waters,
)

from gdgrade.checks import CheckFailed, check


@check("8.7", points=2, needs=("8.1", "8.3", "8.4", "8.5"), training=True, seconds=120, alpha=1e-7)
def test_waters(student, draw):
    """Trained on waters, network, loss and steps back make molecules with the right bond lengths and angles."""

    def trial(draw):
        x, t, noise = toy_test(draw)
        settings = (STEPS, BATCH, RATE, SAMPLES)
        inputs = tuple(TOY), schedule_of(*TOY), waters(draw, 20_000), TYPES, x, t, draw.seed % 2**31, settings
        answer = student.run(train_waters, student.module, *inputs)
        if answer["broken"] >= 0:
            raise CheckFailed(f"the loss stopped being finite in step {answer['broken'] + 1} of the training")
        guesses, samples = answered(answer["guesses"], noise.shape), answered(answer["samples"], (SAMPLES, 3, 3))
        found, limits = scores(guesses, samples, noise), calibrations()
        return [limits[name].judge(getattr(found, name)) for name in ("noise", "bonds", "angles")]

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
