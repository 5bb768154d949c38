"""
Customers: a table with units
=============================

A table as a shop might have it: age in years, income in euros, visits in a month, share of
purchases made online. It is drawn here, from four groups of customers, so that we know what there
is to be found.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omnimeans as om

rng = np.random.default_rng(0)
groups = {  # age, income, visits, share online
    "students": (24, 14_000, 2, 0.8, 400),
    "families": (41, 46_000, 9, 0.3, 700),
    "well-off": (52, 92_000, 4, 0.5, 250),
    "retired": (70, 27_000, 7, 0.1, 350),
}
tables = []
for age, income, visits, online, count in groups.values():
    columns = {
        "age": rng.normal(age, 4, count).round().clip(18),
        "income": (income * rng.lognormal(0, 0.15, count)).round(-2),
        "visits": rng.normal(visits, 1.5, count).round().clip(0),
        "online": rng.normal(online, 0.08, count).clip(0, 1).round(2),
    }
    tables.append(pd.DataFrame(columns))
customers = pd.concat(tables, ignore_index=True)
truth = np.repeat(list(groups), [group[-1] for group in groups.values()])
customers.describe().round(2)

# %%
# The income has by far the largest numbers. Left as they are, the other columns have no say, and a
# report warns:

raw = om.KMeans(n_clusters=4, random_state=0).fit(customers)
for warning in om.report(raw, customers).warnings:
    print(f"{warning.code}: {warning.text}")
print(f"agreement with the groups: {om.metrics.adjusted_rand_index(truth, raw.labels_):.2f}")

# %%
# So each column is divided by its standard deviation first. The pipeline keeps the scale and the
# model together.

pipeline = make_pipeline(StandardScaler(), om.KMeans(n_clusters=4, random_state=0)).fit(customers)
labels = pipeline[-1].labels_
print(f"agreement with the groups: {om.metrics.adjusted_rand_index(truth, labels):.2f}")

# %%
# Four clusters were asked for because we know the groups. Had we not, a sweep would have told:

print(om.sweep(StandardScaler().fit_transform(customers), range(1, 11), random_state=0).verdict)

# %%
# The report describes the clusters in the units of the table, whatever the scale inside.

seen = om.report(pipeline, customers, truth)
centers = pd.DataFrame(seen.centers, columns=customers.columns).round(2)
centers.insert(0, "customers", [cluster.size for cluster in seen.clusters])
centers

# %%
# What makes each group what it is: the centres in standard deviations from the mean of all
# customers.

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
om.plots.heatmap(seen, ax=left)
_ = om.plots.parallel(seen, ax=right)

# %%
# And how they match the groups that were drawn:

om.contingency_matrix(truth, labels, as_dataframe=True)
