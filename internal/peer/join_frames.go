package peer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// JoinRequest is what a node says that wants into a cluster.
type JoinRequest struct {
	// Token is the cluster's, "" without one. It is checked against the other
	// end's authority before its secret is sent, and only the secret is.
	Token string
	// Insecure lets a node without a token trust the first that answers.
	Insecure bool
	// ClusterID is the cluster that the node belongs to already; "" for any.
	ClusterID string
	// NodeID is the wanted id; -1 asks for a free one.
	NodeID int32
	// DirectoryID is of the node's first data directory: the same one gets the
	// same node id again.
	DirectoryID uuid.UUID
	// Endpoints are where it will listen.
	Endpoints []Endpoint
}

// Endpoint is where a node listens.
type Endpoint struct {
	Name, Host string
	Port       uint16
}

// Member is a node of the cluster, with the addresses that other nodes reach
// it at.
type Member struct {
	NodeID int32
	Addrs  []string
}

// LogValue leaves the token out.
func (r JoinRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("cluster", r.ClusterID), slog.Int("node", int(r.NodeID)), slog.String("directory", r.DirectoryID.String()))
}

// joinAsk is a JoinRequest on its way.
type joinAsk struct {
	Secret      []byte     `json:"secret,omitempty"`
	Cluster     string     `json:"cluster,omitempty"`
	Node        int32      `json:"node"`
	DirectoryID string     `json:"directory"`
	Endpoints   []Endpoint `json:"endpoints,omitempty"`
}

// joinAnswer is a refusal, or all that a node of the cluster has.
type joinAnswer struct {
	Refusal   string   `json:"refusal,omitempty"`
	Retry     bool     `json:"retry,omitempty"` // the refusal may pass
	Cluster   string   `json:"cluster,omitempty"`
	Node      int32    `json:"node"`
	Authority []byte   `json:"authority,omitempty"` // PEM: certificate and key
	Secret    []byte   `json:"secret,omitempty"`
	Members   []Member `json:"members,omitempty"`
}

// maxEndpoints and maxMembers bound what is said in one frame.
const (
	maxEndpoints = 64
	maxMembers   = 10_000
)

// parseAsk reads what somebody asks who has not shown a token yet.
func parseAsk(frame []byte) (JoinRequest, []byte, error) {
	var ask joinAsk
	if err := unmarshal(frame, &ask); err != nil {
		return JoinRequest{}, nil, err
	}
	directory, err := uuid.Parse(ask.DirectoryID)
	switch {
	case err != nil:
		return JoinRequest{}, nil, fmt.Errorf("directory %q: %w", ask.DirectoryID, err)
	case directory.IsZero():
		return JoinRequest{}, nil, wire.Errorf(wire.InvalidRequest, "the request names no directory")
	case ask.Node < -1:
		return JoinRequest{}, nil, wire.Errorf(wire.InvalidRequest, "node id %d is below 0", ask.Node)
	case len(ask.Endpoints) > maxEndpoints:
		return JoinRequest{}, nil, wire.Errorf(wire.InvalidRequest, "%d endpoints, at most %d are taken", len(ask.Endpoints), maxEndpoints)
	}
	return JoinRequest{ClusterID: ask.Cluster, NodeID: ask.Node, DirectoryID: directory, Endpoints: ask.Endpoints}, ask.Secret, nil
}

// parseAnswer reads what the asked node says.
func parseAnswer(frame []byte) (joinAnswer, error) {
	var a joinAnswer
	if err := unmarshal(frame, &a); err != nil {
		return joinAnswer{}, err
	}
	switch {
	case a.Refusal != "":
		return a, nil
	case a.Node < 0:
		return joinAnswer{}, wire.Errorf(wire.InvalidRequest, "node id %d is below 0", a.Node)
	case len(a.Secret) != secretSize:
		return joinAnswer{}, wire.Errorf(wire.InvalidRequest, "the secret has %d bytes, want %d", len(a.Secret), secretSize)
	case len(a.Members) > maxMembers:
		return joinAnswer{}, wire.Errorf(wire.InvalidRequest, "%d members, at most %d are taken", len(a.Members), maxMembers)
	}
	return a, nil
}

// unmarshal reads one JSON value and nothing after it. Fields that a later
// release may send are left out.
func unmarshal(frame []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(frame))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("decode what the other end says: %w", err)
	}
	if d.More() {
		return wire.Errorf(wire.InvalidRequest, "there is more after what the other end says")
	}
	return nil
}

// marshal cannot fail: the types are plain.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("peer: a plain value cannot be encoded: " + err.Error())
	}
	return b
}
