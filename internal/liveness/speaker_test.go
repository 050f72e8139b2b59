package liveness

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/controller"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

func TestHeartbeatsGoAtOnceWhenTheMetadataMoveAndElseNowAndThen(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2)
		pass(time.Second)
		before := c.asked(2)
		pass(10 * time.Second)
		if n := c.asked(2) - before; n < 19 || n > 21 {
			t.Errorf("%d heartbeats in 10 idle seconds", n)
		}
		pass(100 * time.Millisecond)
		synctest.Wait()
		before = c.asked(2)
		for offset := range int64(1000) {
			c.speakers[2].Applied(1000 + offset)
		}
		synctest.Wait()
		if n := c.asked(2) - before; n != 1 {
			t.Errorf("%d heartbeats at once", n)
		}
		pass(2 * leastGap)
		synctest.Wait()
		if n := c.asked(2) - before; n > 2 {
			t.Errorf("%d heartbeats for 1000 steps of the metadata", n)
		}
		if applied := c.applied(); applied >= 1000 {
			t.Error("node 1 has not applied them")
		}
		c.speakers[1].Applied(5000)
		pass(2 * leastGap)
		synctest.Wait()
		if applied := c.applied(); applied != 1999 {
			t.Errorf("applied %d by all, want 1999", applied)
		}
	})
}

func TestANodeThatIsUnknownRegistersAgain(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2)
		was := c.speakers[2].Epoch()
		c.must(controller.UnregisterBroker{ID: 2})
		pass(time.Second)
		synctest.Wait()
		if now := c.speakers[2].Epoch(); now <= was || c.image().Broker(2).Fenced || c.speakers[2].Fenced() {
			t.Errorf("epoch %d after %d, fenced %v", now, was, c.image().Broker(2).Fenced)
		}
		if got := c.news(2); len(got) != 3 || got[0] || !got[1] || got[2] {
			t.Errorf("told %v: unfenced, fenced, unfenced is what happened", got)
		}
		// One that stops meanwhile need not come back for that.
		s := c.speakers[2]
		c.set(func() { c.cut[2] = true })
		c.must(controller.UnregisterBroker{ID: 2})
		ended := make(chan error, 1)
		go func() { ended <- s.ShutDown(t.Context()) }()
		pass(time.Second)
		c.set(func() { c.cut[2] = false })
		if err := <-ended; err != nil || c.image().Broker(2) != nil {
			t.Errorf("%v, %v", err, c.image().Broker(2))
		}
	})
}

func TestANodeThatCannotRegisterTriesAgain(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2)
		c.must(controller.UnregisterBroker{ID: 2})
		c.set(func() { c.refuse = errors.New("no quorum") })
		pass(5 * time.Second)
		if c.image().Broker(2) != nil {
			t.Fatal("registered without a controller")
		}
		c.set(func() { c.refuse = nil })
		pass(time.Second)
		if c.image().Broker(2) == nil {
			t.Error("not registered again")
		}
	})
}

func TestWhoWaitsForASpeakerHearsOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSpeaker(SpeakerOptions{NodeID: 1, Ask: func(ctx context.Context, _ *own.HeartbeatRequest) (*own.HeartbeatResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		if err := s.WaitUnfenced(t.Context()); !errors.Is(err, errSpeakerClosed) {
			t.Errorf("before its start: %v", err)
		}
		s.Start(1, true)
		s.Start(2, true)
		if s.Epoch() != 1 {
			t.Error("a second start counts")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.ShutDown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a controller: %v", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.WaitUnfenced(context.Background()) }()
		synctest.Wait()
		s.Close()
		if err := <-ended; !errors.Is(err, errSpeakerClosed) {
			t.Errorf("at its end: %v", err)
		}
		s.Close()
	})
}

func TestANodeThatIsNotFencedIsToldSoAtItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan bool, 1)
		s := NewSpeaker(SpeakerOptions{NodeID: 1, OnFenced: func(f bool) { told <- f },
			Ask: func(context.Context, *own.HeartbeatRequest) (*own.HeartbeatResponse, error) {
				return nil, errors.New("down")
			}})
		s.Start(1, false)
		if <-told || s.Fenced() {
			t.Error("fenced")
		}
		s.Close()
	})
}

func TestANodeThatStartsWaitsForTheEndOfTheOldProcess(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		was := c.speakers[2].Epoch()
		c.kill(2)
		register := func(ctx context.Context) (int64, error) {
			cmd, err := c.keeper.Vet(2, c.register(2))
			if err != nil {
				return 0, err
			}
			reg := cmd.(controller.RegisterBroker)
			reg.Broker.Directories = []uuid.UUID{{9}} // another disk: only silence tells
			reply, err := c.do(ctx, reg)
			if err != nil {
				return 0, fmt.Errorf("register: %w", err)
			}
			return reply.(int64), nil
		}
		began := time.Now()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Enter(short, register); wire.CodeOf(err) != wire.DuplicateBrokerRegistration {
			t.Errorf("while the old one may live: %v", err)
		}
		epoch, err := Enter(t.Context(), register)
		if err != nil || epoch <= was || time.Since(began) > 3*time.Second {
			t.Errorf("epoch %d after %d, %v, after %v", epoch, was, err, time.Since(began))
		}
		c.set(func() { c.refuse = wire.InconsistentClusterID })
		if _, err := Enter(t.Context(), register); wire.CodeOf(err) != wire.InconsistentClusterID {
			t.Errorf("a refusal for good: %v", err)
		}
	})
}
