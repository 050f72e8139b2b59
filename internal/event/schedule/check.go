package schedule

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // where the machine has no time zones
	"unicode/utf8"

	"ottla/internal/event/cron"
	"ottla/internal/event/schedule/course"
)

// zone finds a time zone by its IANA name: in the machine's database, which its
// updates keep fresh, else in the one that is built in.
func zone(of string) (*time.Location, error) {
	if of == "" || of == "UTC" {
		return time.UTC, nil
	}
	z, err := time.LoadLocation(of)
	if err != nil || of == "Local" || len(of) > 64 {
		return nil, invalid("zone", "%.64q is no time zone; it takes names like Europe/Berlin", of)
	}
	return z, nil
}

// expression reads a spec's expression in its zone.
func (s Spec) expression() (*cron.Expression, error) {
	z, err := zone(s.Zone)
	if err != nil {
		return nil, err
	}
	e, err := cron.Parse(s.Expression, z)
	if err != nil {
		return nil, because("expression", err)
	}
	return e, nil
}

// check tells what is wrong with a spec, and fills in what was left out. old is
// what it replaces, nil for none.
func (s *Spec) check(ref Ref, old *Spec, nowMs int64) error {
	e, err := s.expression()
	if err != nil {
		return err
	}
	if err := s.checkTimes(); err != nil {
		return err
	}
	if err := s.checkRest(ref); err != nil {
		return err
	}
	if err := s.Target.check(ref); err != nil {
		return err
	}
	s.SinceMs = nowMs
	if old != nil && sameTiming(*s, *old) && (!old.Paused || s.Paused) {
		s.SinceMs = old.SinceMs
		return nil
	}
	if e.Kind() == cron.At && !s.Paused {
		if at, ok := e.Next(time.Time{}, time.UnixMilli(nowMs-pastGraceMs)); !ok {
			return invalid("expression", "%s is past (it is %s in %s)", s.Expression, time.UnixMilli(nowMs).In(e.Zone()).Format("2006-01-02T15:04:05"), or(s.Zone, "UTC"))
		} else if s.EndMs > 0 && at.UnixMilli() > s.EndMs || s.StartMs > at.UnixMilli() {
			return invalid("expression", "%s is outside start_ms and end_ms", s.Expression)
		}
	}
	return nil
}

func (s *Spec) checkTimes() error {
	switch {
	case s.StartMs < 0:
		return invalid("start_ms", "%d is before 1970", s.StartMs)
	case s.EndMs < 0:
		return invalid("end_ms", "%d is before 1970", s.EndMs)
	case s.EndMs > 0 && s.EndMs < s.StartMs:
		return invalid("end_ms", "it is before start_ms")
	case s.WindowMs < 0 || s.WindowMs > MostWindowMs:
		return invalid("window_ms", "%d is outside 0 to %d (a day)", s.WindowMs, MostWindowMs)
	case s.Retry.MaxAgeMs != 0 && (s.Retry.MaxAgeMs < LeastAgeMs || s.Retry.MaxAgeMs > MostAgeMs):
		return invalid("retry.max_age_ms", "%d is outside %d to %d", s.Retry.MaxAgeMs, LeastAgeMs, MostAgeMs)
	case s.Retry.Retries != nil && (*s.Retry.Retries < 0 || *s.Retry.Retries > MostRetries):
		return invalid("retry.retries", "%d is outside 0 to %d", *s.Retry.Retries, MostRetries)
	}
	if s.Retry.MaxAgeMs == 0 {
		s.Retry.MaxAgeMs = MostAgeMs
	}
	if s.Retry.Retries == nil {
		most := MostRetries
		s.Retry.Retries = &most
	}
	return nil
}

func (s *Spec) checkRest(ref Ref) error {
	switch s.Missed {
	case "":
		s.Missed = course.All
	case course.All, course.Last, course.None:
	default:
		return invalid("missed", "%.32q is not known: it takes all, last or none", string(s.Missed))
	}
	if n := utf8.RuneCountInString(s.Description); n > mostText {
		return invalid("description", "it has %d characters; %d are possible", n, mostText)
	}
	if len(s.Extra) > mostExtra {
		return invalid("extra", "it has %d bytes; %d are possible", len(s.Extra), mostExtra)
	}
	if len(s.MadeBy) > mostMaker {
		return invalid("made_by", "it has %d bytes; %d are possible", len(s.MadeBy), mostMaker)
	}
	if s.DeadLetters != "" {
		if _, err := queueRef(s.DeadLetters, ref); err != nil {
			return because("dead_letters", err)
		}
	}
	return nil
}

// methods are those of HTTP targets.
var methods = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions}

func (t *Target) check(ref Ref) error {
	places := 0
	for _, p := range []string{t.Topic, t.Queue, t.Bus, t.SNS, t.Function, t.URL} {
		if p != "" {
			places++
		}
	}
	if places != 1 {
		return invalid("target", "it takes one of topic, queue, bus, sns, function and url, and has %d of them", places)
	}
	if len(t.Input) > MostInput {
		return invalid("target.input", "it has %d bytes; %d are possible", len(t.Input), MostInput)
	}
	if len(t.Key) > mostKey {
		return invalid("target.key", "it has %d bytes; %d are possible", len(t.Key), mostKey)
	}
	if err := t.checkHeaders(); err != nil {
		return err
	}
	if t.Bus == "" && t.Type+t.Source != "" {
		return invalid("target.type", "type and source are for a bus")
	}
	if t.URL != "" {
		return t.checkURL()
	}
	if t.Method != "" {
		return invalid("target.method", "it is for a url")
	}
	return t.checkPlace(ref)
}

func (t *Target) checkURL() error {
	u, err := url.Parse(t.URL)
	switch {
	case err != nil:
		return because("target.url", err)
	case len(t.URL) > mostURL:
		return invalid("target.url", "it has %d characters; %d are possible", len(t.URL), mostURL)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil:
		return invalid("target.url", "it must be https://HOST/… (or http://), without a user in it")
	}
	t.Method = or(strings.ToUpper(t.Method), http.MethodPost)
	if !slices.Contains(methods, t.Method) {
		return invalid("target.method", "%.16q is not known: it takes %s", t.Method, strings.Join(methods, ", "))
	}
	return t.checkNames()
}

// checkNames refuses names of headers that HTTP does not have, and those that are the
// same to it.
func (t *Target) checkNames() error {
	seen := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(t.Headers)) {
		if strings.ContainsAny(k, `"(),/:;<=>?@[\]{}`) {
			return invalid("target.headers", "%.64q is no name of a header of HTTP: letters, digits and !#$%%&'*+-.^_`|~ are possible", k)
		}
		if other, ok := seen[http.CanonicalHeaderKey(k)]; ok {
			return invalid("target.headers", "%.64q and %.64q are the same header of HTTP", other, k)
		}
		seen[http.CanonicalHeaderKey(k)] = k
	}
	return nil
}

// checkHeaders refuses what no header of HTTP can be, for all kinds of target.
func (t *Target) checkHeaders() error {
	if len(t.Headers) > mostHeaders {
		return invalid("target.headers", "there are %d; %d are possible", len(t.Headers), mostHeaders)
	}
	for k, v := range t.Headers {
		bad := func(r rune) bool { return r < ' ' || r == 0x7f }
		if k == "" || len(k)+len(v) > mostHeader || strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) || strings.ContainsFunc(v, bad) {
			return invalid("target.headers", "%.64q is no header, or longer than %d bytes with its value", k, mostHeader)
		}
	}
	return nil
}

// Check tells what is wrong with a Spec by itself, whatever the time is: whether what it
// names is there is not asked.
func Check(ref Ref, s Spec) error { return s.check(ref, nil, 0) }
