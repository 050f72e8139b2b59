package bus

import (
	"strings"
	"time"
	"unicode/utf8"

	"ottla/internal/event/cron"
	"ottla/internal/event/name"
)

// check tells what is wrong with what a bus is told to be.
func (s *Spec) check(ref Ref) error {
	if err := checkName(ref.Full()); err != nil {
		return err
	}
	if s.Topic != "" {
		if err := checkTopic("topic", s.Topic); err != nil {
			return err
		}
	}
	if s.Partitions < 0 || s.Partitions > 10_000 {
		return invalid("partitions", "%d is outside 1 to 10000", s.Partitions)
	}
	if err := checkRetention(s.RetentionMs); err != nil {
		return err
	}
	if s.DeadLetters != "" {
		if _, err := queueOf("dead_letters", s.DeadLetters, ref.Full()); err != nil {
			return err
		}
	}
	if len(s.Policy) > mostPolicy {
		return invalid("policy", "it has %d bytes; %d are possible", len(s.Policy), mostPolicy)
	}
	return checkWords(s.Description, s.Tags, s.Extra)
}

// checkRetention takes 0, -1, and what is at least a minute.
func checkRetention(ms int64) error {
	if ms < -1 || ms > 0 && ms < 60_000 {
		return invalid("retention_ms", "%d is no time that events stay: 60000 and more are, and -1 for ever", ms)
	}
	return nil
}

func checkTopic(field, topic string) error {
	if err := name.Check(name.Topic, topic); err != nil {
		return because(field, err)
	}
	if strings.HasPrefix(topic, "__") {
		return invalid(field, "%s is a topic that nodes keep for themselves", topic)
	}
	return nil
}

// checkWords checks what every object has for people and doors.
func checkWords(description string, tags, extra map[string]string) error {
	if n := utf8.RuneCountInString(description); n > mostText {
		return invalid("description", "it has %d characters; %d are possible", n, mostText)
	}
	if len(tags) > mostTags {
		return invalid("tags", "there are %d; %d are possible", len(tags), mostTags)
	}
	for k, v := range tags {
		if k == "" || utf8.RuneCountInString(k) > 128 || utf8.RuneCountInString(v) > 256 {
			return invalid("tags", "%.64q is no tag: 1 to 128 characters, with a value of 256 at most", k)
		}
	}
	size := 0
	for k, v := range extra {
		size += len(k) + len(v)
	}
	if size > mostExtra {
		return invalid("extra", "it has %d bytes; %d are possible", size, mostExtra)
	}
	return nil
}

// check tells what is wrong with what a rule is told to be.
func (s *RuleSpec) check() error {
	switch {
	case s.Pattern == "" && s.Schedule == "":
		return invalid("pattern", "a rule has a pattern or a schedule, and this has neither")
	case len(s.Pattern) > mostPattern:
		return invalid("pattern", "it has %d bytes; %d are possible", len(s.Pattern), mostPattern)
	}
	if s.Pattern != "" {
		if _, err := ParsePattern(s.Pattern); err != nil {
			return err
		}
	}
	if s.Schedule != "" {
		switch e, err := cron.Parse(s.Schedule, time.UTC); {
		case err != nil:
			return because("schedule", err)
		case e.Kind() == cron.At:
			return invalid("schedule", "%s is one moment; a rule runs by rate(…) or cron(…), and a schedule of its own may run once", s.Schedule)
		}
	}
	return checkWords(s.Description, s.Tags, s.Extra)
}

// check tells what is wrong with a target of a rule, and fills in what was left out.
func (t *Target) check(rule RuleRef) error {
	if n := utf8.RuneCountInString(t.ID); n < 1 || n > 64 || strings.Trim(t.ID, idLetters) != "" {
		return invalid("id", "%.70q is no id of a target: 1 to 64 letters, digits, ., - and _", t.ID)
	}
	where, err := parsePlace(t.To, rule.Full())
	if err != nil {
		return err
	}
	if len(t.Extra) > mostExtra {
		return invalid("extra", "it has %d bytes; %d are possible", len(t.Extra), mostExtra)
	}
	if t.DeadLetters != "" {
		if _, err := queueOf("dead_letters", t.DeadLetters, rule.Full()); err != nil {
			return err
		}
	}
	if err := t.Retry.check(); err != nil {
		return err
	}
	if err := t.checkCall(where); err != nil {
		return err
	}
	_, err = t.render(where, rule, nil)
	return err
}

const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

func (r *Retry) check() error {
	switch {
	case r.Retries != nil && (*r.Retries < 0 || *r.Retries > MostRetries):
		return invalid("retry.retries", "%d is outside 0 to %d", *r.Retries, MostRetries)
	case r.MaxAgeMs != 0 && (r.MaxAgeMs < LeastAgeMs || r.MaxAgeMs > 14*MostAgeMs):
		return invalid("retry.max_age_ms", "%d is outside %d to %d", r.MaxAgeMs, LeastAgeMs, 14*MostAgeMs)
	case r.Jitter < 0 || r.Jitter > 1 || r.Jitter != r.Jitter:
		return invalid("retry.jitter", "%v is outside 0 to 1", r.Jitter)
	case len(r.WaitsMs) > MostRetries:
		return invalid("retry.waits_ms", "there are %d; %d are possible", len(r.WaitsMs), MostRetries)
	}
	for _, w := range r.WaitsMs {
		if w < 0 || w > MostAgeMs {
			return invalid("retry.waits_ms", "%d is outside 0 to %d", w, MostAgeMs)
		}
	}
	return nil
}

// checkCall checks what a target has for calls, and refuses it where none is made.
func (t *Target) checkCall(where place) error {
	if err := t.checkHeaders(); err != nil {
		return err
	}
	call := where.url != "" || where.destination != (name.Ref{})
	switch {
	case t.Concurrency < 0 || t.Concurrency > 1000:
		return invalid("concurrency", "%d is outside 1 to 1000", t.Concurrency)
	case t.Rate < 0 || t.Rate > 1e6 || t.Rate != t.Rate:
		return invalid("rate", "%v is outside 0 to 1000000", t.Rate)
	case t.DeadlineMs < 0 || t.DeadlineMs > 900_000:
		return invalid("deadline_ms", "%d is outside 1 to 900000", t.DeadlineMs)
	case t.Ordered && t.Key == "":
		return invalid("ordered", "it needs a key, whose value calls are ordered by")
	case !call && (t.Method != "" || len(t.Query) > 0 || len(t.Path) > 0 || len(t.Secrets) > 0):
		return invalid("to", "method, query, path and secrets are for addresses that are called, and this is %s", t.To)
	case !call && where.function == "" && (t.Rate > 0 || t.Concurrency > 0 || t.Ordered || t.DeadlineMs > 0):
		return invalid("to", "rate, concurrency, ordered and deadline_ms are for what is called, and this is %s", t.To)
	case where.function == "" && t.Batch != nil:
		return invalid("batch", "it is for functions, and this is %s", t.To)
	case where.destination != (name.Ref{}) && t.Method != "":
		return invalid("method", "the API destination has its own")
	}
	if b := t.Batch; b != nil && (b.Size < 0 || b.Size > 10_000 || b.WindowMs < 0 || b.WindowMs > 300_000) {
		return invalid("batch", "size is 1 to 10000, and window_ms 0 to 300000")
	}
	if err := checkMethod(t.Method); err != nil {
		return err
	}
	if len(t.Secrets) > 10 {
		return invalid("secrets", "there are %d; 10 are possible", len(t.Secrets))
	}
	return nil
}

// checkHeaders refuses what no header of HTTP can be, for all kinds of target.
func (t *Target) checkHeaders() error {
	if len(t.Headers)+len(t.Query)+len(t.Path) > mostHeaders {
		return invalid("headers", "there are more than %d headers, parameters and parts of the path", mostHeaders)
	}
	bad := func(r rune) bool { return r < ' ' || r == 0x7f }
	for k, v := range t.Headers {
		if k == "" || len(k)+len(v) > mostHeader || strings.ContainsFunc(v, bad) ||
			strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
			return invalid("headers", "%.64q is no header, or longer than %d bytes with its value", k, mostHeader)
		}
	}
	for k, v := range t.Query {
		if k == "" || len(k)+len(v) > mostHeader {
			return invalid("query", "%.64q is no parameter, or longer than %d bytes with its value", k, mostHeader)
		}
	}
	for _, v := range t.Path {
		if len(v) > mostHeader {
			return invalid("path", "a part has %d bytes; %d are possible", len(v), mostHeader)
		}
	}
	return nil
}
