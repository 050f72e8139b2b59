package demo

import (
	"fmt"
	"strings"
)

// Command is one to try.
type Command struct {
	Line  string // as it is typed, without "ottla "
	Shows string
	HTTP  bool // it asks the HTTP port
	Kafka bool // it asks the Kafka port
}

// Commands are what to try, with an event that is there.
func Commands(event string) []Command {
	return []Command{
		{"rule list --bus shop", "what goes where", true, false},
		{"event tail shop", "events as they come; Ctrl-C ends it", true, false},
		{"event trace " + event, "where one order went, and what came of it", true, false},
		{"webhook attempts --rule shop/partner --failed", "calls that failed, and were made again", false, true},
		{"dlq list", "what was given up, and why", true, true},
		{"dlq redrive billing-dead --yes", "the orders that nobody can charge go back, to fail again", true, true},
		{"replay start shop --from 1m --to-place queue:second-look", "the last minute once more, for a reader of its own", true, false},
		{"rule try '{\"data\":{\"total\":[{\"numeric\":[\">\",500]}]}}' --bus shop", "what a rule would have taken", true, false},
		{"queue describe deadlines", "orders that have a time to leave: DELAYED counts them", true, false},
		{"consume order-states --from -20 --exit -f '%k %v\\n'", "a view: the last state of each order", false, true},
	}
}

// welcome tells what runs, and what to try.
func (d *Demo) welcome(event string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  Demo: a small shop runs\n")
	for _, l := range [][2]string{
		{"storefront", fmt.Sprintf("puts an order on the bus shop every %v: some late, some without a total", d.o.Pace)},
		{"billing", "takes them from a queue; those without a total are dead letters after three tries"},
		{"warehouse", "sends what is paid, by a FIFO queue with a group for each customer; some get lost"},
		{"saga", "cancels what did not leave within " + deadline + " (a delayed message); the money goes back"},
		{"carrier", "is called at " + d.partner.url() + ": one call of six fails"},
		{"gifts", "a queue that subscribes to the SNS topic offers, with a filter"},
		{"stock, till", "are counted by schedules, every minute and every five"},
		{"order-states", "a view: a compacted topic with the state of each order, written by a rule"},
		{"paid, audit", "an archive of what was paid, and a bus of its own for large orders"},
		{"shop-reports", "a Kafka consumer group that reads the bus as a topic"},
	} {
		fmt.Fprintf(&b, "    %-13s %s\n", l[0], l[1])
	}
	fmt.Fprintf(&b, "\n  Try, in another terminal:\n")
	for _, c := range Commands(event) {
		line := "ottla " + c.Line
		if c.Kafka {
			line += d.o.AtKafka
		}
		if c.HTTP {
			line += d.o.AtHTTP
		}
		fmt.Fprintf(&b, "    %s\n        %s\n", line, c.Shows)
	}
	return b.String()
}
