"""Part 4.8: the U-Net, on the student's own initial weights and on shaken ones."""

from ddpm_networks import answers, gradients, mixing, paths, use_of_time
from ddpm_reading import run_either

from gdgrade.checks import check, observe, remark, require


@check("4.8", points=0.25)
def test_shapes(student, draw):
    """Images of 28x28, 32x32 and 16x16 come back in their own shape, finite."""
    sizes = [(count, 1, side, side) for side, count in ((28, 3), (32, 1), (16, 2))]
    results = run_either(student, answers, draw.integers(0, 2**31))
    observe("shapes", [list(getattr(y, "shape", ())) for y in results])
    for y, due in zip(results, sizes * 3, strict=True):
        shape = tuple(getattr(y, "shape", ()))
        require(shape == due, f"UNet: for images of shape {due} the shape {shape} came back")
        require(bool(y.isfinite().all()), f"UNet: the answer to images of shape {due} is not finite")


@check("4.8", points=0.5)
def test_images_do_not_mix(student, draw):
    """The answer to an image does not depend on the other images of the batch, in training and in eval mode."""
    report = run_either(student, mixing, draw.integers(0, 2**31))
    for name, value in zip(("training", "eval"), report, strict=True):
        observe(f"mixes in {name} mode", value is not None and not value < 1e-3)
    for name, value in zip(("training", "eval"), report, strict=True):
        if value is None:
            remark(f"UNet: in {name} mode the answers are random (dropout?); not compared")
            continue
        text = f"UNet: in {name} mode the answer to an image changes with the other images of its batch"
        require(value < 1e-3, f"{text}, by {value:.2g} standard deviations")


@check("4.8", points=0.25)
def test_uses_its_time(student, draw):
    """The answer to an image depends on its own t, and on no other image's."""
    least, most, another = run_either(student, use_of_time, draw.integers(0, 2**31))
    observe("own t of each, of some, another's t", [least > 1e-3, most > 1e-3, another > 1e-3])
    require(most > 1e-3, "UNet: the answer does not depend on t")
    require(least > 1e-3, "UNet: the answer to some image does not depend on its own t")
    require(another < 1e-3, "UNet: the answer to an image depends on the t of another one")


@check("4.8", points=0.5)
def test_gradient_reaches_every_stage(student, draw):
    """Every parameter that matters is registered, and gets a gradient from the loss."""
    report = run_either(student, gradients, draw.integers(0, 2**31))
    observe("hidden, idle", [report["hidden"] > 0, report["idle"] > 0])
    require(report["hidden"] == 0, f"UNet: parameters() does not list {report['hidden']} tensors that matter")
    names = ", ".join(str(name)[:40] for name in report["names"])
    require(report["idle"] == 0, f"UNet: the gradient of the loss does not reach {report['idle']} tensors: {names}")
    require(report["visible"] > 0, "UNet: there are no trainable parameters")
    if report["useless"]:
        remark(f"UNet: {report['useless']} parameter tensors have no effect on the answer")


@check("4.8", points=0.5, visibility="hidden")
def test_paths_through_the_sizes(student, draw):
    """The image is halved twice, and features of full and of half size are joined on the way up."""
    found = run_either(student, paths, draw.integers(0, 2**31))
    observe("sizes and skips", [found[key] for key in ("quarter", "quarter used", "half", "full")])
    require(found["quarter"], "UNet: there are no features of a quarter of the size of the image")
    require(found["quarter used"], "UNet: the features of a quarter of the size have no effect on the answer")
    require(found["full"], "UNet: the way up gets no features of full size from the way down")
    require(found["half"], "UNet: the way up gets no features of half size from the way down")
