"""The instructor's kit: prove an exercise, make a new one, release it to students, look at a class's results.

Nothing is imported here, so that the command line stays light; import the module that you need:

    planted      planted right and wrong answers and what their first lines promise
    soundness    ``examine(course, exercise, ...) -> Verdict``: everything that `author check` proves
    mutants      automatic mutants of a reference;  junk: answers that are none
    scaffold     ``create(course, name, title)``: a new exercise from the template
    release      ``release(course, out)``: what students get
    items        item analysis of a class's reports
"""
