"""The colours of clusters, everywhere: people with any kind of colour vision can tell them apart.

M. Okabe and K. Ito, "Color universal design" (2008), without black, and with vermilion left for
centres.
"""

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")
