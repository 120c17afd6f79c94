"""Trying the layers on this machine: a throw-away worker, small attacks, and honest work as the control."""

from __future__ import annotations

import json
import os
import select
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gdgrade.confine.canaries import CANARIES, Scene, gets_through, honest_work
from gdgrade.confine.kernel import Kernel
from gdgrade.confine.layers import LAYERS
from gdgrade.confine.paths import default_readable
from gdgrade.confine.plan import prepare
from gdgrade.confine.policy import LayerReport, Limits, Mode, Policy, is_on
from gdgrade.confine.worker import confine

_LIMITS = Limits(cpu_seconds=10, memory_bytes=256 << 20, file_bytes=1 << 20, open_files=32)
_SECONDS = 20.0


def probe(
    policy_mode: Mode = "best", *, kernel: Kernel | None = None, max_abi: int | None = None
) -> tuple[LayerReport, ...]:
    """Apply the layers in a throw-away child, attack from inside, and report layer by layer.

    The same attacks also run in a child without confinement: only an attack that succeeds there says
    something about a layer. Never raises for a missing layer, whatever the mode; takes about 20 ms.

    Args:
        policy_mode: "strict" and "best" try everything; "none" shows what remains with --confine none.
        kernel: stands for the running kernel in tests.
        max_abi: as for `prepare`.
    """
    if not hasattr(os, "fork"):
        return tuple(LayerReport(name, False, "needs Linux", stops) for name, stops in LAYERS.items())
    with tempfile.TemporaryDirectory(prefix="gdgrade-probe-") as base:
        scene = _scene(Path(base))
        try:
            mode: Mode = "none" if policy_mode == "none" else "best"
            prepared = prepare(Policy(mode, default_readable(), _LIMITS), kernel=kernel, max_abi=max_abi)

            def confined(channel: int) -> dict[str, Any]:
                reached = confine(prepared, scratch=str(scene.scratch), keep_fds=[channel])
                work = honest_work(scene)  # first: a canary that fails may leave a mark
                return {"layers": dict(reached.layers), "work": work, "through": _through(scene)}

            free = _in_child(lambda channel: {"through": _through(scene)})
            seen = _in_child(confined)
        finally:
            os.close(scene.secret_fd)
    return _reports(free, seen)


def _scene(base: Path) -> Scene:
    private, outside, scratch = base / "private", base / "outside", base / "scratch"
    private.mkdir(0o700)
    outside.mkdir()
    scratch.mkdir(0o700)
    secret = private / "secret"
    secret.write_text("the answer", encoding="ascii")
    secret_fd = os.open(secret, os.O_RDONLY | os.O_CLOEXEC)
    base.chmod(0o711)  # so that only the private folder hides the secret
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    return Scene(secret, secret_fd, outside, scratch, os.getpid(), user, _LIMITS)


def _through(scene: Scene) -> list[str]:
    return [canary.what for canary in CANARIES if gets_through(canary, scene)]


def _in_child(work: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """Run `work` in a fork and return its answer, or {"error": ...}; the child is gone afterwards."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            try:
                answer = work(write)
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            os.write(write, json.dumps(answer).encode())  # far below a pipe's capacity
        finally:
            os._exit(0)
    os.close(write)
    try:
        ready, _, _ = select.select([read], [], [], _SECONDS)
        data = os.read(read, 1 << 16) if ready else b""
    finally:
        os.close(read)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if not data:
        return {"error": "the child was ended by the system" if ready else f"no answer in {_SECONDS:.0f} s"}
    answer = json.loads(data)
    assert isinstance(answer, dict)
    return answer


def _reports(free: dict[str, Any], seen: dict[str, Any]) -> tuple[LayerReport, ...]:
    broken = seen.get("error") or seen.get("work") or ""
    layers = seen.get("layers", {})
    rows = []
    for name, stops in LAYERS.items():
        if name == "forbidden":  # depends on the exercise, not on the machine
            continue
        state = layers.get(name, "off: not reached")
        if broken:
            rows.append(LayerReport(name, False, f"honest work failed in the confined child: {broken}", stops))
            continue
        if not is_on(state):
            rows.append(LayerReport(name, False, state.removeprefix("off: "), stops))
            continue
        rows.append(_judge(name, state.removeprefix("on").removeprefix(": "), free, seen))
    return tuple(rows)


def _judge(name: str, detail: str, free: dict[str, Any], seen: dict[str, Any]) -> LayerReport:
    attacks = [canary.what for canary in CANARIES if canary.layer == name]
    leaked = [what for what in attacks if what in seen["through"]]
    proven = [what for what in attacks if what in free.get("through", ()) and what not in leaked]
    said = [detail] if detail else []
    if leaked:
        said.append("got through: " + ", ".join(leaked))
    elif attacks:
        said.append(f"{len(proven)} of {len(attacks)} attacks stopped")
        if len(proven) < len(attacks):
            said[-1] += ", the rest fail here anyway"
    return LayerReport(name, not leaked, "; ".join(said), LAYERS[name])
