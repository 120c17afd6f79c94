"""Part 3.4: a calm start, far points, batches of any size."""

import torch
from flow_judging import MASKS, Layer, near, precision, random_layers

from gdgrade.checks import check, observe, require


@check("3.4", points=0.5)
def test_starts_as_identity(student, draw):
    """A fresh layer, with the weights your constructor gives it, is the identity with log-determinant zero."""
    with precision(student) as work:
        points, found = draw.normal(9, 2), []
        for name, mask in MASKS.items():
            layer = Layer(student, work, mask, seed=None)
            x, forward_log_det = layer.forward(points)
            z, inverse_log_det = layer.inverse(points)
            free = mask.index(0.0)
            found += [
                observe(f"{name}: forward moves points", not near(x, points, work.exact)),
                observe(f"{name}: inverse moves points", not near(z, points, work.exact)),
                observe(f"{name}: forward stretches", not near(forward_log_det, torch.zeros(9), work.exact)),
                observe(f"{name}: inverse stretches", not near(inverse_log_det, torch.zeros(9), work.exact)),
            ]
            observe(f"{name}: free coordinate", "lost" if near(x[:, free], torch.zeros(9), work.exact) else "there")
        require(
            not any(found),
            "a layer straight from the constructor moves points or reports a log-determinant other than zero: "
            "it does not start as the identity",
        )


@check("3.4", points=0.5)
def test_rows_are_independent(student, draw):
    """A point is mapped alike whether it comes alone or among others."""
    with precision(student) as work:
        points, found = draw.normal(7, 2, scale=2.0), []
        for name, _, layer in random_layers(student, draw, work):
            for direction, handle in (("forward", layer.forward), ("inverse", layer.inverse)):
                together = handle(points)
                parts = [handle(points[:4]), handle(points[4:])]
                for k, what in enumerate(("points", "log-determinants")):
                    apart = torch.cat([part[k] for part in parts])
                    found.append((name, direction, what, near(apart, together[k], work.exact)))
                observe(f"{name}, {direction}: halves agree with the whole", [item[3] for item in found[-2:]])
        for name, direction, what, same in found:
            require(
                same,
                f"{direction} of a layer that {name} coordinate: the {what} of a batch of 7 differ from those "
                "of the same points in batches of 4 and 3",
            )
        for name, _, layer in random_layers(student, draw, work):
            for direction, handle in (("forward", layer.forward), ("inverse", layer.inverse)):
                together = handle(points)
                alone = [handle(points[i : i + 1]) for i in range(7)]
                for k in range(2):
                    require(
                        near(torch.cat([one[k] for one in alone]), together[k], work.exact),
                        f"{direction} of a layer that {name} coordinate: a point alone (B = 1) is mapped otherwise "
                        "than among others",
                    )


@check("3.4", points=0.5)
def test_far_points_of_layer(student, draw):
    """Points up to 100,000 away stay finite, in both directions."""
    with precision(student) as work:
        points, found = draw.signs(24, 2) * 10.0 ** draw.uniform(24, 2, low=3, high=5), []
        for name, _, layer in random_layers(student, draw, work):
            answers = [*layer.forward(points), *layer.inverse(points)]
            good = all(bool(torch.isfinite(item).all()) for item in answers[::2])
            bounded = all(bool((item.abs() < 60).all()) for item in answers[1::2])
            found.append((name, good, bounded))
            observe(f"{name}: calm far away", good and bounded)
            close_by = [*layer.forward(points / 1e5), *layer.inverse(points / 1e5)]
            observe(f"{name}: calm near the origin", all(bool((item.abs() < 60).all()) for item in close_by))
        for name, good, bounded in found:
            where = f"layer that {name} coordinate, points 1,000 to 100,000 away"
            require(good, f"{where}: NaN or infinity among the points")
            require(bounded, f"{where}: a log-determinant beyond 60, so the layer stretches by more than e^60")


@check("3.4", points=0.5)
def test_far_points_of_flow(student, draw):
    """A fresh flow gives every point of the plane a finite log-density, 40 away as well."""
    with precision(student, "RealNVP") as work:
        points = draw.signs(12, 2) * draw.uniform(12, 2, low=5, high=40)
        flow = student.RealNVP()
        got = torch.as_tensor(flow.log_prob(work.cast(points)))
        good = observe("finite", bool(torch.isfinite(got).all()))
        observe("numbers", got.numel())
        close_by = torch.as_tensor(flow.log_prob(work.cast(points / 20)))
        observe("finite near the origin", bool(torch.isfinite(close_by).all()))
        require(good, "log_prob of RealNVP() is NaN or infinite at points 5 to 40 away from the origin")
