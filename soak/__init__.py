"""Kill, starve and recover, at random and repeatable: `make soak KILLS=n SEED=s`."""
