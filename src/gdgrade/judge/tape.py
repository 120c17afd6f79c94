"""The tape: recorded answers of the reference and of the known mistakes, for a course that has neither.

A student's package holds no solution. What the public checks need of it was recorded when the package was made: the
result of every call of the reference, found again by function and arguments, and what each mistake shows in each check.
Files: ``tape/<exercise>/tape.json``, a tree of plain data, and ``tape.npz``, the arrays in it, as bytes. An array that
is there many times, as most of what mistakes show is what others show, is written once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gdgrade.failures import GraderError
from gdgrade.judge.diagnosis import Diagnostician, Rerun
from gdgrade.judge.gradients import intercepted, marked
from gdgrade.judge.matching import kind_of, same_run
from gdgrade.judge.shipping import RemoteObject
from gdgrade.judge.student import Notebook, Observation, RemoteThing
from gdgrade.mistakes import Mistake
from gdgrade.wire.values import ArrayData, Decoder, Encoder, to_library

VERSION = 2
DIGITS = 9  # of the arguments by which an answer is found: float32's rounding tells two calls apart, float64's does not


@dataclass
class CheckTape:
    """What was recorded of one check.

    Attributes:
        calls: key of a call -> its results, in order; gradients: of `torch.autograd.grad` through those results.
        notebooks: mistake -> what the check saw of it, for mistakes that fail it.
    """

    calls: dict[str, list[Any]] = field(default_factory=dict)
    gradients: list[Any] = field(default_factory=list)
    notebooks: dict[str, Notebook] = field(default_factory=dict)


@dataclass
class Tape:
    """The recordings of one exercise: by check, and the mistakes without their code."""

    seed: int
    checks: dict[str, CheckTape] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)


class TapeReference:
    """Stands where checks expect the reference module, and answers from the tape.

    Args:
        tape: of the exercise.
        running: gives the short name of the running check and an object that is another one for each run.
    """

    def __init__(self, tape: Tape, running: Callable[[], tuple[str, object]]) -> None:
        self._tape, self._running = tape, running
        self._run: object = None
        self._played: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._attribute(name)

    def _attribute(self, path: str) -> Any:
        found = self._check().calls
        if f"{path}=" in found:
            return found[f"{path}="][0]
        return TapeCall(self, path)

    def _check(self) -> CheckTape:
        short, run = self._running()
        if run is not self._run:
            self._run, self._played = run, {}
        if short not in self._tape.checks:
            raise GraderError("this check needs the reference, which a student's package does not have")
        return self._tape.checks[short]

    def _play(self, path: str, args: Any, kwargs: Any) -> Any:
        key = f"{path}({digest((args, kwargs))})"
        answers = self._check().calls.get(key)
        if answers is None:
            raise GraderError("what your answer would have to be is not in the package; it is judged when you hand in")
        number = min(self._played.get(key, 0), len(answers) - 1)
        self._played[key] = number + 1
        return self._answer(answers[number])

    def _answer(self, value: Any) -> Any:
        if isinstance(value, RecordedObject):
            return TapeCall(self, value.path)
        if isinstance(value, tuple | list):
            return type(value)(self._answer(item) for item in value)
        return marked(value) if getattr(value, "requires_grad", False) else value


class TapeCall:
    """A recorded function or object: callable, and with recorded attributes."""

    def __init__(self, reference: TapeReference, path: str) -> None:
        self._reference, self._path = reference, path

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._reference._play(self._path, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._reference._attribute(f"{self._path}.{name}")


@dataclass(frozen=True)
class RecordedObject:
    """An object of the reference that a call gave: a name for what its own calls gave."""

    path: str


class TapeDiagnostician(Diagnostician):
    """Names mistakes by what was recorded of them."""

    recorded: Tape

    def __init__(self, tape: Tape, reference: Path, exercise: str) -> None:
        super().__init__(reference, reference, exercise)
        self.recorded = tape
        self._mistakes = tape.mistakes

    def warm_up(self) -> None:
        """Everything is in memory."""

    def explain(self, rerun: Rerun, seen: Notebook, short: str) -> list[Mistake]:
        check = self.recorded.checks.get(short)
        if check is None:
            return []
        return [
            mistake
            for mistake in self.mistakes
            if mistake.name in check.notebooks and same_run(seen, check.notebooks[mistake.name])
        ]

    def reference_passes(self, rerun: Rerun) -> bool:
        """It did when the tape was recorded, on these very inputs."""
        return True

    def candidates(self, names: set[str], short: str) -> Iterator[Mistake]:
        check = self.recorded.checks.get(short, CheckTape())
        return (mistake for mistake in self.mistakes if mistake.name in check.notebooks)


def played_gradients(tape: Tape, short: str) -> AbstractContextManager[None]:
    """Inside the block, gradients through recorded answers come from the tape, in the order of recording."""
    recorded = iter(tape.checks[short].gradients if short in tape.checks else ())

    def play(original: Any, args: Any, kwargs: Any) -> Any:
        found = next(recorded, None)
        if found is None:
            raise GraderError("this gradient is not in the package; it is judged when you hand in")
        return found

    return intercepted(play)


# ---- finding a call again


def digest(value: Any) -> str:
    """A key of nested arguments; functions and objects all count as the same."""
    state = hashlib.sha256()
    _update(state, value)
    return state.hexdigest()[:20]


def _update(state: Any, value: Any) -> None:
    if isinstance(value, list | tuple):
        state.update(f"[{len(value)}".encode())
        for item in value:
            _update(state, item)
    elif isinstance(value, dict):
        for name in sorted(value, key=str):
            state.update(f"{name}=".encode())
            _update(state, value[name])
    elif isinstance(value, str | bool | type(None)):
        state.update(repr(value).encode())
    elif isinstance(value, int | float | complex | np.ndarray | np.generic) or hasattr(value, "detach"):
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        state.update(str(array.shape).encode() + _rounded(array))
    else:
        state.update(b"object")


def _rounded(array: np.ndarray[Any, Any]) -> bytes:
    """The numbers to `DIGITS` significant digits, as bytes."""
    if array.dtype.kind not in "f":
        return array.astype(complex).tobytes() if array.dtype.kind in "buic" else b""
    wide = array.astype(np.float64)
    finite = np.where(np.isfinite(wide) & (wide != 0), wide, 1.0)
    exponent = np.floor(np.log10(np.abs(finite)))
    mantissa = np.round(finite / 10.0**exponent * 10.0 ** (DIGITS - 1))
    special = np.where(np.isfinite(wide), np.sign(wide), np.nan_to_num(wide, nan=7.0, posinf=8.0, neginf=9.0))
    return b"".join(part.astype(np.float64).tobytes() for part in (mantissa, exponent, special))


# ---- files


def write_tape(tape: Tape, folder: Path, *, compressed: bool = True) -> None:
    """Write tape.json and tape.npz."""
    encoder = Encoder(_special)
    checks = {
        short: {
            "calls": [[key, [encoder.encode(value) for value in values]] for key, values in check.calls.items()],
            "gradients": [encoder.encode(value) for value in check.gradients],
            "notebooks": {name: _notebook_tree(encoder, notebook) for name, notebook in check.notebooks.items()},
        }
        for short, check in tape.checks.items()
    }
    fields = ("name", "of", "title", "hint", "kind")
    mistakes = [{name: getattr(mistake, name) for name in fields} for mistake in tape.mistakes]
    head = {"version": VERSION, "seed": tape.seed, "mistakes": mistakes, "checks": checks}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tape.json").write_text(json.dumps(head, ensure_ascii=True, separators=(",", ":")), encoding="utf-8")
    places: dict[bytes, int] = {}
    which = np.array([places.setdefault(bytes(blob), len(places)) for blob in encoder.blobs], dtype=np.int64)
    sizes = np.array([len(blob) for blob in places], dtype=np.int64)
    data = np.frombuffer(b"".join(places), dtype=np.uint8)
    save = np.savez_compressed if compressed else np.savez
    save(folder / "tape.npz", data=data, sizes=sizes, which=which)


def read_tape(folder: Path, library: str) -> Tape:
    """Read what `write_tape` wrote; arrays as those of `library`.

    Raises:
        GraderError: the files are missing or not a tape of this version.
    """
    try:
        head = json.loads((folder / "tape.json").read_text(encoding="utf-8"))
        with np.load(folder / "tape.npz", allow_pickle=False) as arrays:
            data, sizes, which = arrays["data"].tobytes(), arrays["sizes"], arrays["which"]
    except (OSError, ValueError, KeyError) as error:
        raise GraderError(f"the recorded answers of {folder.name} cannot be read: {error}") from error
    if head.get("version") != VERSION:
        raise GraderError(f"the recorded answers of {folder.name} are of another version of gdgrade")
    ends = np.cumsum(sizes)
    different = [data[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    blobs = [different[place] for place in which]

    def array(found: ArrayData) -> Any:
        value = to_library(found, library)
        return value.requires_grad_(True) if found.grad and hasattr(value, "requires_grad_") else value

    special = {"handle": _object, "recorded": lambda node: RecordedObject(str(node["path"]))}

    def decoded(tree: Any) -> Any:
        return Decoder(blobs, array, special).decode(tree)

    checks = {
        short: CheckTape(
            {key: [decoded(value) for value in values] for key, values in entry["calls"]},
            [decoded(value) for value in entry["gradients"]],
            {name: _notebook(decoded, tree) for name, tree in entry["notebooks"].items()},
        )
        for short, entry in head["checks"].items()
    }
    mistakes = [Mistake(**entry, checks=None, function=_no_code, factory=False) for entry in head["mistakes"]]
    return Tape(int(head["seed"]), checks, mistakes)


def _no_code(*_: Any) -> None:
    raise GraderError("a student's package holds no mistakes' code")


def _special(encoder: Encoder, value: Any) -> Any:
    if isinstance(value, RecordedObject):
        return {"!": "recorded", "path": value.path}
    if isinstance(value, RemoteObject):
        return {"!": "handle", "id": 0, "type": value._type}
    return {"!": "opaque", "type": type(value).__name__[:200], "why": "not recorded"}


def _object(node: dict[str, Any]) -> RemoteThing:
    return RemoteThing(None, 0, str(node["type"]))  # type: ignore[arg-type] # compared by its type alone


def _notebook_tree(encoder: Encoder, notebook: Notebook) -> dict[str, Any]:
    def rows(entries: list[Observation]) -> list[Any]:
        return [[e.name, e.dtype, encoder.encode(e.value), ":".join(kind_of(e.error)), e.rtol] for e in entries]

    # Where a check made observations of its own, nothing else is ever compared: results may be whole networks.
    return {"seen": [] if notebook.features else rows(notebook.seen), "features": rows(notebook.features)}


def _notebook(decoded: Callable[[Any], Any], tree: dict[str, Any]) -> Notebook:
    def entries(rows: list[Any]) -> list[Observation]:
        return [Observation(name, dtype, decoded(value), error, rtol) for name, dtype, value, error, rtol in rows]

    return Notebook(entries(tree["seen"]), entries(tree["features"]))
