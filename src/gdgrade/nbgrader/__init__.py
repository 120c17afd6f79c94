"""nbgrader keeps the people, the gradebook, the form grader and the feedback; gdgrade brings the verdicts.

Two roads lead from `submitted/` to the gradebook, and both give the same scores:

* plain `nbgrader autograde`, with `configure` in `nbgrader_config.py`: nbgrader converts one hand-in after the other,
  and a preprocessor of ours judges it where nbgrader would run it in a kernel;
* `gdgrade nbgrader grade`: the batch engine judges all hand-ins in parallel, then one process writes them down.

Modules, in the order of a course:

    answers       stub and reference -> set-up code and answer cells
    statement     README.md -> Markdown cells and the pictures they show
    source        an exercise -> its source notebook
    settings      what nbgrader is told; `nbgrader_config.py`
    mending       a handed-in notebook -> one that nbgrader can read
    verdicts      a report -> scores, outputs and comments of the notebook's cells
    judging       bytes of a notebook -> verdict
    preprocessors the steps that nbgrader calls
    gradebook     what is written into nbgrader's gradebook, and what is left alone
    grading       the second road

Only `preprocessors`, `gradebook` and `grading` import nbgrader.
"""

from gdgrade.nbgrader.settings import configure

__all__ = ["configure"]
