package server

// Member is a node of the cluster, as this node's metadata has it.
type Member struct {
	NodeID  int32
	Addr    string // of its first listener
	Rack    string
	Serving bool // clients may use it: it is not fenced
	Voter   bool // of the metadata quorum
}

// Members are the cluster's nodes that this node knows of, by number.
func (s *Server) Members() []Member {
	voters := map[int32]bool{}
	for _, v := range s.quorum.Status().Voters {
		voters[v.ID] = true
	}
	var out []Member
	for b := range s.broker.Image().Brokers() {
		m := Member{NodeID: b.ID, Rack: b.Rack, Serving: b.Live(), Voter: voters[b.ID]}
		if len(b.Endpoints) > 0 {
			m.Addr = hostPort(b.Endpoints[0].Host, b.Endpoints[0].Port)
		}
		out = append(out, m)
	}
	return out
}
