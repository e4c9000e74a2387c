"""Pure builders of what AWS is asked for: CIDR blocks, policy documents, lifecycle rules, image references.

Plain values in, plain data out; imports the errors alone. What registers them with Pulumi is in ``components``.
"""
