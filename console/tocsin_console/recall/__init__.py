"""The recall list of an incident."""
