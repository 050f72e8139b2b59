package queues

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/rest"
)

// dlqMoves is "ottla queue move list" where people look for it.
func dlqMoves(o *ask.Options) *cobra.Command {
	c := moveList(o)
	c.Use, c.Short = "moves QUEUE", "List redrives of a queue, the newest first: how far they are, or how they ended"
	return c
}

// dlqCancel is "ottla queue move cancel".
func dlqCancel(o *ask.Options) *cobra.Command {
	c := moveCancel(o)
	c.Short = "End a redrive of a queue; what was put back stays so"
	return c
}

// redriveQueue has the node move letters of a queue, and waits for the end.
func redriveQueue(ctx context.Context, o *ask.Options, p *place, r *redriveFlags) error {
	if r.to == p.queue.Name {
		return fail.Usagef("--to %s: that is where the letters are", r.to)
	}
	goOn, err := agreedQueueLetters(ctx, o, p, r)
	if err != nil || !goOn {
		return err
	}
	what := "cannot put back dead letters of " + p.name
	var m rest.Move
	order := rest.MoveOrder{To: r.to, Rate: r.rate, Where: p.where}
	if err := o.Ask(ctx, r.HTTP, what, http.MethodPost, ask.QueuePath(p.queue.Name, "moves"), r.Query(), order, &m); err != nil {
		return err
	}
	if !r.detach {
		if m, err = movedThere(ctx, o, &r.QueueFlags, p.queue.Name, m, what); err != nil {
			return err
		}
	}
	t := redriveTable()
	t.Add(p.queue.Name, moveTarget(&m), m.Moved, resultOf(&m), m.Handle)
	if m.Status != queue.MoveFailed {
		return o.Print(t)
	}
	if m.Moved == 0 {
		t.Rows = nil
	}
	return o.PrintPartly(t, []error{fail.New(fail.Failed, "not all dead letters of "+p.name+" were put back", m.Failure, "choose others with --where, or name a queue with --to")})
}

func moveTarget(m *rest.Move) any {
	if m.To != "" {
		return m.To
	}
	return "where they came from"
}

// resultOf says what became of letters.
func resultOf(m *rest.Move) string {
	switch m.Status {
	case queue.MoveCompleted:
		return "put back"
	case queue.MoveCancelled, queue.MoveCancelling:
		return "cancelled"
	case queue.MoveFailed:
		return "failed"
	}
	return "under way"
}

// lookAgain is the pause between looks at a move.
const lookAgain = 100 * time.Millisecond

// movedThere waits for the end of a move, and tells a person how far it is.
func movedThere(ctx context.Context, o *ask.Options, q *ask.QueueFlags, name string, m rest.Move, what string) (rest.Move, error) {
	shows := ask.Terminal(o.Err) && o.Format == "table"
	for m.Status == queue.MoveRunning || m.Status == queue.MoveCancelling {
		if shows {
			fmt.Fprintf(o.Err, "\r%s of %d put back ", ask.CountWord(m.Moved, "letter"), m.ToMove)
		}
		select {
		case <-ctx.Done():
			return m, fail.New(fail.TimedOut, "the redrive of "+name+" goes on", "this command was told to end",
				"\"ottla dlq moves "+name+"\" shows how far it is, \"ottla dlq cancel "+m.Handle+"\" ends it")
		case <-time.After(lookAgain):
		}
		var all rest.Moves
		if err := o.Ask(ctx, q.HTTP, what, http.MethodGet, ask.QueuePath(name, "moves"), q.Query(), nil, &all); err != nil {
			if ctx.Err() != nil {
				continue
			}
			return m, err
		}
		i := slices.IndexFunc(all.Moves, func(x rest.Move) bool { return x.Handle == m.Handle })
		if i < 0 {
			return m, fail.New(fail.NotFound, "the redrive of "+name+" is not listed any more", "others came after it", "\"ottla dlq show "+name+"\" shows what waits")
		}
		m = all.Moves[i]
	}
	if shows {
		fmt.Fprint(o.Err, "\r\033[K")
	}
	return m, nil
}

// agreedQueueLetters is agreedLetters of a queue.
func agreedQueueLetters(ctx context.Context, o *ask.Options, p *place, r *redriveFlags) (bool, error) {
	asks := !r.yes && o.Format == "table" && ask.Terminal(o.In) && ask.Terminal(o.Out)
	if !r.dryRun && !asks {
		return true, nil
	}
	n, total := map[string]int64{}, int64(0)
	err := queueLetters(ctx, o, &r.QueueFlags, p, 0, func(some []rest.Letter) {
		for i := range some {
			if c := some[i].Condition; c != string(queue.Free) && c != string(queue.Behind) {
				continue
			}
			to := some[i].OriginOf
			if r.to != "" {
				to = r.to
			}
			n[to]++
			total++
		}
	})
	if err != nil {
		return false, err
	}
	question := redriveTable()
	for _, to := range slices.Sorted(maps.Keys(n)) {
		question.Add(p.queue.Name, ask.OrNil(to), n[to], "would be put back", nil)
	}
	return o.Agreed(r.dryRun || total == 0, r.yes, fmt.Sprintf("put %s back?", ask.CountWord(total, "letter")), func(string) *out.Table { return question })
}
