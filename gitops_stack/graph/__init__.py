"""A stack at a glance: its applications with their waves, projects, sources and clusters, as data and as pictures.

Pure: what is drawn was loaded by whoever asks.
"""
