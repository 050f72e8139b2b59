package topics

import (
	"context"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/tail"
)

const typeStream = "text/event-stream"

// flushAt is how many bytes of events are sent at once, where that many wait.
const flushAt = 32 << 10

// stream sends records as server-sent events until the caller goes, or does not take
// them, or the port closes. show adds a record's JSON.
func (d *door) stream(w http.ResponseWriter, r *http.Request, topic string, show func(dst []byte, rec *kgo.Record) ([]byte, error)) error {
	place := r.Header.Get("Last-Event-ID")
	if place == "" {
		place = r.URL.Query().Get("from")
	}
	from, err := d.from(place, "end")
	if err != nil {
		return err
	}
	keep, err := d.keep(r.URL.Query())
	if err != nil {
		return err
	}
	ctx, cancel := ending(r)
	defer cancel()
	st, err := d.Topics.Stream(ctx, topic, from)
	if err != nil {
		return err
	}
	defer st.Close()
	w.Header().Set("Content-Type", typeStream)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies in between hold nothing back
	w.WriteHeader(http.StatusOK)
	s := &sender{stream: st, out: http.NewResponseController(w), w: w, keep: keep, show: show, beat: d.Heartbeat}
	s.run(ctx)
	return nil
}

// sender sends what a stream gives.
type sender struct {
	stream *tail.Stream
	out    *http.ResponseController
	w      http.ResponseWriter
	keep   func(*kgo.Record) bool
	show   func(dst []byte, rec *kgo.Record) ([]byte, error)
	beat   time.Duration
	text   []byte
}

// run sends until ctx ends or the caller takes nothing any more.
func (s *sender) run(ctx context.Context) {
	s.text = append(s.text, "retry: 2000\n"...)
	s.mark()
	for s.send() && ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, s.beat)
		err := s.gather(wait)
		cancel()
		if err != nil {
			s.text = append(s.text, "event: error\ndata: "...)
			s.text = append(s.text, oneLine([]byte(err.Error()))...)
			s.text = append(s.text, "\n\n"...)
			s.send()
			return
		}
	}
}

// gather waits for a record, and takes those that are there already with it.
func (s *sender) gather(wait context.Context) error {
	for {
		rec, err := s.stream.Next(wait)
		if err != nil {
			return err
		}
		if rec != nil && (s.keep == nil || s.keep(rec)) {
			s.add(rec)
		}
		if rec == nil || wait.Err() != nil && len(s.text) == 0 {
			s.mark() // nothing for so long: the place, and that somebody is here
			return nil
		}
		if len(s.text) > 0 && (s.stream.Buffered() == 0 || len(s.text) >= flushAt) {
			return nil
		}
	}
}

// mark adds an event without data: it says how far the stream is, and sets off
// nothing at the client.
func (s *sender) mark() {
	s.text = append(s.text, "id: "...)
	s.text = append(s.text, s.stream.At().String()...)
	s.text = append(s.text, "\n\n"...)
}

func (s *sender) add(rec *kgo.Record) {
	text := append(append(s.text, "id: "...), s.stream.At().String()...)
	text = append(text, "\ndata: "...)
	from := len(text)
	text, err := s.show(text, rec)
	if err != nil {
		return // a record that has no JSON: there is none
	}
	oneLine(text[from:]) // line breaks of JSON are space
	s.text = append(text, "\n\n"...)
}

// send writes what was gathered; false when the caller does not take it.
func (s *sender) send() bool {
	// Where a deadline cannot be set the connection's own end must do.
	_ = s.out.SetWriteDeadline(time.Now().Add(2 * s.beat))
	if _, err := s.w.Write(s.text); err != nil {
		return false
	}
	s.text = s.text[:0]
	return s.out.Flush() == nil
}

// oneLine puts spaces in the place of line breaks and other control characters.
func oneLine(text []byte) []byte {
	for i, c := range text {
		if c < ' ' {
			text[i] = ' '
		}
	}
	return text
}
