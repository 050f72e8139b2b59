package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/controller"
	"ottla/internal/peer"
	"ottla/internal/quorum"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// rig is a client whose surroundings a test plays.
type rig struct {
	*Client
	mu      sync.Mutex
	here    []any   // commands that this node's quorum got
	there   []int32 // nodes that were asked
	applied []int64 // offsets that were waited for
	served  []int64
}

// newRig is node 1. Nil functions answer with success at offset 7.
func newRig(local func(cmd any) (any, int64, error), ask func(node int32, req *own.CommandRequest) (*own.CommandResponse, error)) *rig {
	r := &rig{}
	r.Client = New(Options{
		NodeID: 1,
		Here: func(ctx context.Context, cmd any) (any, int64, error) {
			r.note(func() { r.here = append(r.here, cmd) })
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			if local == nil {
				return controller.ProducerIDs{First: 1000, Count: 1000}, 7, nil
			}
			return local(cmd)
		},
		Ask: func(_ context.Context, node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
			r.note(func() { r.there = append(r.there, node) })
			return ask(node, req)
		},
		Served: func(_ context.Context, offset int64) error {
			r.note(func() { r.served = append(r.served, offset) })
			return nil
		},
		Applied: func(_ context.Context, offset int64) error {
			r.note(func() { r.applied = append(r.applied, offset) })
			return nil
		},
	})
	return r
}

func (r *rig) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// answer is what a node says to a command.
func answer(cmd string, reply any, offset int64, refusal error) *own.CommandResponse {
	resp := &own.CommandResponse{Leader: -1, LeaderEpoch: -1, Offset: offset}
	encodeReply(resp, byName[cmd], reply, refusal)
	return resp
}

var ids = controller.AllocateProducerIDs{BrokerID: 1}

func TestACommandGoesToThisNodesQuorumWhereItLeads(t *testing.T) {
	r := newRig(nil, nil)
	r.OnLeader(1, 3)
	reply, err := r.Do(t.Context(), ids)
	if err != nil || reply != (controller.ProducerIDs{First: 1000, Count: 1000}) {
		t.Fatalf("%v, %v", reply, err)
	}
	if len(r.here) != 1 || r.here[0] != ids || len(r.applied) != 1 || r.applied[0] != 7 || len(r.served) != 0 {
		t.Errorf("quorum got %v, waited for %v and %v", r.here, r.applied, r.served)
	}
}

func TestACommandGoesToTheNodeThatLeads(t *testing.T) {
	r := newRig(nil, func(node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
		if _, cmd, err := decodeCommand(req); err != nil || cmd != ids {
			t.Errorf("node %d was asked %+v (%v)", node, cmd, err)
		}
		return answer(req.Kind, controller.ProducerIDs{First: 5, Count: 2}, 42, nil), nil
	})
	r.OnLeader(3, 9)
	reply, err := r.Do(t.Context(), ids)
	if err != nil || reply != (controller.ProducerIDs{First: 5, Count: 2}) {
		t.Fatalf("%v, %v", reply, err)
	}
	if len(r.here) != 0 || r.there[0] != 3 || r.applied[0] != 42 {
		t.Errorf("asked %v, waited for %v", r.there, r.applied)
	}
}

// A refusal rests on metadata too: whoever is told that a topic exists finds it
// at the node that said so.
func TestARefusalWaitsForWhatItRestsOn(t *testing.T) {
	refusal := wire.Errorf(wire.PolicyViolation, "not on a Sunday")
	for name, r := range map[string]*rig{
		"here": newRig(func(any) (any, int64, error) { return nil, 8, refusal }, nil),
		"there": newRig(nil, func(_ int32, req *own.CommandRequest) (*own.CommandResponse, error) {
			return answer(req.Kind, nil, 8, refusal), nil
		}),
	} {
		r.OnLeader(map[string]int32{"here": 1, "there": 2}[name], 1)
		_, err := r.Do(t.Context(), controller.DeleteTopics{})
		if wire.CodeOf(err) != wire.PolicyViolation || wire.MessageOf(err) != "not on a Sunday" {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.applied) != 1 || r.applied[0] != 8 {
			t.Errorf("%s: waited for %v, want offset 8", name, r.applied)
		}
	}
}

// What certainly was not accepted goes to the next leader.
func TestWhatWasNotAcceptedIsGivenToTheNextLeader(t *testing.T) {
	for name, first := range map[string]func(*own.CommandRequest) (*own.CommandResponse, error){
		"not the leader any more": func(req *own.CommandRequest) (*own.CommandResponse, error) {
			return answer(req.Kind, nil, -1, wire.NotController), nil
		},
		"not to be reached": func(*own.CommandRequest) (*own.CommandResponse, error) {
			return nil, wire.Errorf(wire.NetworkException, "connection refused: %w", peer.ErrNotSent)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r *rig
				r = newRig(nil, func(node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
					if node == 2 {
						go r.OnLeader(3, 6) // the election is over a moment later
						return first(req)
					}
					return answer(req.Kind, []controller.DeletedTopic{}, 50, nil), nil
				})
				r.OnLeader(2, 5)
				if _, err := r.Do(t.Context(), controller.DeleteTopics{}); err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(r.there); got != "[2 3]" {
					t.Errorf("asked %s, want [2 3]", got)
				}
			})
		})
	}
}

// The node that was asked may know better who leads.
func TestAHintIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(nil, func(node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
			if node == 2 {
				resp := answer(req.Kind, nil, -1, wire.NotController)
				resp.Leader, resp.LeaderEpoch = 3, 8
				return resp, nil
			}
			return answer(req.Kind, []controller.DeletedTopic{}, 50, nil), nil
		})
		r.OnLeader(2, 5)
		began := time.Now()
		if _, err := r.Do(t.Context(), controller.DeleteTopics{}); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %v though it was told who leads", waited)
		}
		r.OnLeader(2, 5) // old news
		if r.Leader() != 3 {
			t.Errorf("node %d leads, want 3: old news counted", r.Leader())
		}
	})
}

// A command whose answer was lost is not given again, but for those that do no
// harm twice.
func TestALostAnswerIsNotTriedAgain(t *testing.T) {
	lost := func(node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
		return nil, wire.Errorf(wire.NetworkException, "the connection ended")
	}
	undecided := func(node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
		resp := answer(req.Kind, nil, -1, wire.KafkaStorageError)
		resp.Undecided = true
		return resp, nil
	}
	for name, first := range map[string]func(int32, *own.CommandRequest) (*own.CommandResponse, error){"connection": lost, "leadership": undecided} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(nil, first)
			r.OnLeader(2, 5)
			_, err := r.Do(t.Context(), controller.DeleteTopics{})
			if wire.CodeOf(err) != wire.KafkaStorageError || !errors.Is(err, quorum.ErrUndecided) || len(r.there) != 1 {
				t.Errorf("%s: %v after asking %v", name, err, r.there)
			}
			again := newRig(nil, func(node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
				if node == 2 {
					return first(node, req)
				}
				return answer(req.Kind, controller.ProducerIDs{}, 9, nil), nil
			})
			again.OnLeader(2, 5)
			time.AfterFunc(time.Second, func() { again.OnLeader(3, 6) })
			if _, err := again.Do(t.Context(), ids); err != nil {
				t.Errorf("%s: a repeatable command: %v", name, err)
			}
		})
	}
	r := newRig(func(any) (any, int64, error) {
		return nil, -1, &wire.Error{Code: wire.KafkaStorageError, Cause: quorum.ErrUndecided}
	}, nil)
	r.OnLeader(1, 1)
	if _, err := r.Do(t.Context(), controller.DeleteTopics{}); !errors.Is(err, quorum.ErrUndecided) || len(r.here) != 1 || len(r.applied) != 0 {
		t.Errorf("here: %v after %v", err, r.here)
	}
}

func TestWithoutALeaderACommandWaitsAsLongAsItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(nil, nil)
		time.AfterFunc(3*time.Second, func() { r.OnLeader(1, 1) })
		if _, err := r.Do(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		r.OnLeader(-1, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := r.Do(ctx, ids)
		if wire.CodeOf(err) != wire.RequestTimedOut || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no leader") {
			t.Errorf("without a leader: %v", err)
		}
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("waited %v, want 5s", waited)
		}
	})
}

// Partitions that a client is told of serve on every node: the leader waits for
// the others, whoever asked.
func TestNewPartitionsServeEverywhereWhenTheReplyComes(t *testing.T) {
	made := []controller.CreatedTopic{}
	r := newRig(func(any) (any, int64, error) { return made, 30, nil }, nil)
	r.OnLeader(1, 1)
	if _, err := r.Do(t.Context(), controller.CreateTopics{}); err != nil {
		t.Fatal(err)
	}
	req, err := encodeCommand(byName["CreateTopics"], controller.CreateTopics{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if resp := r.Serve(t.Context(), 2, req); resp.ErrorCode != 0 || resp.Offset != 30 {
		t.Errorf("answered %+v", resp)
	}
	if got := fmt.Sprint(r.served); got != "[30 30]" {
		t.Errorf("waited for %s at all nodes, want [30 30]", got)
	}
	if got := fmt.Sprint(r.applied); got != "[30]" {
		t.Errorf("waited for %s at this node, want [30]: the asker waits at its own", got)
	}
}

func TestANodeThatDoesNotLeadSaysWhoDoes(t *testing.T) {
	r := newRig(nil, nil)
	r.OnLeader(3, 12)
	req, err := encodeCommand(byName["AllocateProducerIDs"], ids, 1000)
	if err != nil {
		t.Fatal(err)
	}
	resp := r.Serve(t.Context(), 2, req)
	if resp.ErrorCode != int16(wire.NotController) || resp.Leader != 3 || resp.LeaderEpoch != 12 || resp.Undecided || len(r.here) != 0 {
		t.Errorf("answered %+v, quorum got %v", resp, r.here)
	}
}

func TestCommandsOfOtherNodesAreVetted(t *testing.T) {
	r := newRig(nil, nil)
	r.o.Vet = func(from int32, cmd any) (any, error) {
		if from != 2 {
			return nil, wire.ClusterAuthorizationFailed
		}
		return controller.AllocateProducerIDs{BrokerID: 99}, nil
	}
	r.OnLeader(1, 1)
	req, err := encodeCommand(byName["AllocateProducerIDs"], ids, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if resp := r.Serve(t.Context(), 3, req); resp.ErrorCode != int16(wire.ClusterAuthorizationFailed) || len(r.here) != 0 {
		t.Errorf("answered %+v, quorum got %v", resp, r.here)
	}
	if resp := r.Serve(t.Context(), 2, req); resp.ErrorCode != 0 || r.here[0] != (controller.AllocateProducerIDs{BrokerID: 99}) {
		t.Errorf("answered %+v, quorum got %v", resp, r.here)
	}
}

// A command that the asker's time runs out on may have been made.
func TestTimeRunningOutIsUndecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(nil, nil)
		r.OnLeader(1, 1)
		r.o.Here = func(ctx context.Context, _ any) (any, int64, error) {
			<-ctx.Done()
			return nil, 0, ctx.Err()
		}
		req, err := encodeCommand(byName["AllocateProducerIDs"], ids, 1000)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		resp := r.Serve(t.Context(), 2, req)
		if resp.ErrorCode != int16(wire.RequestTimedOut) || !resp.Undecided || time.Since(began) != time.Second {
			t.Errorf("answered %+v after %v", resp, time.Since(began))
		}
	})
}

func TestWhatIsNotACommandIsRefused(t *testing.T) {
	r := newRig(nil, nil)
	r.OnLeader(1, 1)
	if _, err := r.Do(t.Context(), "make me a sandwich"); wire.CodeOf(err) != wire.UnknownServerError || len(r.here) != 0 {
		t.Errorf("%v", err)
	}
}

// A node alone must not pay for the others.
func TestDoWhereThisNodeLeadsAllocatesNothing(t *testing.T) {
	c := New(Options{NodeID: 1, Here: func(context.Context, any) (any, int64, error) { return nil, 1, nil }})
	c.OnLeader(1, 1)
	ctx := t.Context()
	var cmd any = ids
	if n := testing.AllocsPerRun(100, func() {
		if _, err := c.Do(ctx, cmd); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// A node that stops waits for no leader any more.
func TestCloseLetsGoWhoWaitsForALeader(t *testing.T) {
	c := New(Options{NodeID: 1})
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(context.Background(), controller.UnfenceBroker{})
		done <- err
	}()
	c.Close()
	if err := <-done; wire.CodeOf(err) != wire.NotController {
		t.Errorf("it ended with %v", err)
	}
}

// Who can ask another node is not kept by one that is cut off, and what it gives is
// given to nobody; this node's own commands wait as ever.
func TestACutOffNodeSendsThoseAwayWhoCanGoElsewhere(t *testing.T) {
	mute, given := false, 0
	c := New(Options{NodeID: 1, Mute: func() bool { return mute }, Here: func(context.Context, any) (any, int64, error) {
		given++
		return nil, -1, nil
	}})
	c.OnLeader(1, 1)
	for _, mute = range []bool{true, false} {
		_, err := c.DoOrAway(t.Context(), controller.FenceBroker{ID: 2})
		if want := map[bool]wire.Code{true: wire.NotController, false: wire.None}[mute]; wire.CodeOf(err) != want {
			t.Errorf("cut off %v: got %v, want %v", mute, err, want)
		}
	}
	mute = true
	if _, err := c.Do(t.Context(), controller.FenceBroker{ID: 2}); err != nil || given != 2 {
		t.Errorf("the node's own: %v; %d commands were given, want 2", err, given)
	}
}
