"""Change what is meant in a text people wrote, and nothing else: every other byte stays. Pure.

The one editor of stack files, kustomizations, values, manifests and kubeconfigs. Every edit is made at the value's
position in the text, then the result is parsed again and held against what was intended. What cannot be changed that
way (a value shared by an anchor, for instance) is refused with a sentence.
"""
