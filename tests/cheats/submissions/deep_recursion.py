# cheat: recursion without end, with the limit raised | points: 0
import sys
sys.setrecursionlimit(10**9)
def double(x): return double(x)
def apply(f, x): return x
def spread(x): return 0.0
