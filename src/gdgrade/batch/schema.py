"""Tables of the store, as steps: step n brings a store of version n - 1 to version n. Steps are never edited.

| table | one row per |
| --- | --- |
| runs | `gdgrade batch`: when, which course revision, with which options, how it ended |
| files | distinct handed-in file: SHA-256, kind (`py`, `ipynb`), bytes (zlib) |
| hand_ins | student and exercise of a run: whose, which file, when handed in, which verdict |
| refused | file of a run that was not taken: path, reason |
| verdicts | grading of a distinct file: the key, the report's JSON (zlib), or what kept it from being judged |
| manual | decision of a person about a student and an exercise: points, reason |
| extensions | days granted to a student |
| recordings | raw answers of the worker behind a verdict (zlib) |

The key of a verdict: course revision, exercise, SHA-256 of the file, seeds (the public one and the secret one's
fingerprint), version of the engine, digest of the checks' and the reference's files, and how (full or quick).
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, state TEXT NOT NULL DEFAULT 'open',
    course TEXT NOT NULL, revision TEXT NOT NULL, engine TEXT NOT NULL, options TEXT NOT NULL DEFAULT '{}');
CREATE TABLE files (sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs(id), key TEXT NOT NULL, revision TEXT NOT NULL,
    exercise TEXT NOT NULL, sha256 TEXT NOT NULL, seeds TEXT NOT NULL, engine TEXT NOT NULL, checks TEXT NOT NULL,
    how TEXT NOT NULL, made_at TEXT NOT NULL, seconds REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 1,
    report BLOB, problem TEXT NOT NULL DEFAULT '');
CREATE INDEX verdicts_by_key ON verdicts(key);
CREATE INDEX verdicts_by_file ON verdicts(sha256, exercise);
CREATE TABLE hand_ins (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs(id), student TEXT NOT NULL, name TEXT NOT NULL,
    exercise TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT, problem TEXT NOT NULL DEFAULT '', submitted TEXT,
    time_source TEXT NOT NULL DEFAULT '', identifiers TEXT NOT NULL DEFAULT '{}', layout TEXT NOT NULL DEFAULT '',
    verdict INTEGER REFERENCES verdicts(id), UNIQUE (run, student, exercise));
CREATE INDEX hand_ins_by_student ON hand_ins(student, exercise);
CREATE INDEX hand_ins_by_file ON hand_ins(run, exercise, sha256);
CREATE TABLE refused (run INTEGER NOT NULL REFERENCES runs(id), path TEXT NOT NULL, reason TEXT NOT NULL,
    student TEXT NOT NULL DEFAULT '');
CREATE TABLE manual (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, student TEXT NOT NULL, exercise TEXT NOT NULL,
    adjust REAL NOT NULL DEFAULT 0, points REAL, why TEXT NOT NULL);
CREATE TABLE extensions (student TEXT NOT NULL, exercise TEXT NOT NULL DEFAULT '', days REAL NOT NULL,
    PRIMARY KEY (student, exercise)) WITHOUT ROWID;
"""

_SECOND = """
CREATE TABLE recordings (verdict INTEGER PRIMARY KEY REFERENCES verdicts(id), data BLOB NOT NULL);
ALTER TABLE verdicts ADD COLUMN replayed INTEGER REFERENCES verdicts(id);
"""

# packages, separated by commas, for want of which checks of a verdict were skipped
_THIRD = """
ALTER TABLE verdicts ADD COLUMN missing TEXT NOT NULL DEFAULT '';
"""

STEPS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD)
VERSION = len(STEPS)
