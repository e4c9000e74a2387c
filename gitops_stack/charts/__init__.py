"""Charts kept in the repository: pulled by helm, unpacked to charts/NAME/VERSION, and locked by digest.

Applications, and whether a chart renders, are not looked at here.
"""
