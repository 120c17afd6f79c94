# cheat: reads the reference from the course folder | points: 0 | needs: confinement
import os
found = []
def look(path):
    try:
        with open(path, "rb") as file: found.append(repr(file.read(200_000)))
    except Exception as error: pass

for root, folders, files in os.walk("@@COURSE@@"):
    for name in files: look(os.path.join(root, name))
look("@@COURSE@@/reference/ex01_target/target.py")

def double(x): raise ValueError("found: " + "".join(found)[:1500])
apply = lambda f, x: double(x)
spread = double
