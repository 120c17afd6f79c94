"""The benchmark's assignment as an nbgrader course: source notebook, and hand-ins with the reference's answers.

python peers_notebook.py FOLDER COUNT        (run by benchmarks/batch.py with a Python that has nbgrader)
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

nbformat: Any = importlib.import_module("nbformat")  # neither module is typed
v4: Any = importlib.import_module("nbformat.v4")

REFERENCE = (Path(__file__).parent / "peers_course/reference/ex01_langevin/langevin.py").read_text()
SETUP = "import math\n\nimport numpy as np\nimport torch"
TESTS = {
    "score": (
        (
            "s = score(torch.zeros(5, 2), torch.tensor([[-1., 0.], [1., 0.]]), torch.tensor([.5, .8]), "
            "torch.tensor([.3, .7]))\nassert s.shape == (5, 2) and bool(torch.isfinite(s).all())"
        ),
        (
            "means = torch.tensor([[-1., .5], [1., 0.], [0., -2.]])\n"
            "stds, weights = torch.tensor([.5, .8, 1.3]), torch.tensor([.2, .5, .3])\n"
            "x = (torch.randn(64, 2) * 2).requires_grad_(True)\n"
            "squares = ((x[:, None] - means) ** 2).sum(-1)\n"
            "log_p = torch.logsumexp(torch.log(weights) - torch.log(2 * math.pi * stds ** 2)"
            " - squares / (2 * stds ** 2), dim=1)\n"
            "expected = torch.autograd.grad(log_p.sum(), x)[0]\n"
            "assert torch.allclose(score(x.detach(), means, stds, weights), expected, atol=1e-4)"
        ),
    ),
    "langevin_step": (
        (
            "out = langevin_step(torch.tensor([[1., 2.]]), lambda x: -x, 0.5, torch.zeros(1, 2))\n"
            "np.testing.assert_allclose(np.asarray(out), [[0.75, 1.5]], rtol=1e-5)"
        ),
        (
            "out = langevin_step(torch.tensor([[1., 2.]]), lambda x: -x, 0.25, torch.tensor([[1., -2.]]))\n"
            "torch.testing.assert_close(out, torch.tensor([[1.375, 0.75]]))"
        ),
    ),
    "sample": (
        (
            "a, b, c = (sample(lambda x: -x, 16, 5, 0.1, seed) for seed in (0, 0, 1))\n"
            "assert a.shape == (16, 2) and torch.equal(a, b) and not torch.equal(a, c)"
        ),
        (
            "z, variance = sample(lambda x: -x / 4, 2000, 6, 1.0, 3), 1.0\n"
            "for _ in range(6):\n    variance = (1 - 1 / 8) ** 2 * variance + 1\n"
            "assert float(z.mean(0).abs().max()) < 0.25\n"
            "assert abs(float((z**2).mean()) / variance - 1) < 0.12"
        ),
    ),
}


def cell(source: str, name: str, **fields: Any) -> Any:
    about = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False, **fields}
    return v4.new_code_cell(source, metadata={"nbgrader": {**about, "grade_id": name}})


def functions() -> dict[str, str]:
    """The reference's functions, by name."""
    found = re.findall(r"^def (\w+)\(.*?(?=^def |\Z)", REFERENCE, re.S | re.M)
    texts = re.split(r"^(?=def )", REFERENCE, flags=re.M)[1:]
    return dict(zip(found, (text.strip() for text in texts), strict=True))


def notebook(answers: dict[str, str], remark: str) -> Any:
    cells = [cell(SETUP, "setup", locked=True)]
    for name, (shown, hidden) in TESTS.items():
        cells.append(cell(f"{answers[name]}\n# {remark}", name, solution=True))
        cells.append(cell(shown, f"{name}_1", grade=True, locked=True, points=1))
        cells.append(cell(hidden, f"{name}_2", grade=True, locked=True, points=1))
    return v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def write(content: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, path)


def main(folder: Path, count: int) -> None:
    answers = functions()
    blank = {name: f"{text.splitlines()[0]}\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION"
             for name, text in answers.items()}  # fmt: skip
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'peers'\n")
    write(notebook(blank, "source"), folder / "source/langevin/langevin.ipynb")
    for number in range(count):
        place = folder / f"submitted/student{number:03}/langevin/langevin.ipynb"
        write(notebook(answers, f"hand-in {number}"), place)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
