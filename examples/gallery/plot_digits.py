"""
Digits: centres that are pictures
=================================

1,797 handwritten digits of 8 x 8 pixels. A centre is the mean of the images in its cluster, so it
is an image itself.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import omnimeans as om

X, digit = load_digits(return_X_y=True)
model = om.KMeans(n_clusters=10, n_init=10, random_state=0).fit(X)
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
_ = om.plots.centroid_images(model.cluster_centers_, (8, 8), ax)

# %%
# Most clusters are a digit. The numbers of the clusters mean nothing; which digit each of them
# holds is seen in the contingency matrix:

_ = om.plots.contingency(om.contingency_matrix(digit, model.labels_))

# %%
# Some digits are written in two ways, and some look alike. With 30 clusters the ways come apart,
# and the clusters become purer. (With a cluster for each image the purity would be 1, so compare
# only equal numbers of clusters.)

finer = om.KMeans(n_clusters=30, n_init=10, random_state=0).fit(X)
for fit in (model, finer):
    labels = fit.labels_
    print(
        f"k = {fit.n_clusters}: purity {om.purity_score(digit, labels):.3f}, "
        f"homogeneity {om.metrics.homogeneity_score(digit, labels):.3f}, "
        f"completeness {om.metrics.completeness_score(digit, labels):.3f}"
    )
fig, ax = plt.subplots(figsize=(10, 3.4), layout="constrained")
_ = om.plots.centroid_images(finer.cluster_centers_, (8, 8), ax, columns=10)

# %%
# The fit began with rows that k-means++ drew, and each iteration lowered the inertia.

_ = om.plots.convergence(model.history_)

# %%
# The rows nearest to a centre are typical, those farthest from it are odd. A report names both.

seen = om.report(model, X)
fig, axes = plt.subplots(2, 5, figsize=(8, 3.6), layout="constrained")
for column, cluster in enumerate(seen.clusters[:5]):
    for ax, example in zip(
        axes[:, column], (cluster.exemplars[0], cluster.outliers[0]), strict=True
    ):
        ax.imshow(np.reshape(X[example.row], (8, 8)), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    axes[0, column].set_title(f"cluster {cluster.label}")
axes[0, 0].set_ylabel("typical")
_ = axes[1, 0].set_ylabel("odd")
