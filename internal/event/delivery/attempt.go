package delivery

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/delivery/course"
)

const (
	// mask stands for what may be secret.
	mask = "***"
	// mostTold bounds what is kept of an answer, and mostSent of what was sent.
	mostTold = 1 << 10
	mostSent = 1 << 10
)

// Attempt is a call that was made, as AttemptsTopic keeps it. It is JSON: names of
// fields stay.
type Attempt struct {
	AtMs     int64             `json:"at"` // when it began, by the domain clock
	TookMs   int64             `json:"took_ms"`
	Target   string            `json:"target"` // its key
	Rule     string            `json:"rule,omitempty"`
	Delivery string            `json:"delivery"` // its id, the same at every attempt
	Event    string            `json:"event"`
	Number   int               `json:"attempt"` // from 1 on
	URL      string            `json:"url"`
	Header   map[string]string `json:"headers,omitempty"` // what may be secret is masked
	Body     string            `json:"body,omitempty"`    // its beginning
	OK       bool              `json:"ok"`
	Status   int               `json:"status,omitempty"` // 0 without an answer
	Code     string            `json:"code,omitempty"`   // of a failure
	Why      string            `json:"why,omitempty"`
	Answer   string            `json:"answer,omitempty"` // its beginning
}

// hide takes out of the headers what may be secret, when the call was made.
func (m *made) hide() {
	for k := range m.header {
		if m.masked[k] {
			m.header[k] = mask
		}
	}
}

// attempt is what is kept of a call for one of its deliveries.
func (m *made) attempt(p *parcel, number int, r course.Result) *Attempt {
	a := &Attempt{
		AtMs: m.begun.UnixMilli(), TookMs: m.took.Milliseconds(), Target: m.target, Rule: p.Rule, Delivery: p.ID, Event: p.Event, Number: number,
		URL: m.url, Header: m.header, Body: beginning(p.body, mostSent), OK: r.OK, Status: m.answer.Status, Answer: beginning(m.answer.Body, mostTold),
	}
	for _, offset := range r.Failed {
		a.OK = a.OK && offset != p.offset
	}
	if !a.OK {
		a.Code, a.Why = r.Code, r.Why
	}
	return a
}

func beginning(b []byte, most int) string {
	return strings.ToValidUTF8(string(b[:min(len(b), most)]), "")
}

// secretly tells headers that are known to hold secrets, whoever sets them.
func secretly(header string) bool {
	h := strings.ToLower(header)
	for _, word := range []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey"} {
		if strings.Contains(h, word) {
			return true
		}
	}
	return false
}

// record is the attempt as it is kept.
func (a *Attempt) record(partition int32, now time.Time) *kgo.Record {
	return &kgo.Record{Topic: AttemptsTopic, Partition: partition, Key: []byte(a.Target), Value: a.append(make([]byte, 0, a.size())), Timestamp: now}
}

// size is about what an attempt has as JSON: more where that costs no second piece of
// memory. Much of a body are quotes, which are two characters there.
func (a *Attempt) size() int {
	n := 256 + len(a.Target) + len(a.Rule) + len(a.Delivery) + len(a.Event) + len(a.URL) + len(a.Body)*5/4 + len(a.Why) + len(a.Answer)*5/4
	for name, value := range a.Header {
		n += 8 + len(name) + len(value)
	}
	return n
}
