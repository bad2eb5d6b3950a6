package main

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func objects(ctx context.Context, cfg aws.Config, bucket string) map[string]int {
	client := s3.NewFromConfig(cfg)
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}))
	key, body := aws.String("a folder/ä+%.bin"), bytes.Repeat([]byte{0, 1, 255, '\r', '\n'}, 1<<20)
	must(client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: bytes.NewReader(body)}))
	got := must(client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled,
	}))
	same(true, bytes.Equal(body, must(io.ReadAll(got.Body))))
	same(true, got.ChecksumCRC32 != nil)
	_, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("none")})
	var noSuchKey *types.NoSuchKey
	same(true, errors.As(err, &noSuchKey))
	listed := must(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket})).Contents
	same(1, len(listed))
	same(*key, *listed[0].Key)
	must(client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: key}))
	must(client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}))
	return map[string]int{"bytes": len(body)}
}
