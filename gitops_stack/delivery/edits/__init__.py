"""Change one value in a text people wrote, and nothing else: bytes outside of the change stay as they are. Pure.

Every edit is made at the value's position in the text, then the result is parsed again and held against what was
intended. What cannot be changed that way (a value shared by an anchor, for instance) is refused with a sentence.
"""
