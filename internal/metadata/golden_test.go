package metadata

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/uuid"
)

// Golden files (testdata/golden):
//
//	parse   hex bytes, one record a line (spaces do not count): what they say,
//	        and that they are written again as they stand
//	replay  the same, applied one by one: what each changed
//	image   the records that state the image after all that
//
// `go test ./internal/metadata -run Golden -rewrite` writes them anew.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		img := Empty()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			if d.Cmd == "image" {
				for r := range img.Records() {
					fmt.Fprintf(&b, "%s\n", formatRecord(r))
				}
				return b.String()
			}
			for _, line := range strings.Split(d.Input, "\n") {
				raw, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				r, err := Parse(raw)
				if err != nil {
					fmt.Fprintf(&b, "error: %v\n", err)
					continue
				}
				fmt.Fprintf(&b, "%s\n", formatRecord(r))
				if again := Append(nil, r); !bytes.Equal(again, raw) {
					fmt.Fprintf(&b, "  is written as %x\n", again)
				}
				if d.Cmd != "replay" {
					continue
				}
				next, delta, err := img.With(img.Offset+1, 1, r)
				if err != nil {
					fmt.Fprintf(&b, "  does not fit: %v\n", err)
					continue
				}
				img = next
				formatDelta(&b, delta)
			}
			return b.String()
		})
	})
}

func formatDelta(b *strings.Builder, d *Delta) {
	for _, t := range d.Created {
		fmt.Fprintf(b, "  created %s\n", t.Name)
	}
	for _, t := range d.Deleted {
		fmt.Fprintf(b, "  deleted %s with %d partitions\n", t.Name, len(t.Partitions))
	}
	for _, p := range d.Changed {
		fmt.Fprintf(b, "  changed %s-%d: leader %d epoch %d/%d isr %v elr %v\n", p.Topic.Name, p.Index, p.Leader, p.LeaderEpoch, p.PartitionEpoch, p.ISR, p.ELR)
	}
	for _, c := range d.Configs {
		fmt.Fprintf(b, "  configs of %d/%s\n", c.Type, c.Name)
	}
	for _, id := range d.Brokers {
		fmt.Fprintf(b, "  broker %d\n", id)
	}
	if d.Features {
		b.WriteString("  features\n")
	}
}

// formatRecord writes type, version and every field that is not zero.
func formatRecord(r Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d", TypeName(r.RecordType()), r.version())
	v := reflect.ValueOf(r).Elem()
	if v.NumField() == 1 && v.Field(0).Kind() == reflect.Struct && v.Type().Field(0).Anonymous {
		v = v.Field(0)
	}
	formatFields(&b, v)
	return b.String()
}

func formatFields(b *strings.Builder, v reflect.Value) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "below":
		case name == "unknown":
			if f.Field(0).Uint() > 0 {
				fmt.Fprintf(b, " unknown=%x", f.Field(1).String())
			}
		case f.IsZero() && name != "Leader":
		default:
			fmt.Fprintf(b, " %s=%s", name, formatValue(f))
		}
	}
}

func formatValue(f reflect.Value) string {
	switch x := f.Interface().(type) {
	case uuid.UUID:
		return x.String()
	case *string:
		return fmt.Sprintf("%q", *x)
	case string:
		return fmt.Sprintf("%q", x)
	case []byte:
		return fmt.Sprintf("%x", x)
	case []Endpoint, []FeatureRange:
		var b strings.Builder
		for i := range f.Len() {
			b.WriteString("{")
			formatFields(&b, f.Index(i))
			b.WriteString(" }")
		}
		return "[" + b.String() + "]"
	}
	return fmt.Sprint(f.Interface())
}
