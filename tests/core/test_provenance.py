import json

import hayflick
from hayflick.core.reproducibility import provenance


def test_the_record_survives_json_and_repeats_itself():
    record = provenance({"generations": 50}, seed=7)
    assert json.loads(json.dumps(record)) == record == provenance({"generations": 50}, seed=7)
    assert record["version"] == hayflick.__version__
    assert record["environment"]["numpy"]
