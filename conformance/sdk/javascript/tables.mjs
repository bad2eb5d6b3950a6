// DynamoDB through the JavaScript SDK v3 and its client of documents: node tables.mjs <name>
// The endpoint comes from AWS_ENDPOINT_URL.

import assert from "node:assert/strict";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as documents from "@aws-sdk/lib-dynamodb";

const TableName = process.argv[2];
const client = new dynamodb.DynamoDBClient({ maxAttempts: 1 });
const tables = documents.DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

await client.send(new dynamodb.CreateTableCommand({
  TableName,
  AttributeDefinitions: [{ AttributeName: "p", AttributeType: "S" }, { AttributeName: "s", AttributeType: "N" }],
  KeySchema: [{ AttributeName: "p", KeyType: "HASH" }, { AttributeName: "s", KeyType: "RANGE" }],
  BillingMode: "PAY_PER_REQUEST",
}));
await dynamodb.waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 30 }, { TableName });

const Key = { p: "a", s: 1 };
const Item = { ...Key, text: "ä", list: [1, { deep: null }], yes: true, bytes: Uint8Array.of(0, 255), set: new Set(["x"]) };
await tables.send(new documents.PutCommand({ TableName, Item }));
assert.deepEqual((await tables.send(new documents.GetCommand({ TableName, Key }))).Item, Item);
const { Attributes } = await tables.send(new documents.UpdateCommand({
  TableName, Key, UpdateExpression: "SET #t = :t ADD n :n", ReturnValues: "UPDATED_NEW",
  ExpressionAttributeNames: { "#t": "text" }, ExpressionAttributeValues: { ":t": "b", ":n": 2.5 },
}));
assert.deepEqual(Attributes, { text: "b", n: 2.5 });
const taken = new documents.PutCommand({
  TableName, Item: Key, ConditionExpression: "attribute_not_exists(p)", ReturnValuesOnConditionCheckFailure: "ALL_OLD",
});
await assert.rejects(tables.send(taken), (error) =>
  error instanceof dynamodb.ConditionalCheckFailedException && error.Item.text.S === "b");

for (let first = 0; first < 120; first += 20) {
  const puts = Array.from({ length: 20 }, (_, n) => ({ PutRequest: { Item: { p: "b", s: first + n, even: n % 2 === 0 } } }));
  await tables.send(new documents.BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
}
const pages = documents.paginateQuery({ client: tables, pageSize: 17 }, {
  TableName, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": "b" },
});
const found = [];
for await (const page of pages) found.push(...page.Items);
assert.deepEqual(found.map(({ s }) => s), Array.from({ length: 120 }, (_, n) => n));

const check = { TableName, Key: { p: "none", s: 0 }, ConditionExpression: "attribute_exists(p)" };
const transaction = { TransactItems: [{ Delete: { TableName, Key } }, { ConditionCheck: check }] };
await assert.rejects(tables.send(new documents.TransactWriteCommand(transaction)), (error) =>
  error instanceof dynamodb.TransactionCanceledException
  && error.CancellationReasons.map(({ Code }) => Code).join() === "None,ConditionalCheckFailed");
await tables.send(new documents.TransactWriteCommand({ TransactItems: [{ Delete: { TableName, Key } }] }));
assert.equal((await tables.send(new documents.GetCommand({ TableName, Key }))).Item, undefined);
await client.send(new dynamodb.DeleteTableCommand({ TableName }));
await assert.rejects(client.send(new dynamodb.DescribeTableCommand({ TableName })), dynamodb.ResourceNotFoundException);
console.log(JSON.stringify({ items: found.length }));
process.exit(0);
