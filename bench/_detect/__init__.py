"""The published simulator of classifiers that decay, break or stay as they are; bench/detect.py runs it."""
