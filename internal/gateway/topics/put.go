package topics

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/line"
	"ottla/internal/event/place"
	"ottla/internal/event/tail"
	"ottla/internal/gateway/rest"
)

// Put tells where a record lies, or why it does not. ID is that of the event that the
// record is.
type Put struct {
	Topic     string      `json:"topic,omitempty"`
	Partition *int32      `json:"partition,omitempty"`
	Offset    *int64      `json:"offset,omitempty"`
	ID        string      `json:"id,omitempty"`
	Error     *rest.Error `json:"error,omitempty"`
}

// mostPut bounds the records of one request.
const mostPut = 1000

// put takes the body as one record's value, or lines as records.
func (d *door) put(w http.ResponseWriter, r *http.Request) error {
	body, err := rest.Body(r, maxBody)
	if err != nil {
		return err
	}
	topic := r.PathValue("name")
	like, err := asked(r)
	if err != nil {
		return err
	}
	if !rest.IsLines(r.Header.Get("Content-Type")) {
		if like.Value = body; r.URL.Query().Has("null") {
			like.Value = nil // a tombstone
		}
		done, err := d.Topics.Write(r.Context(), topic, []*kgo.Record{&like})
		if err == nil {
			err = done[0].Err
		}
		if err != nil {
			return err
		}
		rest.Tell(w, http.StatusOK, d.putOf(topic, done[0]))
		return nil
	}
	all, err := records(body, like)
	if err != nil {
		return err
	}
	done, err := d.Topics.Write(r.Context(), topic, all)
	if err != nil {
		return err
	}
	out, errs := make([]Put, len(done)), make([]error, len(done))
	for i, one := range done {
		out[i], errs[i] = d.putOf(topic, one), refusal(one.Err)
	}
	rest.TellLines(w, rest.StatusOf(errs), out)
	return nil
}

func (d *door) putOf(topic string, w tail.Written) Put {
	if w.Err != nil {
		return Put{Error: d.told(w.Err)}
	}
	return Put{Topic: topic, Partition: &w.Partition, Offset: &w.Offset,
		ID: topic + "-" + strconv.Itoa(int(w.Partition)) + "-" + strconv.FormatInt(w.Offset, 10)}
}

// asked is a record with what the parameters say.
func asked(r *http.Request) (kgo.Record, error) {
	q := r.URL.Query()
	out := kgo.Record{Partition: place.Anywhere}
	if q.Has("key") {
		out.Key = []byte(q.Get("key"))
	}
	if text := q.Get("partition"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return out, rest.Invalid("partition=%.40s: want a number from 0", text)
		}
		out.Partition = int32(n)
	}
	for parameter, values := range q {
		if called, ok := strings.CutPrefix(parameter, "header."); ok {
			for _, v := range values {
				out.Headers = append(out.Headers, kgo.RecordHeader{Key: called, Value: []byte(v)})
			}
		}
	}
	slices.SortStableFunc(out.Headers, func(a, b kgo.RecordHeader) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// records are those of lines, each with what like has and the line does not say.
func records(body []byte, like kgo.Record) (all []*kgo.Record, err error) {
	n := 0
	for text := range bytes.Lines(body) {
		n++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		parsed, err := line.Parse(text)
		if err != nil {
			return nil, rest.Invalid("line %d: %v; want {\"key\":…,\"value\":…,\"headers\":[{\"name\":…,\"value\":…}]}", n, err)
		}
		if len(all) == mostPut {
			return nil, rest.Invalid("there are more than %d records: send the rest in another request", mostPut)
		}
		r := like
		parsed.Apply(&r)
		if r.Key == nil {
			r.Key = like.Key
		}
		all = append(all, &r)
	}
	if len(all) == 0 {
		return nil, rest.Invalid("there is no record: want one a line")
	}
	return all, nil
}
