"""
Places on a map: GPS points in float32
======================================

60,000 stops of delivery bikes around eight depots, as latitude and longitude. They are drawn here,
and kept in float32, as they often come from a device or a file.
"""

import matplotlib.pyplot as plt
import numpy as np

import omnimeans as om

rng = np.random.default_rng(0)
depots = np.column_stack([rng.uniform(48.82, 48.90, 8), rng.uniform(2.26, 2.41, 8)])
depot = rng.integers(0, 8, 60_000)
stops = np.float32(depots[depot] + rng.normal(0, 1, (60_000, 2)) * [0.003, 0.0045])
print(stops[:3], stops.dtype)

# %%
# A degree of longitude is shorter than a degree of latitude, here by a third. For distances in
# metres on the ground, the degrees are turned into kilometres first.

km = np.float32(stops * [111.2, 111.2 * np.cos(np.radians(48.86))])
model = om.KMeans(n_clusters=8, n_init=5, random_state=0).fit(km)
print(f"{np.sqrt(model.inertia_ / len(km)) * 1000:.0f} m from a centre, in the root mean square")
print(f"agreement with the depots: {om.metrics.adjusted_rand_index(depot, model.labels_):.3f}")

fig, ax = plt.subplots(figsize=(7, 5), layout="constrained")
om.plots.voronoi(model.cluster_centers_[:, ::-1], km[:4000, ::-1], model.labels_[:4000], ax=ax)
_ = ax.set(xlabel="kilometres east", ylabel="kilometres north", title="the area of each depot")

# %%
# These numbers are large (5,430 km from the equator) and their differences small, which is hard
# for float32: the usual short formula :math:`\lVert x \rVert^2 - 2\,x \cdot c + \lVert c \rVert^2`
# loses nearly all digits. omnimeans centres the rows first and proves its labels, so the clusters
# are those of the same numbers in float64:

exact = om.KMeans(8, init=model.initial_centers_, n_init=1).fit(km.astype(np.float64))
print("same labels as in float64:", np.mean(model.labels_ == exact.labels_))

short = (km**2).sum(1)[:, None] - 2 * km @ model.cluster_centers_.T
short += (model.cluster_centers_**2).sum(1)
print("same labels by the short formula:", np.mean(short.argmin(1) == model.labels_))

# %%
# New stops go to their depot, one by one or all together, with the same result.

print(model.predict(km[:5]), model.labels_[:5])

# %%
# City-block distances suit a town whose streets run north to south and east to west. The centres
# are then medians, and the borders have bends.

blocks = om.KMeans(n_clusters=8, metric="manhattan", init=model.cluster_centers_).fit(km)
fig, ax = plt.subplots(figsize=(7, 5), layout="constrained")
east_north = blocks.cluster_centers_[:, ::-1]
om.plots.voronoi(east_north, km[:4000, ::-1], blocks.labels_[:4000], metric="manhattan", ax=ax)
_ = ax.set(xlabel="kilometres east", ylabel="kilometres north", title="by city-block distance")
