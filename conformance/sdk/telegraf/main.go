// Telegraf with the plugins for Kinesis and no others: sdk-telegraf CONFIG
// It runs until it is killed.
package main

import (
	"context"
	"log"
	"os"

	"github.com/influxdata/telegraf/agent"
	"github.com/influxdata/telegraf/config"
	_ "github.com/influxdata/telegraf/plugins/inputs/kinesis_consumer"
	_ "github.com/influxdata/telegraf/plugins/outputs/kinesis"
	_ "github.com/influxdata/telegraf/plugins/parsers/influx"
	_ "github.com/influxdata/telegraf/plugins/serializers/influx"
)

func main() {
	plugins := config.NewConfig()
	if err := plugins.LoadConfig(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	if err := agent.NewAgent(plugins).Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
