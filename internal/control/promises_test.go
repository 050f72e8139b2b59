package control

import (
	"testing"

	"ottla/internal/controller"
)

// TestWhatACommandPromisesIsTold as the table has it; what is no command promises
// nothing.
func TestWhatACommandPromisesIsTold(t *testing.T) {
	for _, c := range []struct {
		cmd                 any
		repeatable, serving bool
	}{
		{controller.CreateTopics{}, false, true},
		{controller.RegisterBroker{}, true, false},
		{controller.AlterPartition{}, false, false},
		{"nonsense", false, false},
	} {
		if Repeatable(c.cmd) != c.repeatable || Serving(c.cmd) != c.serving {
			t.Errorf("%T: repeatable %v, serving %v", c.cmd, Repeatable(c.cmd), Serving(c.cmd))
		}
	}
}
