package doctor

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"ottla/internal/cli/reach"
)

// slow is from when on an answer to a small request is worth a warning.
const slow = 500 * time.Millisecond

func addresses(f *Facts) []Finding {
	var out []Finding
	for _, r := range f.Refused {
		out = append(out, Finding{Status: Warn, Evidence: r, Fix: "take the address out of -b, or start the node there"})
	}
	if len(out) == 0 {
		out = append(out, well("%s", few(f.Addresses)))
	}
	return out
}

// advertised judges the addresses that the nodes tell clients to use.
func advertised(f *Facts) []Finding {
	var out []Finding
	for _, b := range f.Metadata.Brokers {
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		why := f.Brokers[b.NodeID]
		switch {
		case why != "":
			out = append(out, Finding{Status: Fail,
				Evidence: fmt.Sprintf("node %d tells clients to use %s: %s", b.NodeID, address, why),
				Fix:      "start the node with --advertise HOST:PORT (advertised.listeners) that clients can reach"})
		case reach.Loopback(b.Host) && len(f.Metadata.Brokers) > 1:
			out = append(out, Finding{Status: Warn,
				Evidence: fmt.Sprintf("node %d tells clients to use %s, which means the client's own machine", b.NodeID, address),
				Fix:      "start the node with --advertise HOST:PORT where clients are on other machines"})
		default:
			out = append(out, well("node %d: %s", b.NodeID, address))
		}
	}
	return out
}

func answers(f *Facts) []Finding {
	if f.RoundTrip >= slow {
		return []Finding{{Status: Warn, Evidence: fmt.Sprintf("metadata took %v", f.RoundTrip.Round(time.Millisecond)),
			Fix: "look at the machine's load and the network; /metrics has the time per request"}}
	}
	return []Finding{well("metadata in %v", f.RoundTrip.Round(10*time.Microsecond))}
}

func controller(f *Facts) []Finding {
	for _, b := range f.Metadata.Brokers {
		if b.NodeID == f.Metadata.Controller {
			return []Finding{well("node %d", b.NodeID)}
		}
	}
	return []Finding{{Status: Fail, Evidence: fmt.Sprintf("no live node is the controller (%d is named)", f.Metadata.Controller),
		Fix: "start the nodes that are down: more than half must run"}}
}
