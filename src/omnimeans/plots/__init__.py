"""Pictures of clusters: functions that take plain arrays and an optional `ax` and return the ax.

Nothing is computed here beyond what a picture needs, and nothing is shown or saved: that is the
caller's choice.  Clusters differ by colour and by marker, and the colours are those that people
with any kind of colour vision can tell apart (M. Okabe and K. Ito, "Color universal design", 2008).
"""

from omnimeans._optional import in_notebook, need
from omnimeans.plots.clustergrams import clustergram
from omnimeans.plots.curves import convergence, elbow, sweep
from omnimeans.plots.film import animate
from omnimeans.plots.picture import picture
from omnimeans.plots.profiles import heatmap, parallel
from omnimeans.plots.quality import silhouette, sizes
from omnimeans.plots.regions import voronoi
from omnimeans.plots.scatter import clusters, points
from omnimeans.plots.sheets import centroid_images, contingency
from omnimeans.plots.steps import lloyd_steps

__all__ = [
    "animate",
    "centroid_images",
    "clustergram",
    "clusters",
    "contingency",
    "convergence",
    "elbow",
    "heatmap",
    "lloyd_steps",
    "parallel",
    "picture",
    "points",
    "silhouette",
    "sizes",
    "sweep",
    "use_svg_display",
    "voronoi",
]


def use_svg_display() -> None:
    """Show a notebook's pictures as SVG, which stays sharp at any size.

    Text stays text, which makes the notebook small and the pictures searchable.  Outside a notebook
    there is no inline picture, and nothing changes.

    Raises
    ------
    ImportError
        If the notebook's matplotlib backend is not installed.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.use_svg_display()
    """
    if in_notebook():
        need("matplotlib_inline.backend_inline", extra="notebook").set_matplotlib_formats("svg")
        need("matplotlib", extra="plot").rcParams["svg.fonttype"] = "none"
