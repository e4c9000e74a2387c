"""What a stack can leave behind in its account: one module per family of resources, each a list of `Kind`."""
