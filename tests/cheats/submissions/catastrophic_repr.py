# cheat: names and messages of a hundred megabytes | points: 0
class E(Exception):
    def __str__(self): return "x" * 10**8
def double(x): raise E()
def apply(f, x): raise ValueError("y" * 10**7)
def spread(x):
    return type("Z" * 10**6, (), {})()
