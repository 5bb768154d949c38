"""
MNIST: ten thousand images, means and medians
=============================================

The 10,000 test images of MNIST, 28 x 28 pixels each. They are read from the folder that the
environment variable ``OMNIMEANS_DATA`` names; where there is none, scikit-learn's small digits
take their place, and the first line says so.
"""

import os
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

import omnimeans as om

if Path(os.environ.get("OMNIMEANS_DATA", "nowhere"), "mnist").is_dir():
    images = om.datasets.load("mnist-test")
    print("MNIST:", images.X.shape)
else:
    images = om.datasets.load("digits")
    print("OMNIMEANS_DATA holds no MNIST, so these are scikit-learn's digits:", images.X.shape)
X, digit, shape = images.X, images.y, images.image_shape

# %%
# Ten clusters, ten starts, the best one kept.

means = om.KMeans(n_clusters=10, n_init=10, random_state=0).fit(X)
print(f"inertia {means.inertia_:,.0f}, purity {om.purity_score(digit, means.labels_):.3f}")
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
_ = om.plots.centroid_images(means.cluster_centers_, shape, ax)

# %%
# Some digits share a cluster (4, 7 and 9 look alike, pixel by pixel), others have two.

_ = om.plots.contingency(om.contingency_matrix(digit, means.labels_))

# %%
# With city-block distances the centres are medians. The median of pixels that are white in most
# images is exactly white, so these centres have sharp edges. A centre that is nearly blank belongs
# to images that have little in common: where no pixel is black in half of them, the median is
# white.

medians = om.KMeans(n_clusters=10, metric="manhattan", random_state=0).fit(X)
print(f"sum of city-block distances {medians.inertia_:,.0f}")
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
_ = om.plots.centroid_images(medians.cluster_centers_, shape, ax)

# %%
# A hundred clusters tell ways of writing apart. Mini-batches find nearly as good ones, faster.

full, quick = om.KMeans(100, random_state=0), om.MiniBatchKMeans(100, random_state=0)
for model in (full, quick):
    began = perf_counter()
    model.fit(X)
    seconds = perf_counter() - began
    purity = om.purity_score(digit, model.labels_)
    print(f"inertia {model.inertia_:,.0f}, purity {purity:.3f}, {seconds:.2f} s")

order = np.argsort([np.bincount(digit[full.labels_ == j]).argmax() for j in range(100)])
fig, ax = plt.subplots(figsize=(12, 4.2), layout="constrained")
_ = om.plots.centroid_images(full.cluster_centers_[order], shape, ax, columns=20)
