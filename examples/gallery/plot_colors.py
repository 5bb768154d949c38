"""
Colour quantisation: a photograph in a few colours
==================================================

Each pixel is a row of three numbers. Clustering them and painting every pixel in the colour of its
centre gives the photograph in k colours.
"""

import matplotlib.pyplot as plt
import numpy as np

import omnimeans as om

photo = om.datasets.load("china")
pixels, shape = photo.X, photo.image_shape
print(f"{len(pixels):,} pixels, {shape[1]} x {shape[0]}")

fig, axes = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
om.plots.picture(pixels.reshape(shape), "96,615 colours", ax=axes[0, 0])
for ax, k in zip(axes.flat[1:], (64, 16, 4), strict=True):
    model = om.KMeans(n_clusters=k, random_state=0).fit(pixels)
    painted = model.cluster_centers_[model.labels_].reshape(shape)
    root = np.sqrt(model.inertia_ / len(pixels))
    om.plots.picture(painted, f"{k} colours, {root:.3f} off", ax=ax)

# %%
# How far off is a pixel, on average? Twice as many colours divide the error by about the same
# number every time: there is no elbow, since colours in a photograph form no groups. Here k is a
# matter of what the picture is for.

ks = [2, 4, 8, 16, 32, 64, 128, 256]
fits = [om.KMeans(n_clusters=k, random_state=0).fit(pixels) for k in ks]
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.loglog(ks, [np.sqrt(fit.inertia_ / len(pixels)) for fit in fits], "o-", base=2)
_ = ax.set(xlabel="number of colours", ylabel="root mean square error")

# %%
# Many pixels have the same colour. Counted first, and clustered with the counts as weights, they
# are fewer rows with the same answer: from the same start, the same bits.

colors, counts = np.unique(pixels, axis=0, return_counts=True)
start = fits[3].initial_centers_
weighted = om.KMeans(16, init=start).fit(colors, sample_weight=counts)
print(f"{len(colors):,} colours instead of {len(pixels):,} pixels")
print("same centres:", np.array_equal(weighted.cluster_centers_, fits[3].cluster_centers_))

# %%
# The sixteen colours, from the commonest to the rarest.

palette = om.KMeans(16, init=start, sort_labels="size").fit(colors, sample_weight=counts)
fig, ax = plt.subplots(figsize=(9, 1.1), layout="constrained")
ax.imshow(palette.cluster_centers_[None], aspect="auto")
_ = ax.set_axis_off()
