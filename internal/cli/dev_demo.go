package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/demo"
	"ottla/internal/cli/events"
	"ottla/internal/cli/fail"
	"ottla/internal/server"
)

// demoOn runs the demo on one node until ctx is over. That it cannot go on is told,
// and ends nothing else.
func demoOn(ctx context.Context, o *ask.Options, node *server.Server) {
	s := &demo.Screen{W: o.Out, Terminal: ask.Terminal(o.Out)}
	defer s.End()
	if node.HTTPAddr() == "" {
		s.Say("  The demo does not run: it needs the HTTP port, which the settings switch off")
		return
	}
	at := ""
	if node.KafkaAddr() != ask.DefaultBootstrap {
		at = " -b " + node.KafkaAddr()
	}
	runDemo(ctx, o, demo.Options{
		HTTP: []string{node.HTTPAddr()}, Kafka: []string{node.KafkaAddr()}, AtHTTP: awsAt(node.HTTPAddr()), AtKafka: at,
		Say: s.Say, Status: s.Status, Every: demoEvery(s.Terminal),
	})
}

// demo runs the demo on all nodes of the cluster until ctx is over.
func (c *devCluster) demo(ctx context.Context) {
	var http, kafka []string
	for _, s := range c.specs {
		http, kafka = append(http, s.HTTP), append(kafka, s.Addr)
	}
	at := ""
	if kafka[0] != ask.DefaultBootstrap {
		at = " -b " + kafka[0]
	}
	runDemo(ctx, c.o, demo.Options{
		HTTP: http, Kafka: kafka, AtHTTP: awsAt(http[0]), AtKafka: at,
		Say:    func(text string) { c.board.Say(c.nodes.States(), "%s", text) },
		Status: func(line string) { c.board.Foot(c.nodes.States(), line) }, Every: demoEvery(c.board.Terminal),
	})
}

func demoEvery(terminal bool) time.Duration {
	if terminal {
		return demo.EveryLook
	}
	return demo.EveryLog
}

// runDemo runs a demo until ctx is over.
func runDemo(ctx context.Context, o *ask.Options, d demo.Options) {
	err := newDemo(o, d).Run(ctx)
	if err == nil {
		return
	}
	var f *fail.Failure
	why := err.Error()
	if errors.As(err, &f) {
		why = fmt.Sprintf("%s: %s", f.What, f.Why)
	}
	d.Say("  The demo does not run: " + why)
}

// newDemo makes a demo that applies what it needs as `ottla apply` does.
func newDemo(o *ask.Options, d demo.Options) *demo.Demo {
	quiet := o.Quiet()
	d.Apply = func(ctx context.Context, http string, file []byte) error {
		return events.ApplyFile(ctx, quiet, http, file)
	}
	return demo.New(d)
}
