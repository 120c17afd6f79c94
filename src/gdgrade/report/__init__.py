"""Reports: plain frozen data about one graded submission, and its renderers.

Nothing is imported here, so that the command line stays light; import the module that you need:

    model     ``Report``, ``CheckResult`` and their JSON schema
    assembly  ``assemble(exercise, results, ...) -> Report``
    text      ``clean_text``: makes text of a student inert
    terminal  ``render``, ``print_report``
    junit     ``to_junit``
    jsonout   ``write_json``, ``read_json``
    wording   sentences that renderers share
"""
