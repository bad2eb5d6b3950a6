// Kinesis, S3, DynamoDB and CloudWatch through the Go SDK v2: sdk-go streams|fanout|objects|tables|metrics name http1|http2
// The endpoint comes from AWS_ENDPOINT_URL, the authority that it is trusted by from AWS_CA_BUNDLE. Prints a summary, or panics at the first mismatch.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	scenarios := map[string]func(context.Context, aws.Config, string) map[string]int{
		"streams": streams,
		"fanout":  fanout,
		"objects": objects,
		"tables":  tables,
		"metrics": metrics,
	}
	scenario, name, protocol := os.Args[1], os.Args[2], os.Args[3]
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	client := awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetHTTP1(protocol == "http1")
		transport.Protocols.SetUnencryptedHTTP2(protocol == "http2")
		transport.Protocols.SetHTTP2(protocol == "http2")
	})
	cfg := must(config.LoadDefaultConfig(ctx, config.WithHTTPClient(client)))
	if scenario == "fanout" {
		cfg.HTTPClient = wholeBodies{cfg.HTTPClient}
	}
	summary := scenarios[scenario](ctx, cfg, name)
	fmt.Println(string(must(json.Marshal(summary))))
}

// wholeBodies gives the transport bodies that it knows to be in memory. Those of the SDK say `io.EOF` once they are
// closed, which the SDK does as soon as an answer begins; over HTTP/1.1 the transport takes that for a failed write, and
// closes the connection under a subscription that has begun.
type wholeBodies struct{ next aws.HTTPClient }

func (w wholeBodies) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		request.Body = io.NopCloser(bytes.NewReader(must(io.ReadAll(request.Body))))
	}
	return w.next.Do(request)
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func same(expected, found any) {
	if !reflect.DeepEqual(expected, found) {
		panic(fmt.Sprintf("expected %v, found %v", expected, found))
	}
}
