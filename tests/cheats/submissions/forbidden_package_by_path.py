# cheat: loads a forbidden package from its files | points: 0 | needs: confinement
import importlib.util, sys, sysconfig, os
lib = sysconfig.get_path("purelib")
spec = importlib.util.spec_from_file_location("networkx", os.path.join(lib, "networkx", "__init__.py"), submodule_search_locations=[os.path.join(lib, "networkx")])
module = importlib.util.module_from_spec(spec)
sys.modules["networkx"] = module
spec.loader.exec_module(module)
def double(x): return 2 * x
def apply(f, x): return f(f(x)) + 1
def spread(x): return x.max() - x.min()
