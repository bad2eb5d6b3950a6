"""The Glue Data Catalog through boto3 and the AWS CLI: databases, tables and their versions."""

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
    with pytest.raises(ClientError):
        glue.get_partitions(DatabaseName=database, TableName="t")


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
