"""The retraining trigger of a plan: when it holds, what it sets off, and what is on the books about it."""
