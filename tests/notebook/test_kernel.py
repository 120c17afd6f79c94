"""`%check` and `gdgrade.check` in a real kernel: what they show, what they leave alone, what they leave behind."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.manager import KernelManager

COURSE = Path(__file__).parents[1] / "cheats/courses/plain"
RIGHT = "def double(x):\n    return 2 * x"
APPLY = "def apply(f, x):\n    return f(f(x)) + 1"
SECONDS = 120
PID = "from gdgrade.notebook.engine import ENGINE\nprint(ENGINE._zygote._process.pid)"
EVIL = "<script>document.title = 1</script><img src=x onerror=alert(1)>"

Output = dict[str, Any]


class Kernel:
    """A kernel that runs cells, as a notebook does."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self._client = manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=SECONDS)

    def run(self, code: str, on_output: Callable[[Output], None] | None = None) -> list[Output]:
        """The outputs of a cell, as a notebook would hold them: an update takes the place of what it updates."""
        asked = self._client.execute(code)
        outputs: list[Output] = []
        while True:
            message = self._client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind == "update_display_data":
                mark = content["transient"]["display_id"]
                outputs = [{**o, **content} if o.get("transient", {}).get("display_id") == mark else o for o in outputs]
            elif kind in ("stream", "display_data", "execute_result", "error"):
                outputs.append({"kind": kind, **content})
                if on_output is not None:
                    on_output(outputs[-1])

    def shown(self, code: str) -> tuple[str, str]:
        """Text and HTML of a cell that must show a verdict, and nothing else."""
        (output,) = self.run(code)
        return output["data"]["text/plain"], output["data"]["text/html"]

    def line(self, code: str) -> str:
        """The one line that stands in place of a traceback."""
        outputs = [output for output in self.run(code) if output.get("data", {"text/plain": "?"}) != {"text/plain": ""}]
        (output,) = outputs
        assert output["kind"] == "error", output
        (line,) = output["traceback"]
        assert "\n" not in line
        return str(line)

    def printed(self, code: str) -> str:
        (output,) = self.run(code)
        assert output["name"] == "stdout"
        return str(output["text"])

    def close(self) -> None:
        self._client.stop_channels()
        self.manager.shutdown_kernel()


def start(folder: Path) -> Kernel:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GDGRADE_")}
    manager = KernelManager()
    manager.start_kernel(
        env={**environment, "GDGRADE_COURSE": str(COURSE), "IPYTHONDIR": str(folder / "ipython")}, cwd=str(folder)
    )
    return Kernel(manager)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    made = start(tmp_path_factory.mktemp("kernel"))
    made.run("%load_ext gdgrade")
    yield made
    made.close()


def test_right(kernel: Kernel) -> None:
    """Points and the word for it; nothing but the verdict appears, on no stream."""
    kernel.run(RIGHT)
    text, html = kernel.shown("%check 1.1")
    assert "1.1  Doubling" in text
    assert "4 / 4" in text
    assert 'class="badge passed"' in html
    assert "4 of 4 points" in html


def test_wrong_with_its_hint(kernel: Kernel) -> None:
    """The hint of a recognised mistake, and the line for the next try; hidden checks show no numbers."""
    text, html = kernel.shown("def double(x):\n    return 3 * x\n%check 1.1")
    for shown in (text, html):
        assert "How many times do you add the input?" in shown
        assert "%check ex01 --part 1.1" in shown
    assert "not yet right" in html
    assert "hidden numbers" in html
    assert html.count("<dt>expected</dt>") == 1


def test_the_function_shows_too(kernel: Kernel) -> None:
    """Under any of its spellings, also without the extension; and it tells programs what they need."""
    kernel.run(f"import gdgrade\n{RIGHT}")
    for call in ('check("ex01", part="1.1")', 'check("1.1")', 'check("ex01", "1.1", quick=True, seed=7)'):
        assert "4 of 4 points" in kernel.shown(f"gdgrade.{call}")[1]
    said = kernel.printed(
        'v = gdgrade.check("ex01", part="1.1")\nprint(v.passed, v.points, v.max_points, v.report.exercise.id)'
    )
    assert said == "True 4.0 4.0 ex01_target\n"


def test_a_whole_exercise(kernel: Kernel) -> None:
    """All parts; what is missing costs only its own points."""
    kernel.run(RIGHT)
    kernel.run(APPLY)
    text, html = kernel.shown("%check ex01")
    assert "6 of 8 points" in text
    assert html.count("<tr>") == 3
    assert "spread" in html


def test_text_of_the_student_is_inert(kernel: Kernel) -> None:
    """Markup in messages, prints and code is text."""
    _text, html = kernel.shown(f'def double(x):\n    print("{EVIL}")\n    raise ValueError("{EVIL}")\n%check 1.1')
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "cell" in html


def test_other_cells_do_not_matter(kernel: Kernel) -> None:
    """Failures, magics, shell lines, names of ours, a warning and a loop that runs."""
    kernel.run(RIGHT)
    for cell in (
        "1 / 0", "%matplotlib inline", "!true", "import warnings\nwarnings.warn('no')",
        "gdgrade = print = check = None",
        "import asyncio\nbusy = asyncio.get_running_loop().create_task(asyncio.sleep(1000))", "del print",
        "await asyncio.sleep(0)",
    ):  # fmt: skip
        kernel.run(cell)
    assert "4 of 4 points" in kernel.shown("%check 1.1")[1]
    assert "4 of 4 points" in kernel.shown("%check ex01 1.1")[1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%check", "name an exercise or a part"),
        ("%check ex01 1.1 1.2", "name an exercise or a part"),
        ("%check ex09", "no exercise is called 'ex09'"),
        ("%check 7.1", "no exercise has a part 7.1"),
        ("%check ex01 1.9", "its parts are 1.1, 1.2, 1.3"),
        ("%check 1.1 --fast", "no option --fast"),
        ("%check 1.1 --seed", "--seed needs a value"),
        ("%check 1.1 --seed x", "--seed is a whole number"),
        ("%check '1.1", "a quotation mark is not closed"),
        ("%check 1.1 --course /nowhere", "--course: /nowhere does not exist"),
        ("import gdgrade as g\ng.check(1.1)", "exercise and part are text"),
    ],
)
def test_wrong_usage(kernel: Kernel, line: str, words: str) -> None:
    """One line that says what is wrong, no traceback, nothing on stderr."""
    said = kernel.line(line)
    assert said.startswith("gdgrade: ")
    assert words in said


def test_help(kernel: Kernel) -> None:
    """`%check --help` prints examples."""
    assert "%check ex05 --plot" in kernel.printed("%check --help")


def test_the_helper_process_is_kept(kernel: Kernel) -> None:
    """One process serves all checks; it is no fork of the kernel."""
    kernel.run(RIGHT)
    kernel.shown("%check 1.1")
    first = kernel.printed(PID)
    kernel.shown("%check 1.2")
    assert kernel.printed(PID) == first
    assert "gdgrade.processes.start_zygote" in " ".join(psutil.Process(int(first)).cmdline())


def test_an_interrupt(kernel: Kernel) -> None:
    """The stop button ends a check, and the next one is not confused by it."""
    kernel.run("def double(x):\n    while True:\n        pass")

    def stop(output: Output) -> None:
        if output["kind"] == "display_data":
            kernel.manager.interrupt_kernel()

    outputs = kernel.run("%check 1.1", on_output=stop)
    assert [output["ename"] for output in outputs if output["kind"] == "error"] == ["KeyboardInterrupt"]
    kernel.run(RIGHT)
    assert "4 of 4 points" in kernel.shown("%check 1.1")[1]


NOWHERE = """\
import types

def truths(values):
    for value in values:
        if value is not None:
            if value:  # the jump back from here belongs to no line in Python 3.11
                yield value

def stop(*_arguments):
    running = truths([1])
    next(running)
    places = [2 * n for n, position in enumerate(truths.__code__.co_positions()) if position[0] is None]
    raise KeyboardInterrupt().with_traceback(types.TracebackType(None, running.gi_frame, (places or [0])[0], -1))
"""


def test_an_interrupt_between_two_lines(kernel: Kernel, tmp_path: Path) -> None:
    """IPython cannot format such a traceback; the notebook gets its error all the same."""
    kernel.run(RIGHT)
    (tmp_path / "nowhere.py").write_text(NOWHERE)
    kernel.run(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport nowhere")
    kernel.run("from gdgrade.notebook import checking\nkept = checking.load_course")
    kernel.run("checking.load_course = nowhere.stop")
    assert kernel.line("%check 1.1") == "gdgrade: interrupted; nothing was judged"
    assert kernel.line("import gdgrade\ngdgrade.check('1.1')") == "gdgrade: interrupted; nothing was judged"
    kernel.run("checking.load_course = kept")
    assert "4 of 4 points" in kernel.shown("%check 1.1")[1]


def test_a_lost_helper_process(kernel: Kernel) -> None:
    """When it was killed, the next check starts another."""
    kernel.run(RIGHT)
    kernel.shown("%check 1.1")
    lost = psutil.Process(int(kernel.printed(PID)))
    lost.kill()
    kernel.run("ENGINE._zygote._process.wait()")
    assert "4 of 4 points" in kernel.shown("%check 1.1")[1]


def test_figures_that_are_not_there(kernel: Kernel) -> None:
    """Said in the verdict, which is not lost."""
    text, html = kernel.shown("%check 1.1 --plot")
    assert "has no figures" in text
    assert "has no figures" in html
    assert "4 of 4 points" in html


PLOTS = """\
from matplotlib.figure import Figure


def figures(student, data, draw):
    figure = Figure()
    figure.subplots().plot(student.double(draw.normal(5)))
    return {"five_points": figure}
"""


def test_figures(kernel: Kernel, tmp_path: Path) -> None:
    """Drawn from the student's own functions, inside the output; a function that fails is named instead."""
    shutil.copytree(COURSE, tmp_path / "course")
    (tmp_path / "course/graders/ex01_target/plots.py").write_text(PLOTS)
    kernel.run(RIGHT)
    _text, html = kernel.shown(f"%check 1.1 --plot --course {tmp_path / 'course'}")
    assert '<img src="data:image/png;base64,iVBOR' in html
    assert 'alt="five points"' in html
    call = f'gdgrade.check("1.1", plot=True, course="{tmp_path / "course"}")'
    text, _html = kernel.shown(f"import gdgrade\ndef double(x):\n    return nothing\n{call}")
    assert "The figures need code that does not run yet: " in text
    assert "name 'nothing' is not defined" in text


def test_in_french(kernel: Kernel) -> None:
    """The language of the session is that of the verdict."""
    kernel.run(RIGHT)
    kernel.run("import os\nos.environ['GDGRADE_LANG'] = 'fr'")
    try:
        assert "4 points sur 4" in kernel.shown("%check 1.1")[1]
    finally:
        kernel.run("del os.environ['GDGRADE_LANG']")
    assert "4 of 4 points" in kernel.shown("%check 1.1")[1]


@pytest.mark.parametrize("killed", [False, True], ids=["restarted", "killed"])
def test_nothing_is_left_behind(tmp_path: Path, killed: bool) -> None:
    """The helper process ends with the kernel."""
    kernel = start(tmp_path)
    kernel.run(f"%load_ext gdgrade\n{RIGHT}")
    kernel.shown("%check 1.1")
    helper = psutil.Process(int(kernel.printed(PID)))
    if killed:
        kernel.manager.signal_kernel(9)
    kernel.close()
    assert psutil.wait_procs([helper], timeout=SECONDS) == ([helper], [])
