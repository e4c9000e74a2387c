"""What the API server validates in code, as tables and functions by API type. Pure."""
