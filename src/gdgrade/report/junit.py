"""Reports as JUnit XML, for the many tools that read it.

One ``testsuite`` per part, one ``testcase`` per check. Failed checks are ``failure``, of whatever cause; what
grader or machine kept from being judged is ``error``, also where the check was only skipped for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET  # only to write; nothing is parsed here

from gdgrade.report.model import CheckResult, Report
from gdgrade.report.wording import points_of

# What XML 1.0 cannot hold, not even as a reference. The model escapes control characters already; a second
# look here keeps the file well-formed whatever a later field brings.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report, *, show_hidden: bool = False) -> str:
    """The report as an XML document with a declaration and a newline at the end.

    Args:
        report: as assembled.
        show_hidden: details of hidden checks, for staff.
    """
    report = report if show_hidden else report.redacted()
    root = ET.Element("testsuites", _counts(report.checks, f"gdgrade {report.exercise.id}"))
    for part in report.parts:
        checks = [check for check in report.checks if check.part == part.id]
        if not checks:
            continue
        suite = ET.SubElement(root, "testsuite", _counts(checks, _xml(f"{part.id} {part.title}")))
        for check in checks:
            _case(suite, report, check)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _counts(checks: Sequence[CheckResult], name: str) -> dict[str, str]:
    tags = [_tag(check) for check in checks]
    return {
        "name": name,
        "tests": str(len(checks)),
        "failures": str(tags.count("failure")),
        "errors": str(tags.count("error")),
        "skipped": str(tags.count("skipped")),
        "time": _seconds(sum(check.timings.seconds or 0.0 for check in checks)),
    }


def _tag(check: CheckResult) -> str | None:
    if check.undecided:
        return "error"
    return {"passed": None, "failed": "failure", "skipped": "skipped", "error": "error"}[check.outcome]


def _case(suite: ET.Element, report: Report, check: CheckResult) -> None:
    name = check.id.removeprefix(f"{report.exercise.id}/")
    case = ET.SubElement(
        suite,
        "testcase",
        # Dots would be read as packages, so part 5.2 becomes 5_2.
        classname=_xml(f"{report.exercise.id}.{check.part.replace('.', '_')}"),
        name=_xml(name),
        time=_seconds(check.timings.seconds or 0.0),
    )
    tag = _tag(check)
    if tag is not None:
        attributes = {"message": _xml(_reason(check).split("\n", 1)[0])}
        if tag != "skipped":
            attributes["type"] = check.cause
        ET.SubElement(case, tag, attributes).text = _xml(_details(check))
    if check.output:
        ET.SubElement(case, "system-out").text = _xml(check.output)


def _reason(check: CheckResult) -> str:
    if check.message:
        return check.message
    return f"waits for {', '.join(check.waits_for)}" if check.waits_for else check.title


def _details(check: CheckResult) -> str:
    lines = [check.title, points_of(check.points, check.max_points), _reason(check)]
    if check.expected is not None:
        lines.append(f"expected: {check.expected}")
    if check.got is not None:
        lines.append(f"got: {check.got}")
    if check.hint:
        lines.append(f"hint: {check.hint}")
    lines += [f"{frame.file}:{frame.line} {frame.function}  {frame.code}" for frame in check.traceback]
    return "\n".join(lines)


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
