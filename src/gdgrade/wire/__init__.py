"""The wire between judge and worker: framed JSON headers plus raw array bytes.

Nothing that comes from a worker is unpickled, evaluated or trusted: `frames` bounds and delimits the bytes,
`values` rebuilds plain data from them.
"""
