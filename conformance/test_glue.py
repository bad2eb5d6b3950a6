"""The Glue Data Catalog through boto3 and the AWS CLI: databases, tables, their versions and their partitions."""

import pytest
from botocore.exceptions import ClientError

from headwater import Server


@pytest.fixture
def glue(client):
    return client("glue")


@pytest.fixture
def database(glue, name):
    """A database of the test's own."""
    database = name.lower()
    glue.create_database(DatabaseInput={"Name": database, "Description": "of a test"})
    return database


def of_columns(name, **types):
    columns = [{"Name": column, "Type": type_} for column, type_ in types.items()]
    return {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {"Columns": columns}}


def types_of(table):
    return {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}


def error_of(call):
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_databases(glue, database):
    found = glue.get_database(Name=database.upper())["Database"]
    assert (found["Name"], found["Description"], found["CatalogId"]) == (database, "of a test", "000000000000")
    again = error_of(lambda: glue.create_database(DatabaseInput={"Name": database.upper()}))
    assert again == ("AlreadyExistsException", "Database already exists.")
    glue.update_database(Name=database, DatabaseInput={"Name": database, "Parameters": {"a": "b"}})
    assert glue.get_database(Name=database)["Database"]["Parameters"] == {"a": "b"}
    pages = glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 1})
    assert database in [found["Name"] for page in pages for found in page["DatabaseList"]]
    glue.delete_database(Name=database)
    missing = error_of(lambda: glue.get_database(Name=database))
    assert missing == ("EntityNotFoundException", f"Database {database} not found.")


def test_tables(glue, database):
    given = of_columns("Trips", zone="string", fare="decimal(10,2)", stops="array<struct<at:timestamp>>")
    given["PartitionKeys"] = [{"Name": "day", "Type": "date"}]
    given["Parameters"] = {"classification": "parquet"}
    glue.create_table(DatabaseName=database, TableInput=given)
    table = glue.get_table(DatabaseName=database, Name="TRIPS")["Table"]
    assert (table["Name"], table["DatabaseName"], table["VersionId"]) == ("trips", database, "0")
    for member in ["StorageDescriptor", "PartitionKeys", "Parameters", "TableType"]:
        assert table[member] == given[member]
    assert error_of(lambda: glue.create_table(DatabaseName=database, TableInput=given))[0] == "AlreadyExistsException"
    glue.create_table(DatabaseName=database, TableInput=of_columns("other", a="int"))
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database, PaginationConfig={"PageSize": 1})
    assert [table["Name"] for page in pages for table in page["TableList"]] == ["other", "trips"]
    found = glue.get_tables(DatabaseName=database, Expression="tri.*")["TableList"]
    assert [table["Name"] for table in found] == ["trips"]
    glue.delete_table(DatabaseName=database, Name="trips")
    assert error_of(lambda: glue.get_table(DatabaseName=database, Name="trips"))[0] == "EntityNotFoundException"
    answer = glue.batch_delete_table(DatabaseName=database, TablesToDelete=["trips", "other"])
    assert [error["TableName"] for error in answer["Errors"]] == ["trips"]
    assert glue.get_tables(DatabaseName=database)["TableList"] == []


def test_versions(glue, database):
    glue.create_table(DatabaseName=database, TableInput=of_columns("t", a="int"))
    glue.update_table(DatabaseName=database, TableInput=of_columns("t", a="bigint"))
    glue.update_table(DatabaseName=database, TableInput=of_columns("t", a="string"), SkipArchive=True)
    stale = lambda: glue.update_table(DatabaseName=database, TableInput=of_columns("t", a="date"), VersionId="1")
    assert error_of(stale)[0] == "ConcurrentModificationException"
    pages = glue.get_paginator("get_table_versions").paginate(
        DatabaseName=database, TableName="t", PaginationConfig={"PageSize": 1}
    )
    versions = [version for page in pages for version in page["TableVersions"]]
    shown = [(version["VersionId"], types_of(version["Table"])["a"]) for version in versions]
    assert shown == [("2", "string"), ("0", "int")]
    version = glue.get_table_version(DatabaseName=database, TableName="t", VersionId="0")["TableVersion"]
    assert types_of(version["Table"]) == {"a": "int"}
    glue.delete_table_version(DatabaseName=database, TableName="t", VersionId="0")
    gone = lambda: glue.get_table_version(DatabaseName=database, TableName="t", VersionId="0")
    assert error_of(gone) == ("EntityNotFoundException", "Version not found.")


def test_what_is_not_built_says_so(glue, database):
    view = {"Name": "v", "ViewDefinition": {"IsProtected": True}}
    assert error_of(lambda: glue.create_table(DatabaseName=database, TableInput=view))[0] == "NotImplemented"
    tagged = lambda: glue.create_database(DatabaseInput={"Name": "x"}, Tags={"a": "b"})
    assert error_of(tagged)[0] == "NotImplemented"
    indexed = [{"Keys": ["a"], "IndexName": "i"}]
    table = of_columns("t", a="int")
    with_index = lambda: glue.create_table(DatabaseName=database, TableInput=table, PartitionIndexes=indexed)
    assert error_of(with_index)[0] == "NotImplemented"


@pytest.fixture
def partitioned(glue, database):
    """What names a table that is partitioned by year and month."""
    table = of_columns("trips", fare="double")
    table["PartitionKeys"] = [{"Name": "year", "Type": "string"}, {"Name": "month", "Type": "int"}]
    glue.create_table(DatabaseName=database, TableInput=table)
    return {"DatabaseName": database, "TableName": "trips"}


def of_values(*values):
    location = f"s3://lake/trips/{'/'.join(values)}/"
    columns = [{"Name": "fare", "Type": "double"}]
    return {"Values": list(values), "StorageDescriptor": {"Location": location, "Columns": columns}}


def values_of(glue, table, **wanted):
    pages = glue.get_paginator("get_partitions").paginate(**table, **wanted)
    return ["/".join(partition["Values"]) for page in pages for partition in page["Partitions"]]


def test_partitions(glue, partitioned):
    glue.create_partition(**partitioned, PartitionInput=of_values("2024", "1"))
    again = lambda: glue.create_partition(**partitioned, PartitionInput=of_values("2024", "1"))
    assert error_of(again) == ("AlreadyExistsException", "Partition already exists.")
    made = glue.batch_create_partition(
        **partitioned, PartitionInputList=[of_values("2024", "1"), of_values("2024", "2"), of_values("2023", "11")]
    )
    assert [(error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) for error in made["Errors"]] == [
        (["2024", "1"], "AlreadyExistsException")
    ]
    found = glue.get_partition(**partitioned, PartitionValues=["2024", "2"])["Partition"]
    assert found["StorageDescriptor"] == of_values("2024", "2")["StorageDescriptor"]
    assert (found["TableName"], found["CatalogId"]) == ("trips", "000000000000")
    short = lambda: glue.create_partition(**partitioned, PartitionInput=of_values("2024"))
    assert error_of(short)[1] == "The number of partition keys do not match the number of partition values"
    both = [{"Values": ["2024", "2"]}, {"Values": ["2024", "9"]}]
    answer = glue.batch_get_partition(**partitioned, PartitionsToGet=both)
    assert [partition["Values"] for partition in answer["Partitions"]] == [["2024", "2"]]
    anew = {**of_values("2024", "2"), "Parameters": {"rows": "3"}}
    glue.update_partition(**partitioned, PartitionValueList=["2024", "2"], PartitionInput=anew)
    entries = [{"PartitionValueList": ["2024", "9"], "PartitionInput": of_values("2024", "9")}]
    missing = glue.batch_update_partition(**partitioned, Entries=entries)["Errors"]
    assert missing[0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert glue.get_partition(**partitioned, PartitionValues=["2024", "2"])["Partition"]["Parameters"] == {"rows": "3"}
    glue.delete_partition(**partitioned, PartitionValues=["2024", "1"])
    gone = lambda: glue.get_partition(**partitioned, PartitionValues=["2024", "1"])
    assert error_of(gone) == ("EntityNotFoundException", "Cannot find partition.")
    errors = glue.batch_delete_partition(**partitioned, PartitionsToDelete=both)["Errors"]
    assert [error["PartitionValues"] for error in errors] == [["2024", "9"]]
    assert values_of(glue, partitioned) == ["2023/11"]
    assert glue.get_partition_indexes(**partitioned)["PartitionIndexDescriptorList"] == []


def test_batches_have_the_bounds_of_aws(client, partitioned):
    """The text as users quote it: https://github.com/dbt-labs/dbt-athena/issues/327."""
    glue = client("glue", parameter_validation=False)
    keys = [{"Values": [str(year)]} for year in range(26)]
    code, text = error_of(lambda: glue.batch_delete_partition(**partitioned, PartitionsToDelete=keys))
    assert code == "ValidationException"
    assert text.startswith("1 validation error detected: Value '[PartitionValueList(values=[0]), PartitionValueList(")
    bound = "failed to satisfy constraint: Member must have length less than or equal to"
    assert text.endswith(f"at 'partitionsToDelete' {bound} 25")
    inputs = [of_values(str(year), "1") for year in range(101)]
    code, text = error_of(lambda: glue.batch_create_partition(**partitioned, PartitionInputList=inputs))
    assert code == "ValidationException"
    assert text.endswith(f"at 'partitionInputList' {bound} 100")


def test_partitions_are_found_by_expressions(glue, partitioned):
    inputs = [of_values(year, month) for year in ["2023", "2024"] for month in ["1", "2", "10"]]
    glue.batch_create_partition(**partitioned, PartitionInputList=inputs)
    for expression, expected in [
        ("year = '2024' AND month < 10", ["2024/1", "2024/2"]),
        ("month IN (10) and not year = '2024'", ["2023/10"]),
        ("(month BETWEEN 2 AND 9 OR month > 9) AND year LIKE '%3'", ["2023/10", "2023/2"]),
        ("year <> '2023' AND month IS NOT NULL AND month >= 2", ["2024/10", "2024/2"]),
        ("month IS NULL", []),
    ]:
        assert values_of(glue, partitioned, Expression=expression) == expected
        paged = values_of(glue, partitioned, Expression=expression, PaginationConfig={"PageSize": 1})
        assert paged == expected
    for expression, text in [
        ("day = 1", "Invalid partition expression!"),
        ("month = 'May'", '"May" is not an integer.'),
        ("month LIKE '1%'", "Integral data type doesn't support operation 'LIKE'"),
        ("month = 1 AND", "Unsupported expression 'month = 1 AND'"),
    ]:
        refused = error_of(lambda: glue.get_partitions(**partitioned, Expression=expression))
        assert refused == ("InvalidInputException", text)


def test_many_partitions_come_in_pages_and_go_with_their_table(glue, partitioned):
    """The calls that awswrangler makes for a partitioned dataset, of more partitions than an answer holds."""
    names = [f"{year:04}" for year in range(2500)]
    for at in range(0, len(names), 100):
        inputs = [of_values(year, "1") for year in names[at : at + 100]]
        assert glue.batch_create_partition(**partitioned, PartitionInputList=inputs)["Errors"] == []
    first = glue.get_partitions(**partitioned, ExcludeColumnSchema=True)
    assert len(first["Partitions"]) == 1000
    assert first["Partitions"][0]["StorageDescriptor"] == {"Location": "s3://lake/trips/0000/1/"}
    assert values_of(glue, partitioned) == [f"{year}/1" for year in names]
    shares = [
        values_of(glue, partitioned, Segment={"SegmentNumber": number, "TotalSegments": 3}) for number in range(3)
    ]
    assert sorted(value for share in shares for value in share) == [f"{year}/1" for year in names]
    table = glue.get_table(DatabaseName=partitioned["DatabaseName"], Name="trips")["Table"]
    glue.delete_table(DatabaseName=partitioned["DatabaseName"], Name="trips")
    given = {key: table[key] for key in ["Name", "StorageDescriptor", "PartitionKeys"]}
    glue.create_table(DatabaseName=partitioned["DatabaseName"], TableInput=given)
    assert values_of(glue, partitioned) == []


def test_tags_of_a_database(glue, database):
    arn = f"arn:aws:glue:us-east-1:000000000000:database/{database}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}


def test_the_command_line_reads_tables(server, glue, database):
    glue.create_table(DatabaseName=database, TableInput=of_columns("t", a="int"))
    shown = server.aws("glue", "get-table", "--database-name", database, "--name", "t")
    assert types_of(shown["Table"]) == {"a": "int"}


def test_tables_outlive_a_kill(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        glue = server.client("glue")
        glue.create_database(DatabaseInput={"Name": "d"})
        glue.create_table(DatabaseName="d", TableInput=of_columns("t", a="int"))
        glue.update_table(DatabaseName="d", TableInput=of_columns("t", a="bigint"))
        server.restart()
        versions = server.client("glue").get_table_versions(DatabaseName="d", TableName="t")["TableVersions"]
        assert [types_of(version["Table"])["a"] for version in versions] == ["bigint", "int"]
    finally:
        server.stop()
