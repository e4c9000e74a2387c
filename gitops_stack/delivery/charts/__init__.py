"""Which source of an Application is which chart, and what another version of it changes."""
