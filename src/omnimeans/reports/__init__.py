"""Reading a clustering: one record that says what the clusters are and how far to trust them."""

from omnimeans.reports._build import report
from omnimeans.reports.record import Report

__all__ = ["Report", "report"]
