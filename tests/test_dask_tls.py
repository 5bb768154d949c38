"""An encrypted cluster: certificates are the user's Dask settings, and are passed through."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
import pytest

import omnimeans as om
from checks import assert_same_answer
from clusters import PATIENCE, Cluster


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_tls(tmp_path: Path) -> None:
    from distributed import Client, Security

    made = Security.temporary()  # a certificate that signs itself
    files = {"ca-file": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    paths = {name: tmp_path / f"{name}.pem" for name in files}
    for name, text in files.items():
        paths[name].write_text(text)
    given = {name.replace("-", "_"): str(path) for name, path in paths.items()}
    security = Security(
        tls_ca_file=given["ca_file"],
        tls_client_cert=given["cert"],
        tls_client_key=given["key"],
        require_encryption=True,
    )
    X = np.random.default_rng(0).normal(size=(3000, 4)).astype(np.float32)
    whole = om.KMeans(5, random_state=0).fit(X)
    with Cluster(tmp_path, workers=2, tls=paths) as cluster:
        assert cluster.address.startswith("tls://")
        with Client(cluster.address, security=security, timeout=PATIENCE) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            rows = da.from_array(X, chunks=(700, -1))
            assert_same_answer(om.KMeans(5, random_state=0).fit(rows), whole)
            assert_same_answer(om.KMeans(5, random_state=0, engine=client).fit(X), whole)
