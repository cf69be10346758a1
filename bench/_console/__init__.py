"""What bench/console.py measures, a module for each part."""
