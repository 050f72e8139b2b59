package own

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// codec is what requests and responses have in common.
type codec interface {
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

// samples are messages with everything in them, and empty ones.
func samples() []codec {
	endpoints := []Endpoint{{"PLAINTEXT", "127.0.0.1", 9092}, {"", "host.example", 65535}}
	out := []codec{
		&CommandRequest{TimeoutMs: 30_000, Kind: "CreateTopics", Body: []byte(`{"Topics":[]}`)},
		&CommandResponse{ErrorCode: 41, ErrorMessage: "not here", Undecided: true, Leader: 3, LeaderEpoch: 9, Offset: 1 << 40, Body: []byte("[]")},
		&ProgressRequest{Replica: 2, BrokerEpoch: 77, Topics: []ProgressTopic{
			{ID: uuid.UUID{1, 2}, Partitions: []ProgressPartition{{0, 4, 1 << 33}, {7, 5, 0}}}, {ID: uuid.UUID{3}}}},
		&JoinQuorumRequest{ClusterID: "C", Node: 3, Directory: uuid.UUID{9}, Endpoints: endpoints, NoVote: true},
		&JoinQuorumResponse{ErrorCode: 41, ErrorMessage: "ask 1", Leader: 1, LeaderEpoch: 4, Voters: []QuorumMember{
			{1, uuid.UUID{1}, endpoints}, {2, uuid.UUID{2}, nil}}},
		&HeartbeatRequest{Node: 3, BrokerEpoch: 12, AppliedOffset: 99, WantShutDown: true, WantFence: true},
		&HeartbeatResponse{ErrorCode: 77, ErrorMessage: "register anew", Fenced: true, CaughtUp: true, ShouldShutDown: true, Leader: 2, LeaderEpoch: 8, StandingMs: 70, MetadataOffset: 71},
	}
	part := QueuePart{"queue.orders", uuid.UUID{4}, 2}
	out = append(out,
		&QueueTakeRequest{QueuePart: part, MaxRecords: 10, MaxBytes: 1 << 20, LockMs: 30_000, Holder: 1 << 63},
		&QueueTakeResponse{ErrorCode: 6, ErrorMessage: "elsewhere", StateEpoch: 1, Ranges: []QueueRange{{5, 9, 1}, {12, 12, 3}}, Batches: []byte("batch")},
		&QueueRedeemRequest{QueuePart: part, Words: []QueueWord{{1, 1 << 40, 3, 2, -1, true}, {0, 7, 1, 1, 0, false}}},
		&QueueRedeemResponse{Results: []QueueResult{{0, ""}, {121, "gone"}}},
		&QueueAskRequest{QueuePart: part, What: AskWait, WaitMs: 20_000},
		&QueueAskResponse{ErrorCode: 6, ErrorMessage: "elsewhere", StateEpoch: 3, Waiting: 1, InFlight: 2, Delayed: 3, Dying: 4, OldestMs: -1},
		&QueueContentsRequest{QueuePart: part, From: 7, Most: 100},
		&QueueContentsResponse{ErrorCode: 6, ErrorMessage: "elsewhere", Runs: []QueueRun{{5, 9, 1, 1, 30_000, -1, "m", 0}, {12, 12, 3, 0, 0, 5, "", 1 << 63}}, Bound: 20, High: 21, Locked: 5, Most: 9, NowMs: 1},
		&QueueHoldRequest{QueuePart: part, Offsets: []QueueOffset{{5}, {1 << 40}}, LockMs: 60_000, Holder: 7},
		&QueueHoldResponse{ErrorCode: 6, ErrorMessage: "elsewhere", StateEpoch: 1, Ranges: []QueueRange{{5, 5, 1}}},
		&QueueFirstsRequest{QueuePart: part, Records: []QueueWritten{{7, 99, [16]byte{1, 2}}}},
		&QueueFirstsResponse{ErrorCode: 6, ErrorMessage: "elsewhere", Firsts: []QueueFirst{{5, "id"}, {1 << 40, ""}}},
	)
	out = append(out,
		&TimersRequest{Partition: 3, Op: TimersTakeUp, Items: []TimerItem{{"a/1", []byte("v")}, {"b", nil}}, Line: "L/1", From: 7, To: 1 << 41},
		&TimersResponse{ErrorCode: 16, ErrorMessage: "not here", Results: []TimerResult{{}, {91, "gone"}}, Value: []byte("v"), Offset: -1})
	for _, api := range wire.OwnAPIs() {
		req := RequestForKey(api.Key)
		out = append(out, req, req.ResponseKind())
	}
	return out
}

// fresh makes an empty message of the same kind.
func fresh(m codec) codec { return reflect.New(reflect.TypeOf(m).Elem()).Interface().(codec) }

func TestMessagesRoundTrip(t *testing.T) {
	for _, m := range samples() {
		b := m.AppendTo([]byte("before"))
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Fatalf("%T does not append", m)
		}
		got := fresh(m)
		if err := got.ReadFrom(b[len("before"):]); err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%T comes back as %+v, want %+v", m, got, m)
		}
	}
}

func TestWhatIsCutIsAnError(t *testing.T) {
	for _, m := range samples() {
		whole := m.AppendTo(nil)
		for n := range whole {
			if err := fresh(m).ReadFrom(whole[:n]); err == nil {
				t.Errorf("%T: %d of %d bytes are taken", m, n, len(whole))
			}
		}
		if err := fresh(m).ReadFrom(append(whole, 0)); err == nil {
			t.Errorf("%T: a byte too many is taken", m)
		}
	}
}

// A later release may say more in tagged fields.
func TestUnknownTagsAreSkipped(t *testing.T) {
	for _, m := range samples() {
		b := m.AppendTo(nil)
		b = append(b[:len(b)-1], 2, 5, 3, 'a', 'b', 'c', 200, 1, 0) // tags 5 and 200
		got := fresh(m)
		if err := got.ReadFrom(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%T with tags: %+v, %v", m, got, err)
		}
	}
	in := (&ProgressRequest{Topics: []ProgressTopic{{Partitions: []ProgressPartition{{1, 2, 3}}}}}).AppendTo(nil)
	// The partition's, the topic's and the request's sections end it.
	in = append(in[:len(in)-3], 1, 9, 1, 'x', 0, 0)
	var got ProgressRequest
	if err := got.ReadFrom(in); err != nil || got.Topics[0].Partitions[0].SyncedOffset != 3 {
		t.Errorf("a tag in an element: %+v, %v", got, err)
	}
}

func TestCountsBeyondTheBytesCostNothing(t *testing.T) {
	many := binary.AppendUvarint(nil, 1<<40)
	for name, body := range map[string][]byte{
		"topics":     append(make([]byte, 12), many...),
		"partitions": append(append(append(make([]byte, 12), 2), make([]byte, 16)...), many...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := new(ProgressRequest).ReadFrom(body)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: a count of 2^40 is taken", name)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<16 {
			t.Errorf("%s: %d bytes allocated for %d", name, grown, len(body))
		}
	}
	tags := append(new(HeartbeatResponse).AppendTo(nil)[:15], 0xff, 0xff, 0x7f)
	if err := new(HeartbeatResponse).ReadFrom(tags); err == nil {
		t.Error("two million tags are taken")
	}
}

func TestEveryKeyHasItsCodec(t *testing.T) {
	for _, api := range wire.OwnAPIs() {
		req := RequestForKey(api.Key)
		if req == nil {
			t.Fatalf("key %d (%s) has no codec", api.Key, api.Name)
		}
		resp := req.ResponseKind()
		if req.Key() != api.Key || resp.Key() != api.Key || resp.RequestKind().Key() != api.Key {
			t.Errorf("%s: keys %d and %d, want %d", api.Name, req.Key(), resp.Key(), api.Key)
		}
		if req.MaxVersion() != api.Max || req.IsFlexible() != api.IsFlexible(0) {
			t.Errorf("%s: the codec and the table disagree", api.Name)
		}
		req.SetVersion(5)
		if req.GetVersion() != 5 || req.ResponseKind().GetVersion() != 5 {
			t.Errorf("%s: the answer's version is not the request's", api.Name)
		}
		want := strings.TrimSuffix(reflect.TypeOf(req).Elem().Name(), "Request")
		if want = strings.NewReplacer("Progress", "ReplicaProgress", "Heartbeat", "NodeHeartbeat").Replace(want); want != api.Name {
			t.Errorf("key %d is %s in the table and %s here", api.Key, api.Name, want)
		}
		frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("node-2")).AppendRequest(nil, RequestForKey(api.Key), 7)
		h, body, err := wire.ParseHeader(frame[wire.FrameHeader:])
		if err != nil || h.Key != api.Key || h.CorrelationID != 7 || string(h.ClientID) != "node-2" {
			t.Fatalf("%s: header %+v, %v", api.Name, h, err)
		}
		if err := RequestForKey(api.Key).ReadFrom(body); err != nil {
			t.Errorf("%s: body after the header: %v", api.Name, err)
		}
	}
	if RequestForKey(First-1) != nil || RequestForKey(First+int16(len(wire.OwnAPIs()))) != nil {
		t.Error("keys that do not exist have codecs")
	}
	if _, silent := RequestForKey(KeyReplicaProgress).(Unanswered); !silent {
		t.Error("ReplicaProgress waits for an answer")
	}
}

// What a decoder returns must not change when its input is used again.
func TestNothingSharesMemoryWithTheInput(t *testing.T) {
	for _, m := range samples() {
		b := m.AppendTo(nil)
		got := fresh(m)
		if err := got.ReadFrom(b); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = 0xee
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%T is a view of its input", m)
		}
	}
}

func TestRandomBytesNeverPanic(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, random.IntN(64))
		for i := range b {
			b[i] = byte(random.Uint32() >> (random.IntN(3) * 12))
		}
		for _, m := range samples() {
			again(t, m, b)
		}
	}
}

// again checks that what a decoder takes is encoded and taken again, equal.
func again(t *testing.T, kind codec, b []byte) {
	t.Helper()
	m := fresh(kind)
	if m.ReadFrom(b) != nil {
		return
	}
	second := fresh(kind)
	if err := second.ReadFrom(m.AppendTo(nil)); err != nil || !reflect.DeepEqual(second, m) {
		t.Fatalf("%x is %+v, and after a round trip %+v (%v)", b, m, second, err)
	}
}

func FuzzMessages(f *testing.F) {
	for i, m := range samples() {
		f.Add(byte(i), m.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		all := samples()
		again(t, all[int(which)%len(all)], b)
	})
}
