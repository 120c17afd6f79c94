"""Part 1.7: training, judged by what the networks do afterwards; the limits are those of calibration.json."""

import torch
from vae_oracles import LATENT, PIXELS, array_of
from vae_training import (
    EPOCHS,
    SHORT_BATCH,
    SHORT_EPOCHS,
    SHORT_IMAGES,
    SHORT_RATE,
    bound_of,
    limits,
    scores,
    short_run,
    train_and_show,
)

from gdgrade.checks import check, close, observe, require


@check("1.7", points=0.5, alpha=1e-9, training=True, seconds=30)
def test_short_run(student, draw, data):
    """A training of a second changes both networks, raises the ELBO enough, and leaves the KL in a sound range."""
    images = torch.from_numpy(data("mnist-small")["x_train"][:SHORT_IMAGES].reshape(SHORT_IMAGES, PIXELS))
    settings = (SHORT_EPOCHS, SHORT_BATCH, SHORT_RATE)
    bounds = limits()
    verdict = ""
    for attempt in ("first", "second"):
        fresh = draw.fork(attempt)
        noise = fresh.normal(SHORT_IMAGES, LATENT)
        with student.dtype("float32"):
            moved, before, after = student.run(
                short_run, student.module, images, noise, fresh.seed % 2**31, *settings
            )
        verdict, traits = short_verdict(moved, before, after, images, bounds)
        if not verdict:
            return
    for name, value in traits.items():
        observe(name, value)
    require(False, verdict)


def short_verdict(moved, before, after, images, bounds):
    """What is wrong after the short training ("" if nothing), and traits that tell wrong trainings apart."""
    traits = {"encoder changed": bool(moved[0]), "decoder changed": bool(moved[1])}
    for name, changed in zip(("encoder", "decoder"), moved, strict=True):
        if not changed:
            return f"train left all parameters of the {name} as they were", traits
    (old, _), (new, kl) = bound_of(shaped(before, images), images), bound_of(shaped(after, images), images)
    low, high = bounds["short_kl_low"], bounds["short_kl_high"]
    enough = new >= bounds["short_elbo"]
    traits |= {"ELBO rose": new > old, "ELBO enough": enough, "KL": -1 if kl < low else 1 if not kl <= high else 0}
    if not new > old:
        return f"train made the ELBO worse: {old:.4g} nats before, {new:.4g} after", traits
    if not low <= kl <= high:
        return f"after a short training the KL term is {kl:.3g} nats; between {low:g} and {high:g} is sound", traits
    if not enough:
        return f"after a short training the ELBO is {new:.4g} nats; {bounds['short_elbo']:.4g} is asked for", traits
    return "", traits


def shaped(answers, images):
    rows = len(images)
    names = (("mu", LATENT), ("logvar", LATENT), ("logits", PIXELS))
    return [array_of(value, (rows, width), name) for value, (name, width) in zip(answers, names, strict=True)]


@check("1.7", points=1.5, alpha=1e-9, training=True, seconds=90, memory_mib=1536)
def test_elbo_of_new_images(student, draw, data):
    """After 20 epochs the ELBO of 1,000 test images is as good as a right training makes it."""

    def verdict(score, bounds):
        if score.reconstruction > bounds["grey_bound"]:
            return (
                f"the reconstruction term is {score.reconstruction:.2f} nats per image; no probabilities of the "
                f"pixels can exceed {bounds['grey_bound']:.2f} on these grey images: too good to be true"
            )
        if score.elbo <= bounds["independent_pixels"]:
            return (
                f"the ELBO of the test images is {score.elbo:.2f} nats; ignoring the code and giving each pixel its "
                f"mean reaches {bounds['independent_pixels']:.2f}: nothing was learnt"
            )
        if not score.elbo >= bounds["elbo"]:
            return f"the ELBO of the test images is {score.elbo:.2f} nats, {bounds['elbo']:.2f} is asked for"
        return ""

    judge_training(student, draw, data, verdict)


@check("1.7", points=1, alpha=1e-9, training=True, seconds=90, memory_mib=1536)
def test_divergence_after_training(student, draw, data):
    """After 20 epochs the codes carry information and stay near the prior: the KL term is in a sound range."""

    def verdict(score, bounds):
        low, high = bounds["kl_low"], bounds["kl_high"]
        if score.kl < low:
            return f"the KL term is {score.kl:.3g} nats; below {low:g} the codes say too little about the images"
        if not score.kl <= high:
            return f"the KL term is {score.kl:.4g} nats; above {high:g} the codes are too far from the prior"
        return ""

    judge_training(student, draw, data, verdict)


@check("1.7", points=1, alpha=1e-9, training=True, seconds=90, memory_mib=1536)
def test_codes_tell_digits_apart(student, draw, data):
    """After 20 epochs the 15 nearest training codes predict the digit of a test code."""

    def verdict(score, bounds):
        if not score.accuracy >= bounds["accuracy"]:
            return (
                f"the nearest training codes give the right digit for {100 * score.accuracy:.1f} % of the test "
                f"images, {100 * bounds['accuracy']:.1f} % are asked for (guessing gives 10 %)"
            )
        return ""

    judge_training(student, draw, data, verdict)


def judge_training(student, draw, data, verdict):
    """Train with one seed and, if `verdict(scores, limits)` finds fault, once more with a fresh one."""
    cut, bounds = data("mnist-small"), limits()
    images, test = (torch.from_numpy(cut[name].reshape(-1, PIXELS)) for name in ("x_train", "x_test"))
    fault = ""
    for attempt in ("first", "second"):
        fresh = draw.fork(attempt)
        noise = fresh.normal(len(test), LATENT)
        with student.dtype("float32"):
            shown = student.run(
                train_and_show, student.module, images, test, noise, fresh.seed % 2**31, EPOCHS
            )
        rows = {"codes": (len(images), LATENT), "mu": (len(test), LATENT), "logvar": (len(test), LATENT)}
        rows |= {"logits": (len(test), PIXELS), "logits asked again": (len(test), PIXELS)}
        shown = [array_of(value, shape, name) for value, (name, shape) in zip(shown, rows.items(), strict=True)]
        fault = fault_of(shown, test, cut, verdict, bounds)
        if not fault:
            return
    require(False, fault + " (two trainings with different seeds)")


def fault_of(shown, test, cut, verdict, bounds):
    if not all(bool(torch.isfinite(value).all()) for value in shown):
        return "after training, the networks give numbers that are not finite: the training diverged"
    logits, again = shown[3], shown[4].flip(0)
    # the decoder of a VAE knows an image by its code alone, so its answer cannot depend on what the encoder saw last
    close(again, logits, "logits of the same codes, asked for again later", rtol=1e-3)
    return verdict(scores(shown, test, cut["y_train"], cut["y_test"]), bounds)
