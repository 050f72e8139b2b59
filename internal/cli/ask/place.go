package ask

import (
	"net/url"

	"github.com/spf13/cobra"

	"ottla/internal/cli/native"
)

// PlaceFlags are what all commands of buses and rules take.
type PlaceFlags struct{ HTTP, Account, Region string }

// Bind gives a command these flags.
func (p *PlaceFlags) Bind(c *cobra.Command) {
	BindHTTP(c.Flags(), &p.HTTP)
	c.Flags().StringVar(&p.Account, "account", "", "account of the bus (default: 123456789012)")
	c.Flags().StringVar(&p.Region, "region", "", "region of the bus (default: us-east-1)")
}

// Query is the place of a bus.
func (p *PlaceFlags) Query() url.Values {
	q := QueueFlags{Account: p.Account, Region: p.Region}
	return q.Query()
}

// BusPath is where a bus is asked for, and what is below it.
func BusPath(name string, more ...string) string {
	return native.Path(append([]string{"bus", name}, more...)...)
}

// QueueFlags are what all commands of queues take.
type QueueFlags struct{ HTTP, Account, Region string }

// Bind gives a command these flags.
func (q *QueueFlags) Bind(c *cobra.Command) {
	BindHTTP(c.Flags(), &q.HTTP)
	c.Flags().StringVar(&q.Account, "account", "", "account of the queue (default: 123456789012)")
	c.Flags().StringVar(&q.Region, "region", "", "region of the queue (default: us-east-1)")
}

// Query is the place of a queue.
func (q *QueueFlags) Query() url.Values {
	v := url.Values{}
	if q.Account != "" {
		v.Set("account", q.Account)
	}
	if q.Region != "" {
		v.Set("region", q.Region)
	}
	return v
}

// QueuePath is where a queue is asked for, and what is below it.
func QueuePath(name string, more ...string) string {
	return native.Path(append([]string{"q", name}, more...)...)
}
