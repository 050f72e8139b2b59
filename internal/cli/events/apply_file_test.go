package events

import (
	_ "embed"
	"testing"
)

//go:embed testdata/shop.yaml
var seedOfApply string

func FuzzFilesOfApply(f *testing.F) {
	f.Add(seedOfApply)
	f.Add("queues: {a: 1}")
	f.Add("mappings: {a: {source: 'queue:a', function: b, retries: 0, filters: [{body: [1]}, '{']}}")
	f.Fuzz(func(t *testing.T, text string) {
		things, err := readThings([]byte(text))
		if err != nil {
			return
		}
		for i := range things {
			if d := things[i].differs(things[i].fields); len(d) > 0 {
				t.Errorf("%s %s differs from itself in %v", things[i].kind.word, things[i].name, d)
			}
		}
	})
}
