package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// maxFileBytes bounds a settings file; a real one is a few kilobytes.
const maxFileBytes = 1 << 20

// Layer is one source of start-up settings. Later layers win over earlier.
type Layer struct {
	Name     string
	Settings []Setting
	// Strict makes a name that no setting has a mistake; otherwise it is
	// reported and passed over, as Kafka does.
	Strict bool
}

// Defaults are what a command starts from (ottla dev, serve).
func Defaults(command string, values map[string]string) Layer {
	l := Layer{Name: command, Strict: true}
	for _, name := range sortedKeys(values) {
		l.Settings = append(l.Settings, Setting{Name: name, Value: values[name], From: Place{What: command}})
	}
	return l
}

// File reads a settings file: Kafka's server.properties or our YAML, told
// apart by the name's ending, else by the content.
func File(name string, content []byte) (Layer, error) {
	if len(content) > maxFileBytes {
		return Layer{}, fmt.Errorf("%s has %d bytes; a settings file has at most %d", name, len(content), maxFileBytes)
	}
	text := strings.TrimPrefix(string(content), "\ufeff")
	if isProperties(name, text) {
		s, err := parseProperties(name, text)
		return Layer{Name: name, Settings: s}, err
	}
	s, err := parseYAML(name, text)
	for i := range s {
		s[i].units = true
	}
	return Layer{Name: name, Settings: s, Strict: true}, err
}

// isProperties looks at the ending, then at the first line that says anything:
// a "=" before any ": " makes it a properties file.
func isProperties(name, text string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".properties":
		return true
	case ".yaml", ".yml":
		return false
	}
	for _, line := range splitLines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' || line == "---" {
			continue
		}
		equals, colon := strings.IndexByte(line, '='), strings.Index(line+" ", ": ")
		return equals >= 0 && (colon < 0 || equals < colon)
	}
	return false
}

// Flags reads KEY=VALUE pairs (--set).
func Flags(pairs []string) (Layer, error) {
	l := Layer{Name: "--set", Strict: true}
	for _, p := range pairs {
		key, value, ok := strings.Cut(p, "=")
		at := Place{What: "--set", Key: p}
		if !ok || strings.TrimSpace(key) == "" {
			return l, Mistakes{{At: at, What: "want KEY=VALUE, as in --set log.retention.ms=7d"}}
		}
		l.Settings = append(l.Settings, Setting{Name: strings.TrimSpace(key), Value: value, From: Place{What: "--set"}, units: true})
	}
	return l, nil
}

// Load puts layers on top of each other, checks everything and sorts it for
// the start report. Mistakes in any layer, even in values that another covers,
// and settings that would be refused (Report.Refused) are the error; the
// report is there in either case.
func Load(layers ...Layer) (*Static, *Report, error) {
	s := &Static{values: map[string]Setting{}}
	r := &Report{}
	var mistakes Mistakes
	extra := map[string]Setting{}
	for _, l := range layers {
		for _, given := range l.withNewNames() {
			def := Lookup(ScopeBroker, given.Name)
			switch {
			case def == nil && isListenerOverride(given.Name):
				extra[given.Name] = given
			case def == nil && notes[given.Name] != nil:
				extra[given.Name] = given
			case def == nil && l.Strict:
				mistakes = append(mistakes, unknown(given.Name, given.nameAt()))
			case def == nil:
				extra[given.Name] = given
			case def.DynamicOnly:
				mistakes = append(mistakes, &Mistake{At: given.nameAt(), What: def.Name + " can only be set while the cluster runs, not at start"})
			default:
				normal, m := def.take(given)
				if m != nil {
					mistakes = append(mistakes, m)
					continue
				}
				given.Value = normal
				s.values[given.Name] = given
			}
		}
	}
	mistakes = append(mistakes, crossCheck(s)...)
	r.fill(s, extra)
	if len(mistakes) > 0 {
		return s, r, mistakes
	}
	return s, r, r.err()
}

// olderNames are settings that say the same as a newer one.
var olderNames = map[string]string{"broker.id": "node.id", "log.dir": "log.dirs"}

// withNewNames adds the newer name's setting where a layer has only the older:
// a file's log.dir shall win over a command's log.dirs.
func (l Layer) withNewNames() []Setting {
	has := map[string]bool{}
	for i := range l.Settings {
		has[l.Settings[i].Name] = true
	}
	out := l.Settings
	for i := range l.Settings {
		s := l.Settings[i]
		if newer := olderNames[s.Name]; newer != "" && !has[newer] && strings.TrimSpace(s.Value) != "-1" {
			s.Name = newer
			out = append(out[:len(out):len(out)], s)
		}
	}
	return out
}

// take checks one given value and returns its normal form.
func (d *Def) take(given Setting) (string, *Mistake) {
	value := given.Value
	if given.units {
		plain, err := d.withoutUnit(value)
		if err != nil {
			return "", &Mistake{At: given.From, What: fmt.Sprintf("%s is %s: %v; want %s", d.Name, d.given(given.Value), err, d.want(true))}
		}
		value = plain
	}
	normal, err := d.Check(value)
	if err != nil {
		return "", &Mistake{At: given.From, What: fmt.Sprintf("%s is %s, want %s", d.Name, d.given(given.Value), d.want(given.units))}
	}
	return normal, nil
}

// isListenerOverride knows listener.name.NAME.SETTING, which sets something
// for one listener.
func isListenerOverride(name string) bool { return strings.HasPrefix(name, "listener.name.") }
