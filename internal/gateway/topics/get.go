package topics

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/letter"
	"ottla/internal/event/line"
	"ottla/internal/event/pattern"
	"ottla/internal/event/place"
	"ottla/internal/event/tail"
	"ottla/internal/gateway/rest"
)

// Records answers a page.
type Records struct {
	Records []line.Record `json:"records"`
	Next    string        `json:"next"`           // from= of the next page
	More    bool          `json:"more,omitempty"` // there is one already
}

// nextHeader tells where the next answer begins, where the body has no place for it.
const nextHeader = "Ottla-Next"

// get gives records: a page, or a stream.
func (d *door) get(w http.ResponseWriter, r *http.Request) error {
	if wants(r, typeStream) {
		return d.stream(w, r, r.PathValue("name"), func(dst []byte, rec *kgo.Record) ([]byte, error) {
			text, err := line.Append(dst, rec)
			return text[:max(len(text)-1, 0)], err // without its newline
		})
	}
	a, err := d.ask(r, tail.MostRecords)
	if err != nil {
		return err
	}
	ctx, cancel := ending(r)
	defer cancel()
	page, err := d.Topics.Read(ctx, r.PathValue("name"), a)
	if err != nil {
		return err
	}
	out := make([]line.Record, len(page.Records))
	for i, rec := range page.Records {
		out[i] = line.Of(rec)
	}
	w.Header().Set(nextHeader, page.Next.String())
	if rest.WantsLines(r) {
		rest.TellLines(w, http.StatusOK, out)
		return nil
	}
	rest.Tell(w, http.StatusOK, Records{out, page.Next.String(), page.More})
	return nil
}

// wants tells whether the caller wants a media type by its name.
func wants(r *http.Request, kind string) bool {
	for a := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		a, _, _ = strings.Cut(a, ";")
		if strings.EqualFold(strings.TrimSpace(a), kind) {
			return true
		}
	}
	return false
}

// ask reads the parameters of a page.
func (d *door) ask(r *http.Request, most int) (a tail.Ask, err error) {
	q := r.URL.Query()
	if a.From, err = d.from(q.Get("from"), "start"); err != nil {
		return a, err
	}
	if a.Most, err = rest.Count(r, "max", min(100, most), most); err != nil {
		return a, err
	}
	ms, err := rest.Milliseconds(r, "wait", 0)
	if err != nil {
		return a, err
	}
	if a.Wait = time.Duration(ms) * time.Millisecond; a.Wait > maxWait {
		return a, rest.Invalid("wait is at most %v: ask again from where the answer ends", maxWait)
	}
	a.Keep, err = d.keep(q)
	return a, err
}

func (d *door) from(text, fallback string) (tail.From, error) {
	if text == "" {
		text = fallback
	}
	from, err := tail.ParseFrom(text, d.Topics.Now())
	if err != nil {
		return from, rest.Invalid("from: %v", err)
	}
	return from, nil
}

// mostWhere bounds the conditions of a request.
const mostWhere = 20

// keep is what pattern and where choose; nil without them.
func (d *door) keep(q url.Values) (func(*kgo.Record) bool, error) {
	var fits []func(*kgo.Record) bool
	if text := q.Get("pattern"); text != "" {
		p, err := bus.ParsePattern(text)
		var wrong *pattern.Error
		switch {
		case errors.As(err, &wrong):
			return nil, rest.Invalid("%v", wrong)
		case err != nil:
			return nil, err
		}
		var doc []byte
		fits = append(fits, func(rec *kgo.Record) bool {
			doc = place.Event(rec).AppendDocument(doc[:0])
			ok, err := p.Matches(doc)
			return ok && err == nil // what is too large to be read fits nothing
		})
	}
	if conditions := q["where"]; len(conditions) > 0 {
		if len(conditions) > mostWhere {
			return nil, rest.Invalid("%d conditions: at most %d are possible", len(conditions), mostWhere)
		}
		f, err := letter.Parse(conditions)
		if err != nil {
			return nil, rest.Invalid("where: %v", err)
		}
		fits = append(fits, func(rec *kgo.Record) bool { return f.Takes(letter.Read(rec), d.Topics.Now()) })
	}
	if len(fits) == 0 {
		return nil, nil
	}
	return func(rec *kgo.Record) bool {
		for _, fit := range fits {
			if !fit(rec) {
				return false
			}
		}
		return true
	}, nil
}
