"""What a pull request would change, as one Markdown comment per stack.

Pure but for the files it is told to read: engine events, rendered manifests and findings go in, text comes out. Who
posts it is ``gitops_stack.forge``'s business. Everything read here may come from a fork and is treated as data: nothing
is executed, every text is escaped, every length is bounded.
"""
