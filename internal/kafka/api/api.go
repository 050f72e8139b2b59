package api

import (
	"context"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// API is one row of the dispatch table.
type API struct {
	Key      int16
	Min, Max int16
	// ListedMin is what ApiVersions shows as minimum where that differs from
	// what is served (Produce, KAFKA-18659); normally equal to Min.
	ListedMin int16
	// Differences from Kafka 4.4, one sentence each with its reason; they go
	// into docs/compatibility.md.
	Differences []string
	// NodesOnly rows are served to nodes of this cluster alone (Conn.Node): the
	// door answers anybody else CLUSTER_AUTHORIZATION_FAILED where the API has
	// a place for it, and closes the connection where not. Rows with keys of
	// ours (wire.OwnFirst and above) must be such, and are never listed.
	NodesOnly bool
	// Refusal is the answer of a NodesOnly row to anybody else, with a code in
	// every place where Kafka's has one; nil where one at the top is enough.
	Refusal func(req kmsg.Request, code wire.Code) kmsg.Response
	// Unlisted rows are served to whoever asks and not shown by ApiVersions:
	// Kafka serves them on a controller's port alone.
	Unlisted bool
	// Directs rows tell clients which node to go to. What a node knows that is cut
	// off from the others is an old story: see Options.Mute of package kafka.
	Directs bool
	// Waits rows have answers that may wait for records: a node that stops does not
	// wait for them. It has them built once more (Conn.Parting), and those that cannot
	// be answered then go without. Who waits for a coordinator is answered by that.
	Waits bool
	// Handle serves a request decoded by kmsg. A nil response closes the
	// connection; an error is logged and answered as UNKNOWN_SERVER_ERROR
	// where the API has a place for it, else the connection is closed.
	// Requests of one connection are handled one at a time, in order, but for
	// the calls of other nodes (Conn.Calls).
	Handle func(ctx context.Context, c *Conn, req kmsg.Request) (kmsg.Response, error)
	// Serve, where set, is called instead of Handle with the request's bytes.
	// It does not wait: what it cannot answer yet it parks in the Answer, and
	// the next request of the connection is served meanwhile. Where that must
	// not overtake, it waits inside Conn.Wait. A nil Answer
	// without an error answers nothing (Produce with acks=0); an error closes
	// the connection.
	Serve func(c *Conn, r *Request) (Answer, error)
}

// Conn is what a handler may know of the connection.
type Conn struct {
	ID            uint64
	Remote, Local net.Addr
	Listener      string // listener name, PLAINTEXT unless configured
	// Node is the node of this cluster that the connection's certificate
	// proves; -1 for everybody else.
	Node int32
	// Calls tells that a node's requests on this connection have nothing to do
	// with each other: they are handled side by side, and answered as they get
	// done.
	Calls                         bool
	ClientID                      string // of the request at hand
	SoftwareName, SoftwareVersion string // from ApiVersions 3+
	// Advertised is the address that this connection's client is told for a
	// node: the configured one, or for the node itself the address that the
	// client used.
	Advertised func(nodeID int32) (host string, port int32)
	// AtClose has fn called once when the connection has ended and nothing will
	// be sent on it any more, unless the node itself stops; another fn under
	// the same key takes its place. It is for handlers, whose calls come before
	// the end.
	AtClose func(key any, fn func())
	// Waiting, when set, runs what may take long inside Serve: answers that are
	// ready leave before it begins and while it runs. The context is over when the
	// node stops.
	Waiting func(wait func(ctx context.Context))
	// Parting, when set, tells that the node stops and reads no more of this
	// connection: answers of rows that wait leave with what there is.
	Parting func() bool
}

// Parts is Parting; a connection that does not say stays.
func (c *Conn) Parts() bool { return c != nil && c.Parting != nil && c.Parting() }

// Wait runs wait as Waiting says.
func (c *Conn) Wait(wait func(ctx context.Context)) {
	if c == nil || c.Waiting == nil {
		wait(context.Background())
		return
	}
	c.Waiting(wait)
}
