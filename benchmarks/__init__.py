"""Experiments behind every figure that coterie states; run them as ``python -m benchmarks.accuracy`` and so on."""
