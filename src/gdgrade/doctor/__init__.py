"""What is amiss on this machine, and the command that mends it.

Nothing here imports torch, numpy or anything else that may be missing or broken: such packages are tried in processes
of their own.
"""

from gdgrade.doctor.finding import Finding
from gdgrade.doctor.visit import Visit, visit

__all__ = ["Finding", "Visit", "visit"]
