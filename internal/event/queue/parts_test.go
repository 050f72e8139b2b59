package queue

import (
	"encoding/base64"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ottla/internal/kafka/queues"
	"ottla/internal/record"
	"ottla/internal/share"
	"ottla/internal/uuid"
)

func TestReceiptsAreReadBackAndNoOthersAre(t *testing.T) {
	key := []byte("a secret")
	want := ticket{topic: uuid.UUID{1, 2, 3}, partition: 7, Receipt: share.Receipt{Epoch: 2, Offset: 1 << 40, Count: 3}}
	text := want.write(key, "queue.orders")
	if got, err := readReceipt(key, "queue.orders", text); err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		b := slices.Clone(raw)
		b[i] ^= 1
		if got, err := readReceipt(key, "queue.orders", base64.RawURLEncoding.EncodeToString(b)); !errors.Is(err, ErrReceipt) {
			t.Errorf("byte %d changed: got %+v, %v", i, got, err)
		}
	}
	for _, c := range []struct{ key, group, text string }{
		{"a secret", "queue.other", text}, {"another", "queue.orders", text}, {"a secret", "queue.orders", ""},
		{"a secret", "queue.orders", text + "A"}, {"a secret", "queue.orders", strings.Repeat("!", len(text))},
	} {
		if got, err := readReceipt([]byte(c.key), c.group, c.text); !errors.Is(err, ErrReceipt) {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
	}
}

// asRecord is a record with the headers of a message.
func asRecord(m *Message) *record.Record {
	r := &record.Record{Key: m.key(), Value: m.Body}
	for _, h := range m.headers() {
		r.Headers = append(r.Headers, record.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return r
}

func TestMessagesTravelAsRecords(t *testing.T) {
	m := Message{
		Body: []byte("body"), Group: "customer-4", DedupID: "d1", System: map[string]string{"AWSTraceHeader": "Root=1"}, DelayMs: -1,
		Attributes: map[string]Attribute{
			"text": {Type: "String", Value: []byte("v")}, "n": {Type: "Number", Value: []byte("1.5")}, "b": {Type: "Binary.png", Value: []byte{0xff, 0}},
		},
	}
	var got Taken
	got.read(asRecord(&m), 77)
	if !reflect.DeepEqual(got.Message, m) || got.SentMs != 77 {
		t.Errorf("got %+v, want %+v", got, m)
	}
	var plain []string
	for _, h := range m.headers() {
		if !strings.HasPrefix(h.Key, queues.HeaderPrefix) {
			plain = append(plain, h.Key+"="+string(h.Value))
		}
	}
	if want := []string{"b=\xff\x00", "n=1.5", "text=v"}; !slices.Equal(plain, want) {
		t.Errorf("a Kafka consumer sees headers %q, want %q", plain, want)
	}
}

func TestWhatAKafkaProducerWroteIsAMessage(t *testing.T) {
	r := &record.Record{Value: nil, Headers: []record.RecordHeader{
		{Key: "source", Value: []byte("shop")}, {Key: "raw", Value: []byte{0xff}},
		{Key: queues.HeaderID, Value: []byte("id-1")}, {Key: queues.HeaderSent, Value: []byte("5")}, {Key: deadTopic, Value: []byte("orders")},
		{Key: "__dlq.errors.offset", Value: []byte("9")},
	}}
	var got Taken
	got.read(r, 77)
	want := map[string]Attribute{"source": {Type: "String", Value: []byte("shop")}, "raw": {Type: "Binary", Value: []byte{0xff}}}
	if !reflect.DeepEqual(got.Attributes, want) || got.ID != "id-1" || got.SentMs != 5 || got.DeadLetterSource != "orders" || got.Body == nil {
		t.Errorf("got %+v", got)
	}
}

func TestOffsetsTravelAsMetadata(t *testing.T) {
	topic, other := uuid.UUID{15: 1}.String(), uuid.UUID{15: 2}.String()
	for _, want := range [][]int64{{0}, {5, 6, 9}, {1 << 40, 1<<40 + 1, 1 << 50}} {
		got := readOffsets(topic, writeOffsets(topic, want))
		if !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
			t.Errorf("%v comes back as %v", want, got)
		}
		if got := readOffsets(other, writeOffsets(topic, want)); got != nil {
			t.Errorf("%v of an earlier topic of the name comes back as %v", want, got)
		}
	}
	far := make([]int64, mostMoved)
	for i := range far {
		far[i] = int64(i+1) << 40
	}
	if n := len(writeOffsets(topic, far)); n > 4096 {
		t.Errorf("%d offsets that are far apart take %d bytes; a committed offset has 4096", len(far), n)
	}
	for _, bad := range []string{"", "x", "offsets:gA", offsetsForm(topic) + "!", offsetsForm(topic) + "gA"} {
		if got := readOffsets(topic, bad); len(got) != 0 {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func TestSequencesGrowWithOffsets(t *testing.T) {
	last := ""
	for _, o := range []int64{0, 1, 9, 10, 1 << 40, 1<<62 + 5} {
		s := sequence(o)
		if len(s) != 20 || s <= last {
			t.Errorf("offset %d: %q after %q", o, s, last)
		}
		last = s
	}
}

func TestOffsetsOfALeaseAreFoundAndHolesToo(t *testing.T) {
	l := newLeased(&queues.Lease{Acquired: []share.Range{{First: 2, Last: 5, Count: 1}, {First: 8, Last: 9, Count: 3}}})
	got := map[int64]int16{}
	for _, at := range []int64{0, 1, 2, 4, 6, 7, 9, 12} {
		if n, ok := l.take(at); ok {
			got[at] = n
		}
	}
	if want := map[int64]int16{2: 1, 4: 1, 9: 3}; !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	holes := map[int64]int16{}
	l.rest(func(o int64, n int16) { holes[o] = n })
	if want := map[int64]int16{3: 1, 5: 1, 8: 3}; !maps.Equal(holes, want) {
		t.Errorf("holes %v, want %v", holes, want)
	}
}

func TestWhatAQueueCannotBeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"too long visibility":     func(s *Spec) { s.VisibilityMs = MaxVisibilityMs + 1 },
		"negative delay":          func(s *Spec) { s.DelayMs = -1 },
		"too long delay":          func(s *Spec) { s.DelayMs = MaxDelayMs + 1 },
		"too short retention":     func(s *Spec) { s.RetentionMs = MinRetentionMs - 1 },
		"too long retention":      func(s *Spec) { s.RetentionMs = MaxRetentionMs + 1 },
		"too long wait":           func(s *Spec) { s.WaitMs = MaxWaitMs + 1 },
		"too small messages":      func(s *Spec) { s.MaxMessageBytes = MinMessageBytes - 1 },
		"FIFO without the name":   func(s *Spec) { s.FIFO = true },
		"dedup of a standard one": func(s *Spec) { s.ContentDedup = true },
		"scope of a standard one": func(s *Spec) { s.DedupScope = ScopeGroup },
		"no receives":             func(s *Spec) { s.DeadLetter = &DeadLetter{Queue: Ref{Name: "d"}} },
		"too many receives":       func(s *Spec) { s.DeadLetter = &DeadLetter{Queue: Ref{Name: "d"}, MaxReceives: 1001} },
		"unknown permission":      func(s *Spec) { s.RedriveAllow = &RedriveAllow{Permission: "some"} },
		"sources for all":         func(s *Spec) { s.RedriveAllow = &RedriveAllow{Permission: AllowAll, Sources: []Ref{{Name: "x"}}} },
		"too long backoff":        func(s *Spec) { s.Backoff = &Backoff{FirstMs: share.MaxRetryMs + 1} },
	} {
		s, ref := DefaultSpec(), Ref{Name: "orders"}
		s.Fill(ref)
		if err := s.check(ref); err != nil {
			t.Fatal(err)
		}
		change(&s)
		s.Fill(ref)
		if err := s.check(ref); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestQueuesThatDifferSayInWhat(t *testing.T) {
	ref := Ref{Name: "orders"}
	a := DefaultSpec()
	a.Fill(ref)
	b := a
	b.Tags = map[string]string{"k": "v"}
	if got := b.differs(&a); got != "" {
		t.Errorf("tags: differs in %s", got)
	}
	for want, change := range map[string]func(*Spec){
		"VisibilityTimeout":      func(s *Spec) { s.VisibilityMs = 1 },
		"DelaySeconds":           func(s *Spec) { s.DelayMs = 1 },
		"RedrivePolicy":          func(s *Spec) { s.DeadLetter = &DeadLetter{} },
		"RedriveAllowPolicy":     func(s *Spec) { s.RedriveAllow = &RedriveAllow{} },
		"MessageRetentionPeriod": func(s *Spec) { s.RetentionMs = 1 },
	} {
		c := a
		change(&c)
		if got := c.differs(&a); got != want {
			t.Errorf("differs in %q, want %q", got, want)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	t := ticket{topic: uuid.UUID{9}, Receipt: share.Receipt{Offset: 5, Count: 1}}
	f.Add(t.write([]byte("k"), "g"))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := readReceipt([]byte("k"), "g", text); err == nil && got.write([]byte("k"), "g") != text {
			t.Errorf("%q is read as %+v", text, got)
		}
		readOffsets("mark", text)
	})
}
