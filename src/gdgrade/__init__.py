"""gdgrade: grades numerical Python, check by check, without trusting the code it grades.

The package itself imports nothing: the command line answers before torch is loaded, and each part of the
engine imports what it needs when it needs it. Start reading at

* ``gdgrade.cli``: the commands;
* ``gdgrade.checks``: what the author of a check uses;
* ``gdgrade.data``: the data sets and toy densities of the course.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
