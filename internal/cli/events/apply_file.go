package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"ottla/internal/event/bus"
	"ottla/internal/event/letter"
	"ottla/internal/event/mapping"
)

// kind is a kind of thing that a file names: by the word of its section.
type kind struct {
	section, word, path string
	parts               int  // of a name: BUS/RULE has two
	whole               bool // PUT again puts another in its place
	tidy                func(fields map[string]any) error
}

// kinds are in the order in which they are applied: what is named stands before what
// names it.
var kinds = []kind{
	{"queues", "queue", "q", 1, false, tidyQueue},
	{"buses", "bus", "bus", 1, false, nil},
	{"archives", "archive", "archive", 1, false, tidyArchive},
	{"connections", "connection", "connection", 1, true, nil},
	{"destinations", "destination", "destination", 1, true, nil},
	{"rules", "rule", "bus", 2, true, tidyRule},
	{"schedules", "schedule", "schedule", 2, true, nil},
	{"mappings", "mapping", "mapping", 1, true, tidyMapping},
}

// thing is one object that a file describes.
type thing struct {
	kind   *kind
	name   string
	parts  []string // of its path
	fields map[string]any
	level  int // things of a kind that others of it need have lower ones
}

// spans are the fields that may be told as times with a unit: retention: 7d is
// retention_ms: 604800000.
var spans = []string{"retention", "visibility", "delay", "wait", "window", "max_age", "deadline"}

// readThings reads a file.
func readThings(text []byte) ([]thing, error) {
	sections, err := readSections(text)
	if err != nil {
		return nil, err
	}
	var out []thing
	for i := range kinds {
		k := &kinds[i]
		all := sections[k.section]
		delete(sections, k.section)
		for _, name := range k.order(all) {
			x, err := k.thing(name, all[name])
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", k.word, name, err)
			}
			if k.section == "queues" {
				x.level = levelOf(all, name)
			}
			out = append(out, x)
		}
	}
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		return nil, fmt.Errorf("%q is no section: there are queues, buses, archives, connections, destinations, rules, schedules and mappings", section)
	}
	return out, nil
}

func (k *kind) thing(name string, fields map[string]any) (thing, error) {
	x := thing{kind: k, name: name, parts: []string{name}, fields: fields}
	if x.fields == nil {
		x.fields = map[string]any{}
	}
	if k.parts == 2 {
		at := strings.LastIndexByte(name, '/')
		owner, own := "default", name
		if at >= 0 {
			owner, own = name[:at], name[at+1:]
		}
		x.name, x.parts = owner+"/"+own, []string{owner, own}
		if k.word == "rule" {
			x.parts = []string{owner, "rules", own}
		}
	}
	if err := milliseconded(x.fields); err != nil {
		return x, err
	}
	if k.tidy != nil {
		return x, k.tidy(x.fields)
	}
	return x, nil
}

// milliseconded turns times with a unit into fields that end in _ms, in what is
// inside too.
func milliseconded(fields map[string]any) error {
	for _, name := range spans {
		text, ok := fields[name].(string)
		if !ok {
			continue
		}
		delete(fields, name)
		if text == "forever" {
			fields[name+"_ms"] = json.Number("-1")
			continue
		}
		d, err := letter.Duration(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fields[name+"_ms"] = json.Number(fmt.Sprint(d.Milliseconds()))
	}
	if inside, ok := fields["retry"].(map[string]any); ok {
		return milliseconded(inside)
	}
	return nil
}

// objectNamed is how the door tells another object: by its name alone where a file says
// just that.
func objectNamed(v any) any {
	if text, ok := v.(string); ok {
		return map[string]any{"name": text}
	}
	return v
}

func tidyQueue(fields map[string]any) error {
	if d, ok := fields["dead_letter"].(map[string]any); ok {
		d["queue"] = objectNamed(d["queue"])
	}
	return nil
}

func tidyArchive(fields map[string]any) error {
	if fields["bus"] != nil {
		fields["bus"] = objectNamed(fields["bus"])
	}
	if n, ok := fields["retention_ms"].(json.Number); ok && n == "-1" {
		fields["retention_ms"] = json.Number("0")
	}
	return tidyPattern(fields)
}

// tidyPattern writes a pattern that is told as YAML as the text that it is.
func tidyPattern(fields map[string]any) error {
	if _, isText := fields["pattern"].(string); isText || fields["pattern"] == nil {
		return nil
	}
	text, err := plainJSON(fields["pattern"])
	fields["pattern"] = string(text)
	return err
}

// tidyMapping writes filters that are told as YAML as the texts that they are.
func tidyMapping(fields map[string]any) error {
	if text, ok := fields["dead_letters"].(string); ok && text != "" && !strings.Contains(text, ":") {
		fields["dead_letters"] = "queue:" + text
	}
	if fields["filters"] == nil {
		return nil
	}
	list, ok := fields["filters"].([]any)
	if !ok {
		return fmt.Errorf("filters: want a list of patterns")
	}
	out := make([]any, len(list))
	for i, f := range list {
		if out[i] = f; f == nil {
			return fmt.Errorf("filters: number %d is empty", i+1)
		}
		if _, isText := f.(string); isText {
			continue
		}
		text, err := plainJSON(f)
		if err != nil {
			return fmt.Errorf("filters: number %d: %w", i+1, err)
		}
		out[i] = string(text)
	}
	fields["filters"] = out
	return nil
}

func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// tidyRule makes a list of a rule's targets, which a file tells by their ids.
func tidyRule(fields map[string]any) error {
	targets, ok := fields["targets"].(map[string]any)
	if !ok {
		if fields["targets"] != nil {
			return fmt.Errorf("targets: want ids, each with its fields")
		}
		fields["targets"] = []any{}
		return tidyPattern(fields)
	}
	var list []any
	for _, id := range slices.Sorted(maps.Keys(targets)) {
		t, ok := targets[id].(map[string]any)
		if to, isText := targets[id].(string); isText {
			t, ok = map[string]any{"to": to}, true
		}
		if !ok {
			return fmt.Errorf("target %s: want where it is, or its fields", id)
		}
		t["id"] = id
		if err := milliseconded(t); err != nil {
			return fmt.Errorf("target %s: %w", id, err)
		}
		list = append(list, t)
	}
	fields["targets"] = list
	return tidyPattern(fields)
}

// body is what is sent; there tells whether the thing is there already.
func (x *thing) body(there bool) map[string]any {
	body := maps.Clone(x.fields)
	if x.kind.word == "queue" && !there && strings.HasSuffix(x.name, ".fifo") {
		body["fifo"] = true
	}
	if there && x.kind.word == "archive" {
		delete(body, "bus")
	}
	return body
}

// told are fields that a door adds to what it was told, and that do not count.
var told = []string{"from", "stands", "disabled"}

// differs names the fields in which a thing is not as the file says.
func (x *thing) differs(now map[string]any) (out []string) {
	for _, field := range slices.Sorted(maps.Keys(x.fields)) {
		if !same(field, x.fields[field], now[field]) {
			out = append(out, field)
		}
	}
	var rest []string // what is there and was not told goes
	switch x.kind.word {
	case "rule":
		rest = []string{"schedule", "description", "paused", "disabled", "tags"}
	case "destination":
		rest = []string{"description", "rate"}
		if now["method"] != http.MethodPost {
			rest = append(rest, "method")
		}
	case "mapping":
		rest = x.unsaid(now)
	}
	for _, field := range rest {
		if _, given := x.fields[field]; !given && (field == "retries" || !empty(now[field])) {
			out = append(out, field)
		}
	}
	return out
}

// unsaid are the fields of a mapping that go where a file does not tell them.
func (x *thing) unsaid(now map[string]any) []string {
	rest := []string{"description", "paused", "window_ms", "report_failures", "bisect", "max_age_ms", "dead_letters", "filters"}
	if now["retries"] != nil { // none at all is something
		rest = append(rest, "retries")
	}
	batch := mapping.DefaultQueueBatch
	if source, _ := now["source"].(string); strings.HasPrefix(source, "topic:") {
		batch = mapping.DefaultTopicBatch
	} else if plainNumbers(now["concurrency"]) != float64(mapping.DefaultConcurrency) {
		rest = append(rest, "concurrency")
	}
	if plainNumbers(now["batch"]) != float64(batch) {
		rest = append(rest, "batch")
	}
	if plainNumbers(now["deadline_ms"]) != float64(mapping.DefaultDeadlineMs) {
		rest = append(rest, "deadline_ms")
	}
	return rest
}

// same compares a field as a file has it with what the door tells, which has more
// than what it was told.
func same(field string, want, got any) bool {
	switch field {
	case "pattern":
		return reflect.DeepEqual(plainNumbers(parsed(want)), plainNumbers(parsed(got)))
	case "filters":
		return reflect.DeepEqual(eachParsed(want), eachParsed(got))
	case "retries": // none is something else than no bound
		return reflect.DeepEqual(plainNumbers(want), plainNumbers(got))
	case "targets":
		return reflect.DeepEqual(pruned(tidied(want)), pruned(tidied(got)))
	}
	return within(plainNumbers(want), plainNumbers(got))
}

// within tells whether all that is wanted is there.
func within(want, got any) bool {
	if empty(want) && empty(got) {
		return true
	}
	w, ok := want.(map[string]any)
	g, both := got.(map[string]any)
	if !ok || !both {
		return reflect.DeepEqual(want, got)
	}
	for k, v := range w {
		if !within(v, g[k]) {
			return false
		}
	}
	return true
}

// plainNumbers makes numbers comparable, whoever read them.
func plainNumbers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			out[k] = plainNumbers(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = plainNumbers(x[i])
		}
		return out
	case json.Number:
		if f, err := x.Float64(); err == nil {
			return f
		}
		return x.String()
	}
	return v
}

// parsed reads JSON that is told as text.
func parsed(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	var out any
	if json.Unmarshal([]byte(text), &out) != nil {
		return text
	}
	return out
}

// eachParsed reads a list of JSON that is told as texts.
func eachParsed(v any) []any {
	list, _ := v.([]any)
	out := make([]any, len(list))
	for i := range list {
		out[i] = plainNumbers(parsed(list[i]))
	}
	return out
}

// tidied are targets without what the door adds to them, and with prints of their
// secrets.
func tidied(v any) any {
	list, _ := v.([]any)
	out := make([]any, 0, len(list))
	for _, x := range list {
		m, _ := x.(map[string]any)
		m = maps.Clone(m)
		for _, field := range told {
			delete(m, field)
		}
		if secrets, ok := m["secrets"].([]any); ok {
			prints := make([]any, len(secrets))
			for i, s := range secrets {
				if prints[i] = s; !strings.HasPrefix(fmt.Sprint(s), bus.PrintBegin) {
					prints[i] = bus.PrintOf(fmt.Sprint(s))
				}
			}
			m["secrets"] = prints
		}
		out = append(out, m)
	}
	return out
}

// pruned is plainNumbers without the fields that say nothing.
func pruned(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			if e = pruned(e); !empty(e) {
				out[k] = e
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = pruned(x[i])
		}
		return out
	}
	return plainNumbers(v)
}

// empty tells whether a value is what a field has of which nothing was said.
func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case bool:
		return !x
	case float64:
		return x == 0
	case map[string]any:
		return len(x) == 0
	case []any:
		return len(x) == 0
	}
	return false
}
