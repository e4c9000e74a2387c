"""What `make bench` runs: this project beside what one would write today, on the lab's API server."""
