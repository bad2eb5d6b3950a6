package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const wait = 20 * time.Second

// What was put, or found, in its order for each partition key.
type records map[string][]string

type client struct {
	*kinesis.Client
	ctx  context.Context
	name *string
	put  records
}

func streams(ctx context.Context, cfg aws.Config, name string) map[string]int {
	k := client{kinesis.NewFromConfig(cfg), ctx, &name, records{}}
	k.create(2)
	k.refusals()
	k.settings()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	must(k.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: aws.String("single"), Data: all}))
	k.put.add("single", all)
	k.putHundred(0)
	k.split("4611686018427387904")
	k.putHundred(1)
	must(k.MergeShards(ctx, &kinesis.MergeShardsInput{
		StreamName: &name, ShardToMerge: shard(3), AdjacentShardToMerge: shard(1),
	}))
	k.active()
	k.putHundred(2)
	listed := must(k.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &name})).Shards
	lineage := [][]string{}
	for _, shard := range listed {
		lineage = append(lineage, parents(shard))
	}
	same([][]string{{}, {}, {*shard(0)}, {*shard(0)}, {*shard(1), *shard(3)}}, lineage)
	found := k.readAll()
	same(k.put, found)
	k.remove()
	return map[string]int{"records": found.count(), "shards": len(listed)}
}

func fanout(ctx context.Context, cfg aws.Config, name string) map[string]int {
	k := client{kinesis.NewFromConfig(cfg), ctx, &name, records{}}
	k.create(1)
	stream := k.summary().StreamARN
	consumer := must(k.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{
		StreamARN: stream, ConsumerName: aws.String("reader"),
	})).Consumer.ConsumerARN
	until(func() bool {
		described := must(k.DescribeStreamConsumer(ctx, &kinesis.DescribeStreamConsumerInput{ConsumerARN: consumer}))
		return described.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive
	})
	k.putHundred(0)
	subscription := kinesis.SubscribeToShardInput{
		ConsumerARN: consumer, ShardId: shard(0),
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon},
	}
	pushed := must(k.SubscribeToShard(ctx, &subscription)).GetStream()
	_, err := k.SubscribeToShard(ctx, &subscription)
	var inUse *types.ResourceInUseException
	same(true, errors.As(err, &inUse))
	found := records{}
	var children []types.ChildShard
	for event := range pushed.Events() {
		value := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value
		for _, record := range value.Records {
			found.add(*record.PartitionKey, record.Data)
		}
		children = value.ChildShards
		if len(value.Records) > 0 && found.count() == 100 {
			k.putHundred(1)
		} else if len(value.Records) > 0 && found.count() == 200 {
			k.split("170141183460469231731687303715884105728")
		}
	}
	check(pushed.Err())
	same(k.put, found)
	same(2, len(children))
	same([]string{*shard(0)}, children[0].ParentShards)
	must(k.DeregisterStreamConsumer(ctx, &kinesis.DeregisterStreamConsumerInput{ConsumerARN: consumer}))
	until(func() bool {
		return len(must(k.ListStreamConsumers(ctx, &kinesis.ListStreamConsumersInput{StreamARN: stream})).Consumers) == 0
	})
	k.remove()
	return map[string]int{"pushed": found.count()}
}

func (k client) create(shards int32) {
	must(k.CreateStream(k.ctx, &kinesis.CreateStreamInput{StreamName: k.name, ShardCount: &shards}))
	k.active()
}

func (k client) active() {
	waiter := kinesis.NewStreamExistsWaiter(k.Client)
	check(waiter.Wait(k.ctx, &kinesis.DescribeStreamInput{StreamName: k.name}, wait))
}

func (k client) remove() {
	must(k.DeleteStream(k.ctx, &kinesis.DeleteStreamInput{StreamName: k.name}))
	waiter := kinesis.NewStreamNotExistsWaiter(k.Client, func(options *kinesis.StreamNotExistsWaiterOptions) {
		options.MinDelay = time.Second
	})
	check(waiter.Wait(k.ctx, &kinesis.DescribeStreamInput{StreamName: k.name}, wait))
}

func (k client) summary() *types.StreamDescriptionSummary {
	input := kinesis.DescribeStreamSummaryInput{StreamName: k.name}
	return must(k.DescribeStreamSummary(k.ctx, &input)).StreamDescriptionSummary
}

func (k client) split(at string) {
	must(k.SplitShard(k.ctx, &kinesis.SplitShardInput{
		StreamName: k.name, ShardToSplit: shard(0), NewStartingHashKey: &at,
	}))
	k.active()
}

func (k client) refusals() {
	unknown := *k.name + "-unknown"
	_, err := k.DescribeStreamSummary(k.ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &unknown})
	var notFound *types.ResourceNotFoundException
	same(true, errors.As(err, &notFound) && strings.Contains(notFound.ErrorMessage(), unknown))
	_, err = k.CreateStream(k.ctx, &kinesis.CreateStreamInput{StreamName: k.name, ShardCount: aws.Int32(1)})
	var inUse *types.ResourceInUseException
	same(true, errors.As(err, &inUse))
	_, err = k.PutRecord(k.ctx, &kinesis.PutRecordInput{
		StreamName: k.name, PartitionKey: aws.String("k"), Data: []byte("x"),
		ExplicitHashKey: aws.String("340282366920938463463374607431768211456"),
	})
	var invalid *types.InvalidArgumentException
	same(true, errors.As(err, &invalid))
}

func (k client) settings() {
	names := []string{}
	pages := kinesis.NewListStreamsPaginator(k.Client, &kinesis.ListStreamsInput{Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		names = append(names, must(pages.NextPage(k.ctx)).StreamNames...)
	}
	same(true, slices.Contains(names, *k.name))
	must(k.IncreaseStreamRetentionPeriod(k.ctx, &kinesis.IncreaseStreamRetentionPeriodInput{
		StreamName: k.name, RetentionPeriodHours: aws.Int32(48),
	}))
	summary := k.summary()
	same(int32(48), *summary.RetentionPeriodHours)
	same(int32(2), *summary.OpenShardCount)
	same(true, time.Since(*summary.StreamCreationTimestamp).Abs() < time.Minute)
	must(k.AddTagsToStream(k.ctx, &kinesis.AddTagsToStreamInput{
		StreamName: k.name, Tags: map[string]string{"one": "1", "two": "zwei ä"},
	}))
	must(k.RemoveTagsFromStream(k.ctx, &kinesis.RemoveTagsFromStreamInput{
		StreamName: k.name, TagKeys: []string{"one"},
	}))
	tags := must(k.ListTagsForStream(k.ctx, &kinesis.ListTagsForStreamInput{StreamName: k.name})).Tags
	same([]types.Tag{{Key: aws.String("two"), Value: aws.String("zwei ä")}}, tags)
}

// A hundred records of ten keys, of 2 to 992 bytes that no text encoding has.
func (k client) putHundred(round byte) {
	entries := make([]types.PutRecordsRequestEntry, 100)
	for i := range entries {
		data := []byte{round, byte(i)}
		for j := range i * 10 {
			data = append(data, byte(i*j))
		}
		entries[i] = types.PutRecordsRequestEntry{PartitionKey: aws.String(fmt.Sprint("key-", i%10)), Data: data}
	}
	answer := must(k.PutRecords(k.ctx, &kinesis.PutRecordsInput{StreamName: k.name, Records: entries}))
	same(int32(0), *answer.FailedRecordCount)
	for _, entry := range entries {
		k.put.add(*entry.PartitionKey, entry.Data)
	}
}

func (r records) add(key string, data []byte) {
	r[key] = append(r[key], hex.EncodeToString(data))
}

func (r records) count() int {
	count := 0
	for _, values := range r {
		count += len(values)
	}
	return count
}

func (k client) readAll() records {
	found, read, ready := records{}, map[string]bool{}, []string{*shard(0), *shard(1)}
	for len(ready) > 0 {
		id := ready[0]
		ready = ready[1:]
		children := k.readShard(id, found)
		read[id] = true
		for _, child := range children {
			unread := func(parent string) bool { return !read[parent] }
			if !slices.ContainsFunc(child.ParentShards, unread) {
				ready = append(ready, *child.ShardId)
			}
		}
	}
	return found
}

func (k client) readShard(id string, found records) []types.ChildShard {
	iterator := must(k.GetShardIterator(k.ctx, &kinesis.GetShardIteratorInput{
		StreamName: k.name, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})).ShardIterator
	for {
		answer := must(k.GetRecords(k.ctx, &kinesis.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(60)}))
		for _, record := range answer.Records {
			found.add(*record.PartitionKey, record.Data)
		}
		iterator = answer.NextShardIterator
		if iterator == nil {
			return answer.ChildShards
		}
		if len(answer.Records) == 0 && *answer.MillisBehindLatest == 0 {
			return nil
		}
	}
}

func parents(shard types.Shard) []string {
	ids := []string{}
	for _, id := range []*string{shard.ParentShardId, shard.AdjacentParentShardId} {
		if id != nil {
			ids = append(ids, *id)
		}
	}
	slices.Sort(ids)
	return ids
}

func until(condition func() bool) {
	for range 100 {
		if condition() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	panic("never so")
}

func shard(n int) *string {
	return aws.String(fmt.Sprintf("shardId-%012d", n))
}
