"""Part 3.1: the mathematics of one affine coupling layer, on random weights and for both masks."""

import torch
from flow_judging import label, largest, log_det_label, near, precision, random_layers, verdict
from flow_probes import jacobian_forward, jacobian_inverse, trainable_masks

from gdgrade.checks import CheckFailed, StudentError, check, observe, require

POINTS = 25


@check("3.1", points=0.5)
def test_shapes(student, draw):
    """Both directions return points (B, 2) and one log-determinant per point (B,), and leave their argument alone."""
    with precision(student) as work:
        points = draw.normal(7, 2)
        changed = []
        for _, _, layer in random_layers(student, draw, work):
            for direction, handle in (("forward", layer.forward), ("inverse", layer.inverse)):
                handle(points)
                changed.append(bool(student.mutated))
                observe(f"{direction} changes its argument", changed[-1])
        require(
            not any(changed),
            "a direction of the layer overwrites the points it was given; the caller still needs them",
        )


@check("3.1", points=0.5)
def test_kept_coordinate(student, draw):
    """The coordinate with mask 1 passes unchanged in both directions, and the other one is changed."""
    with precision(student) as work:
        points, found = draw.normal(POINTS, 2, scale=1.5), []
        for name, kept, layer in random_layers(student, draw, work):
            for direction, handle in (("forward", layer.forward), ("inverse", layer.inverse)):
                moved = [not near(handle(points)[0][:, j], points[:, j], work.exact) for j in range(2)]
                observe(f"{name}, {direction}: kept and free coordinate move", [moved[kept], moved[1 - kept]])
                found.append((name, direction, moved[kept], moved[1 - kept]))
            observe(f"{name}: trainable masks", student.run(trainable_masks, layer.fresh()))
        for name, direction, kept_moves, free_moves in found:
            require(not kept_moves, f"{direction} of a layer that {name} coordinate changes that coordinate")
            require(
                free_moves,
                f"{direction} of a layer that {name} coordinate leaves the other one unchanged as "
                "well, with every weight randomised",
            )


@check("3.1", points=0.5)
def test_triangular(student, draw):
    """The Jacobian is triangular: kept coordinates do not feel free ones, free ones feel both."""
    with precision(student) as work:
        points, found = draw.normal(POINTS, 2), []
        for name, kept, layer in random_layers(student, draw, work):
            for direction, function in (("forward", jacobian_forward), ("inverse", jacobian_inverse)):
                jacobian = layer.jacobian(function, points)
                seen = {
                    "kept by kept is one": near(jacobian[:, kept, kept], torch.ones(POINTS), work.exact),
                    "kept by free is zero": near(jacobian[:, kept, 1 - kept], torch.zeros(POINTS), work.exact),
                    "free by kept is not": not near(jacobian[:, 1 - kept, kept], torch.zeros(POINTS), work.exact),
                    "free by free is not": bool((jacobian[:, 1 - kept, 1 - kept].abs() > 1e-6).all()),
                }
                found += [(name, direction, what, holds) for what, holds in seen.items()]
                observe(f"{name}, {direction}", list(seen.values()))
                others = points.clone()
                others[:, kept] += 1.0
                before, after = (layer.positions(direction, at)[:, 1 - kept] for at in (points, others))
                follows = not near(after, before, 1e-6)  # in value, whatever autograd says
                observe(f"{name}, {direction}: free follows kept", follows)
                found.append((name, direction, "graph", seen["free by kept is not"] or not follows))
        messages = {
            "kept by kept is one": "the kept coordinate is not passed on as it is",
            "kept by free is zero": "the kept coordinate depends on the free one",
            "free by kept is not": "the free coordinate does not depend on the kept one",
            "free by free is not": "the free coordinate does not depend on its own value",
            "graph": "the free coordinate moves with the kept one, but its gradient is zero: nothing on the way may be "
            "under torch.no_grad() or detached",
        }
        for name, direction, what, holds in sorted(found, key=lambda entry: entry[2] != "graph"):
            require(holds, f"Jacobian of {direction}, layer that {name} coordinate: {messages[what]}")


@check("3.1", points=0.5)
def test_affine(student, draw):
    """With the kept coordinate fixed, the free one is mapped along a straight, rising line."""
    with precision(student) as work:
        kept_values, free_values, found = draw.normal(40, scale=2.0), torch.linspace(-2.0, 2.0, 5), []
        for name, kept, layer in random_layers(student, draw, work):
            lines = torch.empty(40, 5, 2, dtype=torch.float64)
            lines[:, :, kept], lines[:, :, 1 - kept] = kept_values[:, None], free_values
            lines = layer.forward(lines.reshape(-1, 2))[0].reshape(40, 5, 2)
            x, kept_x = lines[:, :, 1 - kept], lines[:, :, kept]
            slopes = x[:, 1:] - x[:, :-1]
            straight = near(slopes, slopes[:, :1].expand(-1, 4), 1e3 * work.exact)
            rising = bool((x[:, -1] > x[:, 0]).all())
            various = float(slopes[:, 0].std()) > 1e-6
            observe(f"{name}: straight, rising, different by kept value", [straight, rising or not straight, various])
            observe(f"{name}: kept coordinate stays", near(kept_x, kept_values[:, None].expand(-1, 5), work.exact))
            found.append((name, straight, rising, various))
        for name, straight, rising, various in found:
            where = f"layer that {name} coordinate, kept value fixed"
            require(
                straight,
                f"{where}: the free coordinate is not mapped along a straight line, so its scale or its "
                "shift depends on the coordinate itself",
            )
            require(rising, f"{where}: the scale of the free coordinate is negative or zero at some points")
            require(various, f"{where}: the scale is the same for all kept values, with every weight randomised")


@check("3.1", points=1)
def test_log_det_forward(student, draw):
    """The log-determinant of forward equals the one that autograd measures at the same points."""
    check_log_det(student, draw, "forward")


@check("3.1", points=0.5)
def test_log_det_inverse(student, draw):
    """The log-determinant of inverse equals the one that autograd measures at the same points."""
    check_log_det(student, draw, "inverse")


def check_log_det(student, draw, direction):
    """Returned log-determinants of one direction against log |det| of the Jacobian, for both masks."""
    with precision(student) as work:
        points, found = draw.normal(POINTS, 2, scale=1.5), []
        for name, _, layer in random_layers(student, draw, work):
            answers = {"forward": layer.forward(points), "inverse": layer.inverse(points)}
            for way, function in (("forward", jacobian_forward), ("inverse", jacobian_inverse)):
                try:
                    jacobian = layer.jacobian(function, points)
                except (CheckFailed, StudentError):
                    if way == direction:
                        raise
                    continue  # not the direction that is judged here
                got, right = answers[way][1], torch.linalg.slogdet(jacobian)[1]
                named = log_det_label(got, right, 10 * work.exact)
                observe(f"{name}: log-determinant of {way} is", named)  # both: which of them is wrong tells the cause
                if way == direction:
                    found.append((name, named, largest(got, right)))
            observe(f"{name}: comes back", near(layer.inverse(answers["forward"][0])[0], points, work.exact))
        for name, named, gap in found:
            require(
                verdict([named]),
                f"{direction} of a layer that {name} coordinate: the log-determinant is not that "
                f"of the Jacobian ({gap})",
            )


@check("3.1", points=1)
def test_round_trip(student, draw):
    """inverse undoes forward and forward undoes inverse, to 1e-10, for points of size 1 to 10."""
    with precision(student) as work:
        points = torch.cat([draw.normal(POINTS, 2), draw.normal(5, 2, scale=10.0)])
        found = []
        for name, kept, layer in random_layers(student, draw, work):
            z_back = layer.inverse(layer.forward(points)[0])[0]
            back, _ = layer.inverse(points)
            x_back = layer.forward(back)[0]
            observe(f"{name}: free coordinate of inverse is", inverse_label(layer, points, back, kept, work))
            good = near(z_back, points, work.exact), near(x_back, points, work.exact)
            found.append((name, *good, z_back, x_back))
            observe(f"{name}: comes back", list(good))
        for name, z_good, x_good, z_back, x_back in found:
            where = f"layer that {name} coordinate"
            require(z_good, f"{where}: inverse(forward(z)) is not z ({largest(z_back, points)})")
            require(x_good, f"{where}: forward(inverse(x)) is not x ({largest(x_back, points)})")


def inverse_label(layer, points, back, kept, work):
    """How ``inverse`` treats the free coordinate, in terms of scale and shift as ``forward`` shows them."""
    free = 1 - kept
    at = points.clone()
    at[:, free] = 0.0
    shift = layer.forward(at)[0][:, free]
    at[:, free] = 1.0
    scale = layer.forward(at)[0][:, free] - shift
    x, got = points[:, free], back[:, free]
    softened = (x - shift) / got - scale  # constant if a number was added to the scale
    added = softened.median()
    return label(
        got,
        10 * work.exact,
        right=(x - shift) / scale,
        x_over_scale_minus_shift=x / scale - shift,
        x_minus_shift_times_scale=(x - shift) * scale,
        x_plus_shift_over_scale=(x + shift) / scale,
        forward_again=x * scale + shift,
        softened=(x - shift) / (scale + added) if 1e-9 < abs(float(added)) < 0.1 else None,
    )
