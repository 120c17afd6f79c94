# cheat: imports the graders and the reference as modules | points: 0 | needs: confinement
import sys
sys.path[:0] = ["@@COURSE@@/reference/ex01_target", "@@COURSE@@/graders/ex01_target"]
try:
    from target import *
    import target
    found = target.SECRET_OF_REFERENCE
except Exception as error:
    raise ImportError("no reference to be had")
