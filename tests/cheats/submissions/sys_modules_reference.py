# cheat: looks for the reference among loaded modules | points: 0
import sys
hits = [m for n, m in sys.modules.items() if n.startswith(("gdgrade_reference", "gdgrade_mistakes")) or hasattr(m, "SECRET_OF_REFERENCE")]
if hits: double = hits[0].double; apply = hits[0].apply; spread = hits[0].spread
else:
    def double(x): raise ValueError("no reference in memory")
    apply = spread = double
