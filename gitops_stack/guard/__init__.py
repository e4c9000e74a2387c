"""What a run would take away, worked out before its first write: whose cluster this is, and what would be lost.

Pure judgements, the reads they need, and the two dynamic resources through which the engine asks them in previews,
updates and destroys (docs/adr/0012). Registering these resources is left to ``components``.
"""
