package events

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"

	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/jsonwalk"
	"ottla/internal/gateway/aws/protocol"
	"ottla/internal/uuid"
)

// Bounds of PutEvents.
const (
	mostEntries = 10
	mostBytes   = 1 << 20 // of all entries, as entry.size counts them
	timeBytes   = 14      // what a time counts for
	maxResource = 2048
	maxTrace    = 500
	inEnvelope  = 1 // how deep a detail lies in its event
)

// traceHeader is the header of the record that keeps X-Ray's trace: it is in no
// view of the event, as at AWS.
const traceHeader = "AWSTraceHeader"

// entry is one event of PutEvents.
type entry struct {
	Time       *protocol.Moment `json:"Time"`
	Source     string           `json:"Source"`
	Resources  []string         `json:"Resources"`
	DetailType string           `json:"DetailType"`
	Detail     string           `json:"Detail"`
	Bus        string           `json:"EventBusName"`
	Trace      string           `json:"TraceHeader"`
}

type putIn struct {
	Entries  []entry `json:"Entries"`
	Endpoint string  `json:"EndpointId"`
}

// putEntry is what came of an entry.
type putEntry struct {
	ID      string `json:"EventId,omitempty"`
	Code    string `json:"ErrorCode,omitempty"`
	Message string `json:"ErrorMessage,omitempty"`
}

type putOut struct {
	Failed  int        `json:"FailedEntryCount"`
	Entries []putEntry `json:"Entries"`
}

func (in *putIn) check() error {
	var b broken
	if in.Entries == nil {
		b.Null("entries")
	} else {
		b.Count("entries", len(in.Entries), 1, mostEntries)
	}
	total := 0
	for i := range in.Entries[:min(len(in.Entries), mostEntries)] {
		e := &in.Entries[i]
		at := "entries." + strconv.Itoa(i+1) + ".member."
		b.optional(at+"eventBusName", e.Bus, maxARN, busNameOrARN)
		b.Length(at+"traceHeader", e.Trace, 0, maxTrace)
		for _, r := range e.Resources {
			b.Length(at+"resources", r, 0, maxResource)
		}
		total += e.size()
	}
	if err := b.Err(); err != nil {
		return err
	}
	if in.Endpoint != "" {
		return invalid("Parameter EndpointId is not valid. Reason: there are no global endpoints here.")
	}
	if total >= mostBytes {
		return invalid("Total size of the entries in the request is over the limit.")
	}
	return nil
}

// size is what an entry counts for, as AWS counts it.
func (e *entry) size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, r := range e.Resources {
		n += len(r)
	}
	if e.Time != nil {
		n += timeBytes
	}
	return n
}

// wrong tells why an entry alone cannot be put.
func (e *entry) wrong() *protocol.Error {
	for _, needed := range []struct{ name, value string }{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if needed.value == "" {
			return protocol.Errorf("InvalidArgument", "Parameter %s is not valid. Reason: %s is a required argument.", needed.name, needed.name)
		}
	}
	if strings.HasPrefix(e.Source, "aws.") {
		return protocol.Errorf("NotAuthorizedForSourceException", "Not authorized for the source.")
	}
	if trimmed := strings.TrimLeft(e.Detail, " \t\r\n"); trimmed == "" || trimmed[0] != '{' || !jsonwalk.Valid([]byte(e.Detail), inEnvelope) {
		return protocol.Errorf("MalformedDetail", "Detail is malformed.")
	}
	return nil
}

// event is the event that an entry is, at a time where it says none. Times of
// events are whole seconds, as at AWS.
func (e *entry) event(c *protocol.Call, nowMs int64) *envelope.Event {
	if e.Time != nil {
		nowMs = int64(*e.Time)
	}
	id, _ := uuid.New(rand.Reader) // that reader does not fail
	ev := &envelope.Event{
		ID: id.Standard(), Source: e.Source, Type: e.DetailType, TimeMs: nowMs - nowMs%1000,
		DataContentType: envelope.JSON, Data: []byte(e.Detail),
	}
	ev.Time = string(envelope.AppendTime(nil, ev.TimeMs))
	ev.SetPlace(c.Account, c.Region)
	ev.SetResources(e.Resources)
	if e.Trace != "" {
		ev.Headers = []envelope.Header{{Name: traceHeader, Value: []byte(e.Trace)}}
	}
	return ev
}

func (d door) putEvents(ctx context.Context, c *protocol.Call, in *putIn) (*putOut, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	out := &putOut{Entries: make([]putEntry, len(in.Entries))}
	good, at := make([]bus.Entry, 0, len(in.Entries)), make([]int, 0, len(in.Entries))
	now := d.now().UnixMilli()
	for i := range in.Entries {
		e := &in.Entries[i]
		bad := e.wrong()
		ref, err := busOf(c, e.Bus)
		if bad == nil && err != nil {
			bad = protocol.AsError(err)
		}
		if bad != nil {
			out.fail(i, bad)
			continue
		}
		ev := e.event(c, now)
		out.Entries[i].ID = ev.ID
		good, at = append(good, bus.Entry{Bus: ref, Event: ev}), append(at, i)
	}
	if len(good) == 0 {
		return out, nil
	}
	for i, r := range d.buses.Put(ctx, good) {
		if r.Err != nil {
			bad := protocol.AsError(refuse("Event bus "+good[i].Bus.Name, r.Err))
			if bad.HTTPStatus() >= 500 && c.Failed != nil {
				c.Failed(bad)
			}
			out.fail(at[i], bad)
		}
	}
	return out, nil
}

func (o *putOut) fail(i int, e *protocol.Error) {
	code := e.Shape
	if e.HTTPStatus() >= 500 {
		code = "InternalFailure"
	}
	o.Entries[i] = putEntry{Code: code, Message: e.Message}
	o.Failed++
}

// AppendJSON is what the tags say.
func (o *putOut) AppendJSON(b []byte) []byte {
	b = append(b, `{"FailedEntryCount":`...)
	b = strconv.AppendInt(b, int64(o.Failed), 10)
	b = append(b, `,"Entries":`...)
	b = protocol.AppendList(b, o.Entries, func(b []byte, e *putEntry) []byte {
		b = append(b, '{')
		if e.ID != "" {
			b = protocol.AppendTextField(b, "EventId", e.ID)
		}
		if e.Code != "" {
			b = protocol.AppendTextField(b, "ErrorCode", e.Code)
		}
		if e.Message != "" {
			b = protocol.AppendTextField(b, "ErrorMessage", e.Message)
		}
		return append(b, '}')
	})
	return append(b, '}')
}

// ScanJSON reads what SDKs write; what is not so is read by reflection.
func (in *putIn) ScanJSON(s *protocol.Scanner) {
	for field := range s.Fields() {
		if string(field) != "Entries" || in.Entries != nil {
			s.GiveUp()
			return
		}
		in.Entries = make([]entry, 0, mostEntries)
		for s.List(); s.Item(); {
			in.Entries = append(in.Entries, entry{})
			in.Entries[len(in.Entries)-1].scan(s)
		}
	}
}

func (e *entry) scan(s *protocol.Scanner) {
	for field := range s.Fields() {
		switch string(field) {
		case "Source":
			e.Source = s.Text()
		case "DetailType":
			e.DetailType = s.Text()
		case "Detail":
			e.Detail = s.Text()
		case "EventBusName":
			e.Bus = s.Text()
		case "Resources":
			if e.Resources != nil {
				s.GiveUp()
				return
			}
			e.Resources = []string{}
			for s.List(); s.Item(); {
				e.Resources = append(e.Resources, s.Text())
			}
		case "TraceHeader":
			e.Trace = s.Text()
		case "Time":
			at, ok := protocol.MomentOf(s.Number())
			if !ok {
				s.GiveUp()
				return
			}
			e.Time = &at
		default:
			s.GiveUp()
		}
	}
}
