"""The week's sample of calls, as people score it: drawn with known probabilities, handed out, recorded and estimated from."""
