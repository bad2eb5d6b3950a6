package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// metrics puts metrics and asks for them. The SDK speaks Smithy RPC v2 in CBOR, and packs what it puts.
func metrics(ctx context.Context, cfg aws.Config, name string) map[string]int {
	client := cloudwatch.NewFromConfig(cfg)
	dimensions := []types.Dimension{{Name: aws.String("Id"), Value: aws.String("one")}}
	minute := time.Now().UTC().Truncate(time.Minute)
	datum := func() types.MetricDatum {
		return types.MetricDatum{
			MetricName: aws.String("m"), Dimensions: dimensions, Timestamp: &minute, Unit: types.StandardUnitCount,
		}
	}
	one, each, set := datum(), datum(), datum()
	one.Value = aws.Float64(1.5)
	each.Values, each.Counts = []float64{2, 3}, []float64{1, 2}
	set.StatisticValues = &types.StatisticSet{
		SampleCount: aws.Float64(2), Sum: aws.Float64(4), Minimum: aws.Float64(1), Maximum: aws.Float64(3),
	}
	must(client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: &name, MetricData: []types.MetricDatum{one, each, set},
	}))
	end := minute.Add(time.Minute)
	statistics := must(client.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: &name, MetricName: aws.String("m"), Dimensions: dimensions, StartTime: &minute, EndTime: &end,
		Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount},
	}))
	same(1, len(statistics.Datapoints))
	point := statistics.Datapoints[0]
	same([]float64{13.5, 6}, []float64{*point.Sum, *point.SampleCount})
	same(types.StandardUnitCount, point.Unit)
	same(true, minute.Equal(*point.Timestamp))
	metric := types.Metric{Namespace: &name, MetricName: aws.String("m"), Dimensions: dimensions}
	found := must(client.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		StartTime: &minute, EndTime: &end,
		MetricDataQueries: []types.MetricDataQuery{
			{Id: aws.String("m1"), MetricStat: &types.MetricStat{
				Metric: &metric, Period: aws.Int32(60), Stat: aws.String("Sum"),
			}},
			{Id: aws.String("e1"), Expression: aws.String("m1 * 2")},
		},
	}))
	same([]float64{13.5}, found.MetricDataResults[0].Values)
	same([]float64{27}, found.MetricDataResults[1].Values)
	same(true, minute.Equal(found.MetricDataResults[0].Timestamps[0]))
	same([]types.Metric{metric}, must(client.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: &name})).Metrics)
	one.Values = []float64{1}
	_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: &name, MetricData: []types.MetricDatum{one},
	})
	var refused smithy.APIError
	if !errors.As(err, &refused) || !strings.Contains(refused.ErrorMessage(), "mutually exclusive") {
		panic(err)
	}
	same("InvalidParameterCombination", refused.ErrorCode())
	return map[string]int{"samples": int(*point.SampleCount)}
}
