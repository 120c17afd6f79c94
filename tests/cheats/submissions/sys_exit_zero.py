# cheat: leaves with exit status 0 when the file is loaded | points: 0
import sys
sys.exit(0)
