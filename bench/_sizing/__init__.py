"""What a deployment needs, from what was measured: `measuring` fills in what other benchmarks do not say, `model` does the arithmetic."""
