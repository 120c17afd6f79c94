"""The course: its manifest, its exercises, and the files that students hand in.

Nothing is imported here, so that the command line stays light; import the module that you need:

    manifest    frozen models of ``course.yml``
    loading     ``load_course(path) -> Course``
    lookup      ``find_course``, ``resolve_exercise``
    seeds       ``grading_seed``, ``derive``
    late        ``penalty``
    submission  ``read_submission``
    notebook, magics, statements, definitions  what of a notebook is judged
    errors      ``CourseError``, ``SubmissionError``
"""
