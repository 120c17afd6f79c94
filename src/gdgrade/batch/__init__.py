"""Grading many submissions: collect, grade, store, look at, export.

Nothing is imported here; import the module that you need:

    sources     folders and archives as one stream of files, archives read safely
    layouts     which student and exercise a file of Moodle, Canvas, Gradescope, nbgrader or a folder belongs to
    collect     ``collect(paths, course) -> Collection``
    store       ``Store``: one SQLite file with every run
    grading     what one task is, and how its result becomes a verdict
    run         ``grade_run``: threads over a pool of judges
    grades      ``grades(store, course)``: points after the late policy and what a person decided
"""
