"""gdgrade: grades numerical Python, check by check, without trusting the code it grades.

The package itself imports nothing: the command line answers before torch is loaded, and each part of the
engine imports what it needs when it needs it. Start reading at

* ``gdgrade.cli``: the commands;
* ``gdgrade.check``, ``%load_ext gdgrade``: the same inside a notebook;
* ``gdgrade.checks``: what the author of a check uses;
* ``gdgrade.data``: the data sets and toy densities of the course.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdgrade.notebook.checking import check
    from gdgrade.notebook.magic import load_ipython_extension, unload_ipython_extension

__version__ = "0.1.0"

__all__ = ["__version__", "check", "load_ipython_extension", "unload_ipython_extension"]

if not TYPE_CHECKING:  # the type checker sees the imports above, and no name that is not there

    def __getattr__(name):
        """What notebooks use, imported when it is asked for."""
        if name == "check":
            from gdgrade.notebook.checking import check

            return check
        if name in ("load_ipython_extension", "unload_ipython_extension"):
            from gdgrade.notebook import magic

            return getattr(magic, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
