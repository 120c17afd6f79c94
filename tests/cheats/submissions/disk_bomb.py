# cheat: fills the disk with one large file | points: 0 | needs: confinement
import os
def double(x):
    with open("big", "wb") as file:
        while True: file.write(b"x" * 10**7)
def apply(f, x): return x
def spread(x): return 0.0
