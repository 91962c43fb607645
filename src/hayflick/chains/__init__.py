"""Recursive-training families: parameters, sufficient statistic and estimators, one per file."""
