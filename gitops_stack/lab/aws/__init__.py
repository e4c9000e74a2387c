"""AWS without AWS: the doubles a rehearsal runs the real engine against."""
