"""Reports as JSON on a stream."""

import io

from gdgrade.report.jsonout import read_json, write_json
from gdgrade.report.model import Report


def test_a_stream_gets_the_json_and_nothing_else(mixed: Report) -> None:
    """What was written can be read back; compact on request."""
    stream = io.StringIO()
    write_json(mixed, stream)
    assert stream.getvalue() == mixed.to_json()
    stream.seek(0)
    assert read_json(stream) == mixed
    short = io.StringIO()
    write_json(mixed, short, indent=None)
    assert short.getvalue().count("\n") == 1
