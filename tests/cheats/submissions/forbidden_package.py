# cheat: delegates to a package that the exercise forbids | points: 0
import sympy
def double(x): return 2 * x
