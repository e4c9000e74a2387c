"""Where an image stands in each kind of file, and how it is changed there. Pure; `gitops_stack.edits` edits."""
