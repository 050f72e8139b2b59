package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"ottla/test/interop/crowd"
)

// within bounds one scenario, restartWithin that in which the broker restarts.
const (
	within        = time.Minute
	restartWithin = 5 * time.Minute
)

// world is what the scenarios share.
type world struct {
	config aws.Config
	sqs    *sqs.Client
	kafka  string // the broker's address
	prefix string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "awsgo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want a client, the broker's address and a prefix, got %q", args)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/aws/aws-sdk-go-v2/service/sqs" {
				fmt.Println("VERSION", "aws-sdk-go-v2/service/sqs", d.Version)
			}
		}
	}
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + os.Getenv("INTEROP_HTTP")),
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	}
	w := &world{config: config, sqs: sqs.NewFromConfig(config), kafka: args[1], prefix: args[2]}
	for _, s := range []struct {
		name   string
		do     func(context.Context, *world) error
		within time.Duration
	}{
		{"sqs-queues", queues, within}, {"sqs-messages", messages, within}, {"sqs-batches", batches, within}, {"sqs-fifo", fifo, within},
		{"sqs-dead-letters", deadLetters, within}, {"sqs-restart", restart, restartWithin}, {"sqs-kafka", kafkaBothWays, within},
		{"scheduler", schedules, within}, {"sts", identity, within}, {"eventbridge", buses, within}, {"sns", topics, within},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), s.within)
		crowd.Tell(s.name, s.do(ctx, w))
		cancel()
	}
	return nil
}

// want compares two values of which people are told.
func want[T comparable](what string, got, wanted T) error {
	if got != wanted {
		return fmt.Errorf("%s is %v, want %v", what, got, wanted)
	}
	return nil
}

// refused says whether err has a code.
func refused(code string, err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		return fmt.Errorf("got %v, want the error %s", err, code)
	}
	return nil
}

func identity(ctx context.Context, w *world) error {
	got, err := sts.NewFromConfig(w.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	return want("the account", *got.Account, "123456789012")
}

func (w *world) scheduler() *scheduler.Client { return scheduler.NewFromConfig(w.config) }
