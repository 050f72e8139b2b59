//go:build linux

package main

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"ottla/test/realfault"
)

func TestRowsAreChosenByNumber(t *testing.T) {
	all, err := choose("")
	if err != nil || len(all) != len(rows) {
		t.Fatalf("%d rows, %v, want all %d", len(all), err, len(rows))
	}
	got, err := choose("13, 1")
	if err != nil || len(got) != 3 || got[0].number != "13a" || got[1].number != "13b" || got[2].number != "1" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose("3"); err == nil {
		t.Error("a row of clusters was chosen")
	}
}

func TestAFaultThatWasNotHitFailsItsRow(t *testing.T) {
	for _, c := range []struct {
		r    result
		want verdict
	}{
		{result{hits: 1}, clean},
		{result{hits: 0}, failed},
		{result{hits: 5, err: errors.New("lost")}, failed},
		{result{err: &realfault.Impossible{Reason: "no root"}}, impossible},
	} {
		if got := c.r.verdict(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.r, got, c.want)
		}
	}
	if bad := table([]result{{hits: 1}, {}, {err: errors.New("lost")}}); bad != 2 {
		t.Errorf("%d rows failed, want 2", bad)
	}
}

func TestEachDamageDamages(t *testing.T) {
	for codec := range codecs {
		good, err := batch(codec, 5, 20)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(seal(slices.Clone(good)), good) {
			t.Errorf("codec %d: a good batch changes when it is sealed", codec)
		}
		for _, d := range damages() {
			if bytes.Equal(d.do(slices.Clone(good)), good) {
				t.Errorf("codec %d: %s leaves the batch as it was", codec, d.name)
			}
		}
	}
}

func TestSizedRequestsHaveTheirLength(t *testing.T) {
	for _, a := range absurdities() {
		if len(a.bytes) == 0 {
			t.Errorf("%s sends nothing", a.name)
		}
	}
	if got := sized([]byte("abc")); !bytes.Equal(got, []byte("\x00\x00\x00\x03abc")) {
		t.Errorf("%q", got)
	}
}
