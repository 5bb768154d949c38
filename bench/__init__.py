"""The benchmark: omnimeans beside its peers, on the same data, from the same start.

``python -m bench --help`` lists the options; ``bench/README.md`` explains them.
"""
