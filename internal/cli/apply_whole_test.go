package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// A file was applied up to the first thing that could not be, and --diff told of none:
// whoever looked first, as he should, had half a file applied all the same.
func TestAFileIsAppliedWholeOrNotAtAll(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	do("", "queue", "create", "there").mustHold(t, 0)
	const good = "queues: {made: {}, z: {}}\nbuses: {shop: {}}\nrules:\n  shop/a: {pattern: {source: [a]}, targets: {q: 'queue:made', r: 'queue:there', b: 'bus:default'}}\n"
	for bad, want := range map[string][]string{
		"  shop/b: {pattern: {source: [a]}, target: {q: 'queue:made'}}":                              {"cannot apply rule shop/b", `there is no field "target"; did you mean "targets"?`},
		"  shop/b: {pattern: {source: [a]}, targets: {q: {to: 'queue:made', retires: 1}}}":           {`there is no field "retires"; did you mean "retries"?`},
		"  shop/b: {pattern: {source: [a]}, targets: {q: {to: 'queue:made', rate: fast}}}":           {"targets.rate: it takes a number, and this is a JSON string"},
		"  shop/b: {pattern: {source: [{prefx: a}]}, targets: {q: 'queue:made'}}":                    {"prefx", "did you mean prefix?"},
		"  shop/b: {pattern: {source: [a]}, targets: {q: 'qeue:made'}}":                              {`target q: to: "qeue:made" is no place`},
		"  shop/b: {pattern: {source: [a]}, targets: {q: 'queue:mdae'}}":                             {"target q: to: there is no queue mdae, neither in the cluster nor in the file"},
		"  shp/b: {pattern: {source: [a]}, targets: {q: 'queue:made'}}":                              {"bus: there is no bus shp"},
		"  shop/b: {pattern: {source: [a]}, targets: {q: {to: 'queue:made', retry: {retries: -1}}}}": {"retry.retries: -1 is outside 0 to 185"},
		"schedules: {n: {expression: every day, target: {queue: made}}}":                             {"cannot apply schedule default/n", "expression: every day"},
		"schedules: {n: {expression: rate(1 day), zone: Europe/Berln, target: {queue: made}}}":       {"Europe/Berln"},
		"  shop/b: {pattern: {source: [a]}, targets: {q: {to: 'queue:made', dead_letters: faild}}}":  {"target q: dead_letters: there is no queue faild"},
		"schedules: {n: {expression: rate(1 day), target: {queue: mdae}}}":                           {"target.queue: there is no queue mdae, neither in the cluster nor in the file"},
		"schedules: {n: {expression: rate(1 day), target: {bus: shp}}}":                              {"target.bus: there is no bus shp"},
		"schedules: {n: {expression: rate(1 day), target: {queue: made}, dead_letters: faild}}":      {"cannot apply schedule default/n", "dead_letters: there is no queue faild, neither in the cluster nor in the file"},
		"---\nbuses: {all: {dead_letters: faild}}":                                                   {"cannot apply bus all", "dead_letters: there is no queue faild, neither in the cluster nor in the file"},
		"archives: {all: {bus: shp}}":                                                                {"cannot apply archive all", "there is no bus shp"},
		"destinations: {d: {connection: c, url: 'https://example.org/'}}":                            {"there is no connection c"},
		"mappings: {m: {source: 'queu:made', function: f}}":                                          {"cannot apply mapping m", "queu:made"},
		"---\nqueues: {y: {visiblity: 1m}}":                                                          {`there is no field "visiblity"; did you mean "visibility_ms"?`},
		"---\nqueues: {y: {dead_letter: {queue: nodlq, max_receives: 3}}}":                           {"dead_letter: there is no queue nodlq"},
		"---\nqueues: {y: {visibility: 13h}}":                                                        {"the visibility timeout in ms is 46800000; 0 to 43200000 are possible"},
		"---\nqueues: {made: {}}":                                                                    {"queues: made stands in two documents"},
	} {
		for _, flags := range [][]string{{"--diff"}, nil} {
			do(good+bad, append([]string{"apply", "-f", "-"}, flags...)...).mustHold(t, fail.Usage, want...)
		}
	}
	if r := do("", "queue", "list", "-o", "name"); strings.TrimSpace(r.out) != "there" {
		t.Errorf("after files that cannot be there are the queues %q", r.out)
	}
	r := do(good+"  shop/b: {pattern: {source: a}}\n  shop/c: {patern: {}}\n", "apply", "-f", "-")
	r.mustHold(t, fail.Usage, "cannot apply rule shop/b", "cannot apply rule shop/c", "nothing of it was applied")
	do(good, "apply", "-f", "-", "--diff").mustHold(t, 0, "would be created")
	do(good, "apply", "-f", "-").mustHold(t, 0, "created")
	do("queues: {failed: {}}\nbuses: {all: {dead_letters: failed}}\nschedules: {n: {expression: rate(1 day), target: {queue: made}, dead_letters: failed}}\n", "apply", "-f", "-").mustHold(t, 0, "created")
	do(good+"---\nqueues: {second: {}}\n---\n", "apply", "-f", "-", "-o", "csv").mustHold(t, 0, "queue,made,unchanged", "queue,second,created")
}

// Of a file in which a program made one mistake five hundred times some are told.
func TestAFileOfManyMistakesTellsSome(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	var file strings.Builder
	file.WriteString("rules:\n")
	for i := range 500 {
		fmt.Fprintf(&file, "  r%d: {patern: {source: [a]}}\n", i)
	}
	r := do(file.String(), "apply", "-f", "-")
	r.mustHold(t, fail.Usage, "480 more things cannot be applied")
	if n := strings.Count(r.err+r.out, "patern"); n != 20 {
		t.Errorf("%d mistakes are told, want 20", n)
	}
}

func TestQueuesAreMadeInTheOrderOfTheirDeadLetters(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	const file = "queues:\n  a: {dead_letter: {queue: b, max_receives: 3}}\n  b: {dead_letter: {queue: c, max_receives: 3}}\n  c: {}\n"
	r := do(file, "apply", "-f", "-", "-o", "csv")
	r.mustHold(t, 0)
	if c, b, a := strings.Index(r.out, "queue,c,"), strings.Index(r.out, "queue,b,"), strings.Index(r.out, "queue,a,"); c < 0 || c > b || b > a {
		t.Errorf("they were made so:\n%s", r.out)
	}
	do("queues: {x: {dead_letter: {queue: y, max_receives: 3}}, y: {dead_letter: {queue: x, max_receives: 3}}}", "apply", "-f", "-").mustHold(t, fail.Usage, "cannot apply queue")
}

// Rules wait for the disk, each for itself: applied one by one, a file of some hundreds
// took as many syncs. Here none is answered before two are under way.
func TestThingsThatDoNotNeedEachOtherAreAppliedAtOnce(t *testing.T) {
	var mu sync.Mutex
	rules, two := 0, make(chan struct{})
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or a client that gives up is not seen
		put, isRule := r.Method == http.MethodPut, strings.Contains(r.URL.Path, "/rules/")
		mu.Lock()
		if put && !isRule && rules > 0 {
			t.Errorf("%s after a rule", r.URL)
		}
		if put && isRule {
			if rules++; rules == 2 {
				close(two)
			}
		}
		mu.Unlock()
		switch {
		case put && isRule:
			select {
			case <-two:
			case <-r.Context().Done():
			}
		case !put:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"NOT_FOUND","message":"there is none"}}`)
			return
		}
		_, _ = io.WriteString(w, "{}")
	}))
	defer node.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var out, errOut strings.Builder
	code := Run(ctx, []string{"apply", "-f", "-", "-o", "csv", "--timeout", "20s", "--http", strings.TrimPrefix(node.URL, "http://")},
		strings.NewReader("queues: {q: {}}\nbuses: {shop: {}}\nrules: {shop/a: {pattern: {source: [a]}, targets: {q: 'queue:q'}}, shop/b: {pattern: {source: [b]}}}\n"), &out, &errOut)
	if want := "queue,q,created,\nbus,shop,created,\nrule,shop/a,created,\nrule,shop/b,created,\n"; code != 0 || !strings.HasSuffix(out.String(), want) {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}
