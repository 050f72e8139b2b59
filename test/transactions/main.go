package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"ottla/test/history"
	"ottla/test/realfault"
	"ottla/test/rig"
)

// options are how a run is wanted.
type options struct {
	lasts       time.Duration
	seed        uint64
	brokerKills int
	clientKills bool
	clients     int
	rate        int
	against     rig.Kind
	binary      string
	dir         string
	plant       plant
	set         map[string]string
}

func main() { realfault.Main("transactions", run) }

func run(ctx context.Context) error {
	if len(os.Args) == 3 && os.Args[1] == "child" {
		return runChild(ctx, os.Args[2])
	}
	o, check, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	if check != "" {
		r, err := judgeFile(check, true)
		if err != nil {
			return err
		}
		fmt.Println(r)
		return verdictOf(r)
	}
	dir, clean, err := realfault.WorkDir(o.dir, "transactions")
	if err != nil {
		return err
	}
	fmt.Printf("transactions: %v on %s, seed %d, %d kills of the broker, %d clients of each kind; in %s\n", o.lasts, o.against, o.seed, o.brokerKills, o.clients, dir)
	if err := perform(ctx, o, dir); err != nil {
		return fmt.Errorf("%w\nhistory and logs are kept in %s; go run ./test/transactions -seed %d tries again", err, dir, o.seed)
	}
	return clean()
}

func parse(args []string) (o options, check string, err error) {
	f := flag.NewFlagSet("transactions", flag.ExitOnError)
	f.DurationVar(&o.lasts, "for", time.Minute, "how long faults are made")
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of kills, outcomes and delays; the machine's timing is not in it")
	f.IntVar(&o.brokerKills, "kills", -1, "how often the broker is killed; -1: every 6 seconds (Kafka: every 30)")
	f.BoolVar(&o.clientKills, "client-kills", true, "kill clients too")
	f.IntVar(&o.clients, "clients", 3, "workers of each group, and tellers; every third uses transactions of before KIP-890 part 2")
	f.IntVar(&o.rate, "rate", 300, "inputs a second of plain producers")
	f.StringVar((*string)(&o.against), "against", string(rig.Ottla), "ottla or kafka")
	f.StringVar(&o.binary, "binary", "", "path of ottla; without it cmd/ottla is built")
	f.StringVar(&o.dir, "dir", "", "where all is kept; without it a temporary folder")
	f.StringVar((*string)(&o.plant), "plant", "", "let the proxy lie, so that the run must fail: "+plantNames())
	f.StringVar(&check, "check", "", "judge the history in this file and end")
	set := f.String("set", "", "more settings of the broker, KEY=VALUE, comma-separated")
	if err := f.Parse(args); err != nil {
		return o, "", err
	}
	if !slices.Contains(plants, o.plant) {
		return o, "", fmt.Errorf("-plant %s: it takes %s", o.plant, plantNames())
	}
	if o.clients < 1 {
		return o, "", fmt.Errorf("-clients %d: at least one of each kind is needed", o.clients)
	}
	if o.brokerKills < 0 {
		o.brokerKills = int(o.lasts / (6 * time.Second))
		if o.against == rig.Kafka {
			o.brokerKills /= 5
		}
	}
	o.set = map[string]string{}
	for pair := range strings.SplitSeq(*set, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			o.set[k] = v
		}
	}
	return o, check, nil
}

// perform is a run from nothing to its verdict.
func perform(ctx context.Context, o options, dir string) (err error) {
	s, err := raise(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.storm(ctx); err != nil {
		return err
	}
	report, err := s.settle(ctx)
	s.figures()
	if err != nil {
		return errors.Join(err, s.team.verdict())
	}
	fmt.Printf("transactions: %v\n", report)
	return errors.Join(verdictOf(report), s.team.verdict(), s.proxy.verdict(s.judged()))
}

// figures prints what was done, by the clients, the storm and the proxy.
func (s *stage) figures() {
	fmt.Printf("%8d kills of the broker, slowest start %v\n", s.kills, s.slowest.Round(time.Millisecond))
	for _, line := range slices.Concat(s.team.figures(), s.proxy.figures()) {
		fmt.Println(line)
	}
}

func verdictOf(r *history.Report) error {
	if r.OK() {
		return nil
	}
	return errors.New("a promise is broken")
}
