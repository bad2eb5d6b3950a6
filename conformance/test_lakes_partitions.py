"""awswrangler on a table of the Glue Data Catalog that has partitions. See `sdk/python`."""

import sdks


def test_a_table_of_partitions_is_written_and_read(client, endpoint, name):
    client("s3").create_bucket(Bucket=name)
    assert sdks.run([*sdks.python("lake"), "partitions", "awswrangler", name], endpoint) == {"rows": 3000}
