package kafkatools

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fake is a server of one node that answers with what a test gives it, for
// APIs that Ottla does not serve.
type fake struct {
	addr    string
	answers map[int16]func(kmsg.Request) kmsg.Response
	mu      sync.Mutex // guards asked
	asked   []kmsg.Request
}

func newFake(t *testing.T, answers map[int16]func(kmsg.Request) kmsg.Response) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{addr: l.Addr().String(), answers: answers}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return f
}

// serve answers the requests of one connection until it is closed.
func (f *fake) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(c, frame); err != nil {
			return
		}
		out := f.answer(frame)
		if out == nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(out))), out...)); err != nil {
			return
		}
	}
}

func (f *fake) answer(frame []byte) []byte {
	key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	body := frame[8:]
	if n := int16(binary.BigEndian.Uint16(body)); n > 0 {
		body = body[2+n:]
	} else {
		body = body[2:]
	}
	if req.IsFlexible() {
		body = body[1:] // no tags
	}
	if req.ReadFrom(body) != nil {
		return nil
	}
	f.mu.Lock()
	f.asked = append(f.asked, req)
	f.mu.Unlock()
	resp := f.respond(req)
	if resp == nil {
		return nil // hang up, as servers do on what they do not know
	}
	resp.SetVersion(version)
	out := slices.Clone(frame[4:8])
	if resp.IsFlexible() && key != 18 {
		out = append(out, 0)
	}
	return resp.AppendTo(out)
}

func (f *fake) respond(req kmsg.Request) kmsg.Response {
	switch r := req.ResponseKind().(type) {
	case *kmsg.ApiVersionsResponse:
		for key := range f.answers {
			r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: kmsg.RequestForKey(key).MaxVersion()})
		}
		r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: 18, MaxVersion: 3}, kmsg.ApiVersionsResponseApiKey{ApiKey: 3, MaxVersion: 12})
		return r
	case *kmsg.MetadataResponse:
		host, port, _ := strings.Cut(f.addr, ":")
		n, err := strconv.ParseInt(port, 10, 32)
		if err != nil {
			return r
		}
		r.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: host, Port: int32(n)}}
		r.ControllerID = 1
		for _, t := range req.(*kmsg.MetadataRequest).Topics {
			r.Topics = append(r.Topics, kmsg.MetadataResponseTopic{Topic: t.Topic, Partitions: []kmsg.MetadataResponseTopicPartition{{Leader: 1, Replicas: []int32{1}, ISR: []int32{1}}}})
		}
		return r
	}
	if answer := f.answers[req.Key()]; answer != nil {
		return answer(req)
	}
	return nil
}

// tell runs a tool against the fake.
func (f *fake) tell(t *testing.T, line string) string {
	t.Helper()
	args := strings.Fields(line)
	return runTool(t.Context(), "", append(args[:1:1], append([]string{"--bootstrap-server", f.addr}, args[1:]...)...))
}

func name(s string) *string { return &s }

func TestQuotasAreShownAndChanged(t *testing.T) {
	f := newFake(t, map[int16]func(kmsg.Request) kmsg.Response{
		48: func(kmsg.Request) kmsg.Response {
			r := kmsg.NewPtrDescribeClientQuotasResponse()
			r.Entries = []kmsg.DescribeClientQuotasResponseEntry{
				{Entity: []kmsg.DescribeClientQuotasResponseEntryEntity{{Type: "user", Name: name("ada")}}, Values: []kmsg.DescribeClientQuotasResponseEntryValue{{Key: "producer_byte_rate", Value: 1024}}},
				{Entity: []kmsg.DescribeClientQuotasResponseEntryEntity{{Type: "user"}, {Type: "client-id", Name: name("c")}}, Values: []kmsg.DescribeClientQuotasResponseEntryValue{{Key: "request_percentage", Value: 12.5}}},
			}
			return r
		},
		49: func(req kmsg.Request) kmsg.Response {
			r := kmsg.NewPtrAlterClientQuotasResponse()
			for _, e := range req.(*kmsg.AlterClientQuotasRequest).Entries {
				answer := kmsg.NewAlterClientQuotasResponseEntry()
				for _, x := range e.Entity {
					answer.Entity = append(answer.Entity, kmsg.AlterClientQuotasResponseEntryEntity{Type: x.Type, Name: x.Name})
				}
				r.Entries = append(r.Entries, answer)
			}
			return r
		},
		50: func(kmsg.Request) kmsg.Response {
			r := kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
			user := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
			user.User = "ada"
			user.CredentialInfos = []kmsg.DescribeUserSCRAMCredentialsResponseResultCredentialInfo{{Mechanism: 1, Iterations: 4096}}
			r.Results = append(r.Results, user)
			return r
		},
	})
	f.answers[51] = func(req kmsg.Request) kmsg.Response {
		r := kmsg.NewPtrAlterUserSCRAMCredentialsResponse()
		r.Results = []kmsg.AlterUserSCRAMCredentialsResponseResult{{User: "ada"}}
		return r
	}
	for line, want := range map[string]string{
		"configs --alter --user ada --add-config SCRAM-SHA-256=[iterations=8192,password=x] --delete-config SCRAM-SHA-512": "Completed updating config for user ada.\n",
		"configs --alter --user ada --add-config SCRAM-SHA-256=[iterations=1,password=x]":                                  "! Iterations 1 is less than the minimum 4096 required for SCRAM-SHA-256\nexit 1\n",
		"configs --alter --user ada --add-config SCRAM-SHA-256=[iterations=8192]":                                          "! Invalid credential property SCRAM-SHA-256: it is [iterations=N,password=TEXT]\nexit 1\n",
		"configs --alter --user ada --add-config SCRAM-SHA-256=[password=x],producer_byte_rate=1":                          "! Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.\nexit 1\n",
		"configs --alter --user-defaults --add-config SCRAM-SHA-256=[password=x]":                                          "! The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.\nexit 1\n",
		"configs --describe --entity-type users": "Quota configs for user-principal 'ada' are producer_byte_rate=1024.0\n" +
			"Quota configs for the default user-principal, client-id 'c' are request_percentage=12.5\n" +
			"SCRAM credential configs for user-principal 'ada' are SCRAM-SHA-256=iterations=4096\n",
		"configs --alter --user ada --add-config producer_byte_rate=2048 --delete-config request_percentage": "Completed updating config for user ada.\n",
		"configs --alter --ip-defaults --add-config connection_creation_rate=5":                              "Completed updating default config for ips in the cluster.\n",
		"configs --alter --user ada --add-config producer_byte_rate=fast":                                    "! Cannot parse quota configuration value for producer_byte_rate: fast\nexit 1\n",
		"configs --alter --user ada --delete-config speed":                                                   "! Only quota configs can be deleted for 'users' using --bootstrap-server. Unexpected config names: speed\nexit 1\n",
	} {
		if got := f.tell(t, line); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", line, got, want)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.asked, func(r kmsg.Request) bool {
		a, ok := r.(*kmsg.AlterClientQuotasRequest)
		return ok && len(a.Entries) == 1 && len(a.Entries[0].Ops) == 2 && *a.Entries[0].Entity[0].Name == "ada" && a.Entries[0].Ops[0].Value == 2048 && a.Entries[0].Ops[1].Remove
	})
	if i < 0 {
		t.Errorf("the change was not asked for: %+v", f.asked)
	}
}

func TestOlderServersAreDescribedByTheirMetadata(t *testing.T) {
	d, err := partitionsOfFake(t)
	if err != nil || len(d) != 1 || len(d[0].Partitions) != 1 || d[0].Partitions[0].LeaderID != 1 {
		t.Errorf("got %+v, %v", d, err)
	}
}

// partitionsOfFake describes a topic of a server without
// DescribeTopicPartitions.
func partitionsOfFake(t *testing.T) ([]kmsg.DescribeTopicPartitionsResponseTopic, error) {
	t.Helper()
	f := newFake(t, map[int16]func(kmsg.Request) kmsg.Response{})
	c := &call{tool: topicsTool(), flags: &flags{given: map[string][]string{"bootstrap-server": {f.addr}}}}
	_, client, err := c.admin(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return describePartitions(t.Context(), client, []string{"t"})
}

func TestPartitionsArePrintedWithEverythingKnown(t *testing.T) {
	d := &described{minISR: 2, overrides: []string{"a=1"}}
	d.Topic, d.TopicID = name("t"), [16]byte{1}
	d.Partitions = []partition{
		{Partition: 0, LeaderID: -1, Replicas: []int32{1, 2}, ISR: []int32{1}},
		{Partition: 1, LeaderID: 2, Replicas: []int32{1, 2}, ISR: []int32{1, 2}, EligibleLeaderReplicas: []int32{}, LastKnownELR: []int32{3}},
	}
	got := printed(nil, func(c *call) {
		d.printHead(c)
		for i := range d.Partitions {
			d.printPartition(c, &d.Partitions[i])
		}
	})
	want := "Topic: t\tTopicId: AQAAAAAAAAAAAAAAAAAAAA\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: a=1\n" +
		"\tTopic: t\tPartition: 0\tLeader: none\tReplicas: 1,2\tIsr: 1\tElr: N/A\tLastKnownElr: N/A\n" +
		"\tTopic: t\tPartition: 1\tLeader: 2\tReplicas: 1,2\tIsr: 1,2\tElr: \tLastKnownElr: 3\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for option, want := range map[string][2]bool{
		"under-replicated-partitions": {true, false}, "unavailable-partitions": {true, false}, "under-min-isr-partitions": {true, false},
		"at-min-isr-partitions": {false, true}, "topics-with-overrides": {true, true},
	} {
		c := &call{flags: &flags{given: map[string][]string{option: nil}}}
		show := reportOf(c, []int32{2})
		if a, b := show(d, &d.Partitions[0]), show(d, &d.Partitions[1]); a != want[0] || b != want[1] {
			t.Errorf("--%s shows %v, %v, want %v", option, a, b, want)
		}
	}
}
