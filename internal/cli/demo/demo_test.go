package demo

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestEverythingHappensInTheFirstTwoDozenOrders(t *testing.T) {
	late, poisoned, mislaid, gold := 0, 0, 0, 0
	for n := 1; n <= 24; n++ {
		o := order{n, "run-" + string(rune('0'+n/10)) + string(rune('0'+n%10))}
		data := o.data()
		total, number := data["total"].(int)
		switch {
		case o.late():
			late++
		case o.poisoned():
			poisoned++
		case lost(o.key):
			mislaid++
		case data["tier"] == "gold" && total >= 40:
			gold++
		}
		if number == o.poisoned() {
			t.Errorf("order %d: %v", n, data)
		}
	}
	if late == 0 || poisoned == 0 || mislaid == 0 || gold == 0 {
		t.Errorf("%d late, %d poisoned, %d mislaid, %d with a gift", late, poisoned, mislaid, gold)
	}
	if lost("no-number") || lost("") {
		t.Error("what has no number is mislaid")
	}
}

func TestATallyTellsWhatWasNotSeen(t *testing.T) {
	c := newTally()
	c.add(Placed)
	ctx, cancel := context.WithCancel(context.Background())
	if err := c.await(ctx, Placed); err != nil {
		t.Error(err)
	}
	cancel()
	if err := c.await(ctx, Placed, Shipped); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), string(Shipped)) {
		t.Errorf("got %v", err)
	}
	if line := c.line(); !strings.HasPrefix(line, "  demo  orders 1  paid 0") || len(line) > widest {
		t.Errorf("%q", line)
	}
}

func TestAStatusIsWrittenOverItselfOnATerminalOnly(t *testing.T) {
	for terminal, want := range map[bool]string{
		false: "one\ntwo\nsaid\n",
		true:  "one\r\x1b[Ktwo\r\x1b[Ksaid\nthree\n",
	} {
		var b strings.Builder
		s := &Screen{W: &b, Terminal: terminal}
		s.Status("one")
		s.Status("two")
		s.Say("said")
		if terminal {
			s.Status("three")
		}
		s.End()
		s.End()
		if b.String() != want {
			t.Errorf("terminal %v: %q, want %q", terminal, b.String(), want)
		}
	}
}
