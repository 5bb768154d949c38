"""The colours of clusters, everywhere: people with any kind of colour vision can tell them apart.

M. Okabe and K. Ito, "Color universal design" (2008), without black, and with vermilion left for
centres.
"""

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")


def ink_on(color: str) -> str:
    """Return black or white, whichever stands out more on a colour (WCAG 2, contrast ratio)."""
    levels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


INKS = tuple(map(ink_on, COLORS))
