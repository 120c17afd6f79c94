# cheat: reads the file of the secret seed | points: 0 | needs: confinement
import os
found = []
def look(path):
    try:
        with open(path, "rb") as file: found.append(repr(file.read(200_000)))
    except Exception as error: pass
look("@@SECRET@@")
def double(x): raise ValueError("found: " + "".join(found)[:1500])
apply = lambda f, x: double(x)
spread = double
