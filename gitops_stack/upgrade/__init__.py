"""What a newer release or version will meet in one stack, said before anything is written."""
