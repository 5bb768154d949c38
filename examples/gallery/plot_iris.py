"""
Iris: clusters, classes, and how well they agree
================================================

150 flowers of three species, four measurements each. The clusters are found without the species,
and then compared with them.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

import omnimeans as om

iris = load_iris(as_frame=True)
X, species = iris.data, iris.target_names[iris.target]

model = om.KMeans(n_clusters=3, random_state=0).fit(X)
print(f"inertia {model.inertia_:.4f} after {model.n_iter_} iterations: {model.stop_reason_}")

# %%
# A report reads the clustering. Four features do not fit into the plane, so the map shows the two
# directions along which the flowers differ most.

seen = om.report(model, X, species)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
om.plots.clusters(seen, ax=left)
_ = om.plots.silhouette(seen, ax=right)

# %%
# One cluster stands apart; the other two touch. What sets them apart is the length and the width
# of the petals, which lie farthest from the mean of all flowers, in standard deviations:

_ = om.plots.heatmap(seen)

# %%
# The contingency matrix counts the species in each cluster. Setosa is found without a fault;
# versicolor and virginica overlap.

om.contingency_matrix(species, model.labels_, as_dataframe=True)

# %%
# *Purity* is the share of flowers that belong to the commonest species of their cluster. The *Rand
# index* is the share of pairs of flowers that clusters and species treat alike, and the *adjusted*
# Rand index is 0 for chance. They are different scores with different values.

print(f"purity              {om.purity_score(species, model.labels_):.3f}")
print(f"Rand index          {om.rand_index(species, model.labels_):.3f}")
print(f"adjusted Rand index {om.metrics.adjusted_rand_index(species, model.labels_):.3f}")

# %%
# Would the data themselves have asked for three clusters? A sweep tries one to ten.

tried = om.sweep(X, range(1, 11), random_state=0)
print(tried.verdict)

fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
for ax, score in zip(axes, ("inertia", "silhouette", "calinski_harabasz"), strict=True):
    om.plots.sweep(tried, score, ax=ax)

# %%
# Three of six scores ask for two clusters: setosa, and the rest. Calinski-Harabasz asks for three,
# and two scores for more still. Both views are true of these flowers: the verdict names the votes,
# and its confidence is only fair.
