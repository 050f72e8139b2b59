package config

import (
	"fmt"
	"strings"
)

// Report sorts what a node was started with: what acts, what is known and
// without effect here, what nobody knows, and what must be refused.
type Report struct {
	Acting   []ReportLine
	Harmless []ReportLine
	Unknown  []ReportLine
	Refused  []ReportLine
}

// ReportLine is one given setting.
type ReportLine struct {
	Setting
	Why string // for refused and some harmless and unknown ones
}

// shown is the setting in the report; without a value, the name alone.
func (l *ReportLine) shown() string {
	if l.Value == "" {
		return l.Name
	}
	return l.Name + " = " + l.Value
}

// RefusedError stops a start: promises would be made that cannot be kept.
type RefusedError struct{ Lines []ReportLine }

// Error lists the refused settings with their reasons.
func (e *RefusedError) Error() string {
	var b strings.Builder
	what := "a setting asks"
	if len(e.Lines) > 1 {
		what = fmt.Sprintf("%d settings ask", len(e.Lines))
	}
	fmt.Fprintf(&b, "nothing was started: %s for what cannot be kept", what)
	for _, l := range e.Lines {
		fmt.Fprintf(&b, "\n  %s: %s = %s: %s", l.From, l.Name, l.Value, l.Why)
	}
	b.WriteString("\ntake out what is not needed; what is needed cannot be had here yet")
	return b.String()
}

func (r *Report) err() error {
	if len(r.Refused) == 0 {
		return nil
	}
	return &RefusedError{Lines: r.Refused}
}

// fill sorts the known values and those that no setting has a name for.
func (r *Report) fill(s *Static, extra map[string]Setting) {
	for _, name := range sortedKeys(s.values) {
		given, def := s.values[name], must(ScopeBroker, name)
		line := ReportLine{Setting: given}
		why := refusal(name, given.Value, def)
		if why == "" && (name == "listeners" || name == "advertised.listeners") {
			why = securedByMap(s, given.Value)
		}
		line.Value = def.masked(given.Value)
		switch {
		case why != "":
			line.Why = why
			r.Refused = append(r.Refused, line)
		case def.Acts:
			r.Acting = append(r.Acting, line)
		default:
			r.Harmless = append(r.Harmless, line)
		}
	}
	for _, name := range sortedKeys(extra) {
		r.sortExtra(name, extra[name])
	}
}

func (r *Report) sortExtra(name string, given Setting) {
	line := ReportLine{Setting: given}
	if why := refusal(name, given.Value, nil); why != "" {
		line.Value, line.Why = "***", why // it may be a password
		r.Refused = append(r.Refused, line)
		return
	}
	switch n := notes[name]; {
	case n != nil:
		line.Why = n.text
		r.Harmless = append(r.Harmless, line)
	case isListenerOverride(name):
		line.Why = "listeners have no settings of their own here"
		r.Harmless = append(r.Harmless, line)
	default:
		line.Value = "" // a name nobody knows may hold a secret
		if near := Nearest(ScopeBroker, name); near != "" {
			line.Why = "did you mean " + near + "?"
		}
		r.Unknown = append(r.Unknown, line)
	}
}

// Len counts all settings that were given.
func (r *Report) Len() int {
	return len(r.Acting) + len(r.Harmless) + len(r.Unknown) + len(r.Refused)
}

// String is the start report, a line per setting, without an end of line.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "settings: %d given, %d act, %d without effect here, %d unknown, %d refused",
		r.Len(), len(r.Acting), len(r.Harmless), len(r.Unknown), len(r.Refused))
	width := 0
	groups := []struct {
		word  string
		lines []ReportLine
	}{{"acts", r.Acting}, {"no effect", r.Harmless}, {"unknown", r.Unknown}, {"refused", r.Refused}}
	for _, g := range groups {
		for _, l := range g.lines {
			width = max(width, min(len(l.shown()), 60))
		}
	}
	for _, g := range groups {
		for _, l := range g.lines {
			fmt.Fprintf(&b, "\n  %-9s  %-*s  %s", g.word, width, l.shown(), l.From)
			if l.Why != "" {
				b.WriteString(": " + l.Why)
			}
		}
	}
	return b.String()
}
