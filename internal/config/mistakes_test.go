package config

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestMistakesAreToldWithPlaceAndMend holds what people read when they got a
// setting wrong. Commands: yaml, properties, set and env (one per line).
func TestMistakesAreToldWithPlaceAndMend(t *testing.T) {
	cases := 0
	datadriven.RunTest(t, "testdata/mistakes.txt", func(t *testing.T, d *datadriven.TestData) string {
		cases++
		layer, err := layerOf(d)
		if err != nil {
			return err.Error() + "\n"
		}
		_, r, err := Load(layer)
		out := ""
		if err != nil {
			out = err.Error() + "\n"
		}
		for _, l := range r.Unknown {
			out += "unknown: " + l.From.String() + ": " + l.Name + " " + l.Why + "\n"
		}
		if out == "" {
			t.Errorf("%s: no mistake in %q", d.Pos, d.Input)
		}
		return out
	})
	if cases < 100 {
		t.Errorf("%d cases, want 100 and more", cases)
	}
}

func layerOf(d *datadriven.TestData) (Layer, error) {
	switch d.Cmd {
	case "yaml":
		return File("ottla.yaml", []byte(d.Input))
	case "properties":
		return File("server.properties", []byte(d.Input))
	case "set":
		return Flags(strings.Split(d.Input, "\n"))
	}
	return Environment(strings.Split(d.Input, "\n")), nil
}
