"""Part 3.2: the layer as a module of torch: what an optimiser sees, what is saved."""

import torch
from flow_judging import MASKS, Layer, near, precision
from flow_probes import fresh_gradient, parameter_report, trainable_masks

from gdgrade.checks import check, observe, require


@check("3.2", points=0.5)
def test_learns(student, draw):
    """Every number that matters is a parameter of the module and gets a gradient, also in a fresh layer."""
    with precision(student) as work:
        points = work.cast(draw.normal(9, 2))
        for name, mask in MASKS.items():
            fresh = Layer(student, work, mask, seed=None)
            masks = observe(f"{name}: trainable masks", student.run(trainable_masks, fresh.handle))
            start = observe(
                f"{name}: fresh layer has a gradient", student.run(fresh_gradient, fresh.handle, points) > 0
            )
            layer = Layer(student, work, mask, seed=draw.integers(0, 2**31))
            report = student.run(parameter_report, layer.handle, points, ["points", "log_det"])
            reached = report["reached"]
            observe(f"{name}: some parameter is hidden", report["hidden"] > 0)
            observe(f"{name}: gradients from points and log-determinants", [reached["points"], reached["log_det"]])
            require(
                report["hidden"] == 0,
                f"{report['hidden']} tensors change the result but parameters() does not "
                "yield them, so no optimiser will see them",
            )
            require(report["visible"] > 0, "parameters() of the layer is empty: there is nothing to train")
            require(masks == 0, "the mask is among the parameters: the optimiser would change it")
            require(reached["points"], "no parameter gets a gradient from the points that inverse returns")
            require(
                reached["log_det"],
                "no parameter gets a gradient from the log-determinants of inverse, with every weight randomised: they "
                "are detached, or a hard clamp in place of alpha tanh(...) has cut all gradients off",
            )
            require(report["idle"] == 0, f"{report['idle']} parameters change the result but get no gradient")
            require(start, "in a fresh layer no weight matrix gets a gradient, so training cannot start")


@check("3.2", points=0.5)
def test_saves_and_loads(student, draw):
    """A layer that loads the state_dict of another one answers like it."""
    with precision(student) as work:
        points = draw.normal(8, 2)
        for name, mask in MASKS.items():
            old, new = Layer(student, work, mask, draw.integers(0, 2**31)), Layer(student, work, mask, seed=None)
            student.run(lambda old, new: new.load_state_dict(old.state_dict()), old.handle, new.handle)
            expected, got = old.forward(points), new.forward(points)
            moved = not near(expected[0], points, 1e-3)
            same = near(got[0], expected[0], work.exact) and near(got[1], expected[1], work.exact)
            observe(f"{name}: loaded answers alike", same)
            observe(f"{name}: finite", bool(torch.isfinite(expected[0]).all()))
            observe(f"{name}: parameters", len(old.handle.named_parameters()) > 0)
            require(moved, "with every weight randomised the layer is still the identity")
            require(
                same,
                f"layer that {name} coordinate: after load_state_dict the new layer answers otherwise than the "
                "one that was saved, so state_dict() does not contain all that matters",
            )
