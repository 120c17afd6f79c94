"""gdgrade inside a notebook: ``%load_ext gdgrade``, then ``%check 5.2`` or ``gdgrade.check("ex05", part="5.2")``.

    cells       what was run in this session, as a submission
    engine      the helper process that is kept between checks
    checking    ``check``
    verdict     what a check shows
    magic       ``%check``

The code is judged on the same road as by ``gdgrade check``: in confined workers, never in the notebook's own process.
"""
