package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/event/bus"
	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/rest"
)

// checkAll tells what is wrong with the things of a file before any of them is made: what
// each says, and whether what it names is there or in the file.
func checkAll(ctx context.Context, o *ask.Options, p *ask.PlaceFlags, things []thing) (wrong []error) {
	there := map[string]bool{}
	for i := range things {
		there[things[i].kind.word+":"+things[i].name] = true
	}
	for i := range things {
		x := &things[i]
		what := "cannot apply " + x.kind.word + " " + x.name
		err := x.check(p)
		if err != nil {
			wrong = append(wrong, fail.New(fail.Usage, what, err.Error(), "mend the file; nothing of it was applied"))
			continue
		}
		for _, needed := range x.needs() {
			is, asked := there[needed.of]
			if !asked {
				if is, err = needed.isThere(ctx, o, p); err != nil {
					return append(wrong, err)
				}
				there[needed.of] = is
			}
			if !is {
				wrong = append(wrong, fail.New(fail.Usage, what, needed.field+": there is no "+strings.Replace(needed.of, ":", " ", 1)+", neither in the cluster nor in the file",
					"mend the name, or add it to the file; nothing of it was applied"))
			}
		}
	}
	return wrong
}

// need is a thing without which another cannot be made, and the field that names it.
type need struct{ field, of string }

// paths are where things that are needed are asked for.
var paths = map[string]string{"queue": "q", "bus": "bus", "sns": "sns", "connection": "connection", "destination": "destination"}

func (n need) isThere(ctx context.Context, o *ask.Options, p *ask.PlaceFlags) (bool, error) {
	word, called, _ := strings.Cut(n.of, ":")
	err := o.Ask(ctx, p.HTTP, "cannot read "+word+" "+called, http.MethodGet, native.Path(paths[word], called), p.Query(), nil, nil)
	var f *fail.Failure
	if errors.As(err, &f) && f.Code == fail.NotFound {
		return false, nil
	}
	return err == nil, err
}

// needs are the things that this one cannot be made without. Topics and functions are
// left to the node.
func (x *thing) needs() (out []need) {
	add := func(field, word, called string) {
		if called != "" && !strings.HasPrefix(called, "arn:") && !(word == "bus" && called == bus.Default) {
			out = append(out, need{field, word + ":" + called})
		}
	}
	text := func(v any) string { s, _ := v.(string); return s }
	letters := func(field string, v any) { add(field, "queue", strings.TrimPrefix(text(v), "queue:")) }
	inside := func(field, of string) string {
		m, _ := x.fields[field].(map[string]any)
		if own, ok := m[of].(map[string]any); ok {
			return text(own["name"])
		}
		return text(m[of])
	}
	switch x.kind.word {
	case "queue":
		add("dead_letter", "queue", inside("dead_letter", "queue"))
	case "bus":
		letters("dead_letters", x.fields["dead_letters"])
	case "archive":
		add("bus", "bus", inside("bus", "name"))
	case "destination":
		add("connection", "connection", text(x.fields["connection"]))
	case "schedule":
		for _, word := range []string{"queue", "bus", "sns"} {
			add("target."+word, word, inside("target", word))
		}
		letters("dead_letters", x.fields["dead_letters"])
	case "rule":
		add("bus", "bus", x.parts[0])
		targets, _ := x.fields["targets"].([]any)
		for _, t := range targets {
			m, _ := t.(map[string]any)
			if word, called, _ := strings.Cut(text(m["to"]), ":"); paths[word] != "" {
				add("target "+text(m["id"])+": to", word, called)
			}
			letters("target "+text(m["id"])+": dead_letters", m["dead_letters"])
		}
	}
	return out
}

// check tells what is wrong with a thing by itself.
func (x *thing) check(p *ask.PlaceFlags) error {
	body, err := json.Marshal(x.body(false))
	if err != nil {
		return err
	}
	owner := bus.Ref{Account: p.Account, Region: p.Region, Name: x.parts[0]}
	switch x.kind.word {
	case "queue":
		s := queue.DefaultSpec()
		return first(rest.Strict(body, &s), func() error {
			return queue.Check(queue.Ref{Account: p.Account, Region: p.Region, Name: x.name}, s)
		})
	case "bus":
		var s bus.Spec
		return first(rest.Strict(body, &s), func() error { return bus.CheckBus(owner, s) })
	case "archive":
		var s bus.ArchiveSpec
		return first(rest.Strict(body, &s), func() error { return bus.CheckArchive(s) })
	case "connection":
		return rest.Strict(body, &rest.ConnectionOrder{})
	case "destination":
		return rest.Strict(body, &rest.DestinationOrder{})
	case "rule":
		var s rest.PutRule
		return first(rest.Strict(body, &s), func() error { return bus.CheckRule(owner.Rule(x.parts[2]), s.RuleSpec, s.Targets) })
	case "schedule":
		var s schedule.Spec
		return first(rest.Strict(body, &s), func() error {
			return schedule.Check(schedule.Ref{Account: p.Account, Region: p.Region, Group: x.parts[0], Name: x.parts[1]}, s)
		})
	case "mapping":
		var s mapping.Spec
		return first(rest.Strict(body, &s), func() error {
			return mapping.Check(name.Ref{Kind: name.Mapping, Account: p.Account, Region: p.Region, Name: x.name}, s)
		})
	}
	return fmt.Errorf("%q is no kind of thing", x.kind.word)
}

// first is err, or what follows where there is none.
func first(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}
