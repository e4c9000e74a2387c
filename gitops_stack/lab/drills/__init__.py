"""Drills: a living lab is broken on purpose and brought back by the commands of docs/recover.md, timed and proven."""
