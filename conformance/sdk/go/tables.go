package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type order struct {
	User   string            `dynamodbav:"user"`
	Number int               `dynamodbav:"number"`
	Total  float64           `dynamodbav:"total"`
	Tags   []string          `dynamodbav:"tags,stringset,omitempty"`
	More   map[string]string `dynamodbav:"more,omitempty"`
	Bytes  []byte            `dynamodbav:"bytes,omitempty"`
}

func tables(ctx context.Context, cfg aws.Config, name string) map[string]int {
	client, table := dynamodb.NewFromConfig(cfg), &name
	element := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	defined := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	must(client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{element("user", types.KeyTypeHash), element("number", types.KeyTypeRange)},
		AttributeDefinitions: []types.AttributeDefinition{
			defined("user", types.ScalarAttributeTypeS), defined("number", types.ScalarAttributeTypeN),
		},
	}))
	described := &dynamodb.DescribeTableInput{TableName: table}
	faster := func(options *dynamodb.TableExistsWaiterOptions) { options.MinDelay = 100 * time.Millisecond }
	check(dynamodb.NewTableExistsWaiter(client, faster).Wait(ctx, described, wait))

	made := order{"ann", 1, 12.5, []string{"new"}, map[string]string{"x": "ä"}, []byte{0, 255}}
	put := &dynamodb.PutItemInput{
		TableName: table, Item: must(attributevalue.MarshalMap(made)),
		ConditionExpression:      aws.String("attribute_not_exists(#u)"),
		ExpressionAttributeNames: map[string]string{"#u": "user"},

		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	must(client.PutItem(ctx, put))
	_, err := client.PutItem(ctx, put)
	var failed *types.ConditionalCheckFailedException
	same(true, errors.As(err, &failed))
	same(made, read(failed.Item))
	key := must(attributevalue.MarshalMap(map[string]any{"user": "ann", "number": 1}))
	got := must(client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key, ConsistentRead: aws.Bool(true)}))
	same(made, read(got.Item))

	for n := range 30 {
		more := must(attributevalue.MarshalMap(order{User: "bob", Number: n, Total: float64(n) / 4}))
		must(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: more}))
	}
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: table, Limit: aws.Int32(7), KeyConditionExpression: aws.String("#u = :u"),
		ExpressionAttributeNames:  map[string]string{"#u": "user"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":u": &types.AttributeValueMemberS{Value: "bob"}},
	})
	count := 0
	for pages.HasMorePages() {
		for _, item := range must(pages.NextPage(ctx)).Items {
			same(order{User: "bob", Number: count, Total: float64(count) / 4}, read(item))
			count++
		}
	}
	must(client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table}))
	_, err = client.DescribeTable(ctx, described)
	var gone *types.ResourceNotFoundException
	same(true, errors.As(err, &gone))
	return map[string]int{"items": count}
}

func read(item map[string]types.AttributeValue) (read order) {
	check(attributevalue.UnmarshalMap(item, &read))
	return read
}
