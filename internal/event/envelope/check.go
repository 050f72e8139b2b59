package envelope

import (
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"
)

// Bounds on attributes. They keep the headers of a record small.
const (
	MaxAttribute  = 64 << 10 // bytes of one text
	MaxExtensions = 128
	MaxName       = 64 // bytes of an extension's name
)

// Check tells whether a door may take the event, by CloudEvents' rules.
func (e *Event) Check() error {
	for _, a := range [...]struct {
		called, text string
		must         bool
	}{
		{"id", e.ID, true}, {"source", e.Source, true}, {"type", e.Type, true},
		{"subject", e.Subject, false}, {"time", e.Time, false}, {"datacontenttype", e.DataContentType, false}, {"dataschema", e.DataSchema, false},
	} {
		if a.must && a.text == "" {
			return fmt.Errorf("the event has no %s", a.called)
		}
		if err := checkText(a.called, a.text); err != nil {
			return err
		}
	}
	if strings.ContainsAny(e.Source, " <>\"\\^`{|}") {
		return fmt.Errorf("source is %.80q, which is no URI reference: write what it cannot have as %%20 and so on", e.Source)
	}
	if _, ok := ParseTime(e.Time); e.Time != "" && !ok {
		return fmt.Errorf("time is %.60q; want RFC 3339, as 2026-11-26T16:00:00Z", e.Time)
	}
	if e.DataContentType != "" {
		if _, _, err := mime.ParseMediaType(e.DataContentType); err != nil {
			return fmt.Errorf("datacontenttype is %.80q; want a media type, as %s", e.DataContentType, JSON)
		}
	}
	return e.checkExtensions()
}

func (e *Event) checkExtensions() error {
	if len(e.Extensions) > MaxExtensions {
		return fmt.Errorf("the event has %d extension attributes; %d are possible", len(e.Extensions), MaxExtensions)
	}
	var version string
	for _, x := range e.Extensions {
		if !Name(x.Name) || len(x.Name) > MaxName || e.attribute(x.Name, &version) != nil {
			return fmt.Errorf("%.80q is no name of an extension attribute: those have up to %d letters a-z and digits", x.Name, MaxName)
		}
		if err := checkText(x.Name, x.Value); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what CloudEvents' texts cannot have.
func checkText(called, text string) error {
	if len(text) > MaxAttribute {
		return fmt.Errorf("%s has %d bytes; at most %d are possible: put it into the data", called, len(text), MaxAttribute)
	}
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool {
		return c < ' ' || c >= 0x7f && c < 0xa0 || c&0xfffe == 0xfffe || c >= 0xfdd0 && c <= 0xfdef
	}) {
		return nil
	}
	return errors.New(called + " has control characters, or bytes that are no UTF-8")
}
