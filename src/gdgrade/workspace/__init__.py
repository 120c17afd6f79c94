"""A student's folder of a course: made from a release, its progress, the next thing to write, hints and resets.

Everything here works on files and plain data; the commands are in `gdgrade.cli`.
"""
