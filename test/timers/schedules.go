package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/schedule"
	"ottla/test/realfault"
)

// Where schedules deliver: a topic, and queues, a bus and an SNS topic by the topics that
// they are.
const (
	runsTopic = "runs"
	queueName = "mails"
	fifoName  = "letters.fifo"
	busName   = "shop"
	snsName   = "offers"
)

// agenda makes schedules that live for some seconds, until it is stopped, at
// whatever node answers.
type agenda struct {
	doors []string
	every time.Duration // between two schedules
	rng   *rand.Rand

	cancel context.CancelFunc
	wg     sync.WaitGroup
	made   []schedule.Spec // as the node has told them
	names  []string
	failed error
}

// prepareRuns makes what schedules deliver to.
func prepareRuns(ctx context.Context, a *agenda) error {
	if err := a.put(ctx, "/q/"+queueName, []byte("{}"), nil); err != nil {
		return err
	}
	if err := a.put(ctx, "/q/"+fifoName, []byte(`{"fifo":true}`), nil); err != nil {
		return err
	}
	if err := a.put(ctx, "/bus/"+busName, []byte("{}"), nil); err != nil {
		return err
	}
	return a.put(ctx, "/sns/"+snsName, []byte("{}"), nil)
}

// start begins to make schedules.
func (a *agenda) start(ctx context.Context) {
	ctx, a.cancel = context.WithCancel(ctx)
	a.wg.Go(func() {
		for n := 0; ctx.Err() == nil && a.failed == nil; n++ {
			if err := a.add(context.WithoutCancel(ctx), n); err != nil {
				a.failed = err
			}
			_ = realfault.Pause(ctx, a.every) // the loop looks
		}
	})
}

// stop ends that, and tells when the last run is due.
func (a *agenda) stop() (last time.Time, err error) {
	a.cancel()
	a.wg.Wait()
	for i := range a.made {
		for _, at := range a.slots(i) {
			if at.After(last) {
				last = at
			}
		}
	}
	return last, a.failed
}

// add makes the n-th schedule.
func (a *agenda) add(ctx context.Context, n int) error {
	name := fmt.Sprint("s", n)
	body, err := json.Marshal(a.draw(n, time.Now()))
	if err != nil {
		return err
	}
	var told schedule.Spec
	if err := a.put(ctx, "/schedule/default/"+name, body, &told); err != nil {
		return err
	}
	a.made, a.names = append(a.made, told), append(a.names, name)
	return nil
}

// draw is a schedule that begins soon.
func (a *agenda) draw(n int, now time.Time) schedule.Spec {
	begin := now.Add(time.Duration(a.rng.IntN(1000)) * time.Millisecond)
	spec := schedule.Spec{
		StartMs: begin.UnixMilli(), EndMs: begin.Add(time.Duration(1+a.rng.IntN(6)) * time.Second).UnixMilli(),
		Target: schedule.Target{Key: fmt.Sprint("k", n%5), Input: `{"arn":"<aws.scheduler.schedule-arn>","time":"<aws.scheduler.scheduled-time>"}`},
	}
	switch n % 3 {
	case 0:
		spec.Expression = "rate(1 second)"
	case 1:
		spec.Expression = "*/2 * * * * *"
	default:
		spec.Expression = "at(" + begin.Add(time.Second).UTC().Format("2006-01-02T15:04:05") + ")"
		spec.StartMs, spec.EndMs = 0, 0
	}
	switch a.rng.IntN(6) {
	case 0:
		spec.Target.Queue = queueName
	case 1:
		spec.Target.Queue = fifoName
	case 2:
		spec.Target.Bus = busName
	case 3:
		spec.Target.SNS = snsName
	default:
		spec.Target.Topic = runsTopic
	}
	return spec
}

// slots are the times at which the i-th schedule has runs.
func (a *agenda) slots(i int) []time.Time {
	all, err := a.made[i].Runs(time.UnixMilli(0), 100)
	if err != nil {
		panic(err) // a node has taken it
	}
	return all
}

// want are all runs that there must be, by name, with their times.
func (a *agenda) want() map[string]time.Time {
	all := map[string]time.Time{}
	for i, name := range a.names {
		for _, at := range a.slots(i) {
			all[nameOf(name, at.UTC().Format(time.RFC3339))] = at
		}
	}
	return all
}

// nameOf names a run.
func nameOf(schedule, at string) string { return schedule + " at " + at }

// put tells something to a node, again and again until one has taken it: what is the
// same is taken once.
func (a *agenda) put(ctx context.Context, path string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for last := error(nil); ; {
		code, answer, err := ask(ctx, a.doors[a.rng.IntN(len(a.doors))], path, body)
		switch {
		case err == nil && code < 300 && into != nil:
			return json.Unmarshal(answer, into)
		case err == nil && code < 300:
			return nil
		case err == nil && code < 500:
			return fmt.Errorf("PUT %s: %d %s", path, code, answer)
		case err == nil:
			err = fmt.Errorf("%d %s", code, answer)
		}
		if ctx.Err() == nil {
			last = err
		}
		if err := realfault.Pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("PUT %s: %w", path, errors.Join(err, last))
		}
	}
}

func ask(ctx context.Context, addr, path string, body []byte) (code int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+addr+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, errors.Join(err, resp.Body.Close())
}

// ran is a run that came.
type ran struct {
	name  string
	dated time.Time
}

// readRuns reads what came of schedules, as one does who asks for what is committed.
func readRuns(ctx context.Context, addrs []string) (all []ran, err error) {
	for _, topic := range []string{runsTopic, queueName, fifoName, busName, snsName} {
		err := readCommitted(ctx, addrs, topic, func(r *kgo.Record) error {
			var run struct{ ARN, Time string }
			if err := json.Unmarshal(r.Value, &run); err != nil {
				return fmt.Errorf("%s has the record %q: %w", topic, r.Value, err)
			}
			name := run.ARN[bytes.LastIndexByte([]byte(run.ARN), '/')+1:]
			all = append(all, ran{nameOf(name, run.Time), r.Timestamp})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
