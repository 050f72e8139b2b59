package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// admin makes and deletes topics, changes their settings, gives partitions of the
// load other replicas first, and has the preferred ones lead, until ctx ends. It
// keeps what it was told was done.
type admin struct {
	c  *Cluster
	cl *kadm.Client
	on []int32 // the nodes that it puts replicas on
	r  *rand.Rand

	made    int
	there   map[string]kadm.TopicID // made for sure, and not deleted
	deleted map[string]bool         // for sure
	ids     map[kadm.TopicID]string
}

// newAdmin makes one; nodes are those that may have replicas.
func (c *Cluster) newAdmin(seed uint64, nodes int32) *admin {
	a := &admin{c: c, r: rand.New(rand.NewPCG(seed, 13)), there: map[string]kadm.TopicID{}, deleted: map[string]bool{}, ids: map[kadm.TopicID]string{}}
	for n := range nodes {
		a.on = append(a.on, n+1)
	}
	return a
}

// operationWithin bounds one of them: what is not answered by then is unknown.
const operationWithin = 10 * time.Second

func (a *admin) run(ctx context.Context) error {
	cl, err := a.c.open(kgo.RetryTimeout(operationWithin), kgo.RequestRetries(0))
	if err != nil {
		return err
	}
	defer cl.Close()
	a.cl = kadm.NewClient(cl)
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, operationWithin)
		err := a.step(one, cl)
		cancel()
		if err != nil {
			return err
		}
		wait(ctx, time.Duration(200+a.r.IntN(800))*time.Millisecond)
	}
	return nil
}

// step does one operation; an error is a broken promise.
func (a *admin) step(ctx context.Context, cl *kgo.Client) error {
	switch n := a.r.IntN(10); {
	case n < 4:
		return a.create(ctx, cl)
	case n < 7:
		a.delete(ctx)
	case n < 8:
		for name := range a.there {
			_, _ = a.cl.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr(fmt.Sprint(1_000_000 + a.r.IntN(1000)))}}, name)
			break
		}
	case n < 9:
		replicas := append([]int32(nil), a.on...)
		a.r.Shuffle(len(replicas), func(i, j int) { replicas[i], replicas[j] = replicas[j], replicas[i] })
		var req kadm.AlterPartitionAssignmentsReq
		req.Assign(a.c.Topic, 1, replicas) // odd ones: faults move the others
		_, _ = a.cl.AlterPartitionAssignments(ctx, req)
	default:
		_, _ = a.cl.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil)
	}
	return nil
}

// create makes a topic with its replicas named, so that none is on a node that
// comes and goes.
func (a *admin) create(ctx context.Context, cl *kgo.Client) error {
	a.made++
	name := fmt.Sprintf("%s-made-%d", a.c.Topic, a.made)
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, -1, -1
	t.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: a.on}}
	req.Topics, req.TimeoutMillis = append(req.Topics, t), int32(operationWithin/time.Millisecond)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil || kerr.ErrorForCode(resp.Topics[0].ErrorCode) != nil {
		return nil
	}
	id := kadm.TopicID(resp.Topics[0].TopicID)
	if other, ok := a.ids[id]; ok {
		return fmt.Errorf("topics %s and %s have the same id", name, other)
	}
	a.ids[id], a.there[name] = name, id
	return nil
}

func (a *admin) delete(ctx context.Context) {
	for name := range a.there {
		delete(a.there, name) // whatever comes of it
		resp, err := a.cl.DeleteTopic(ctx, name)
		if err == nil && resp.Err == nil {
			a.deleted[name] = true
		}
		return
	}
}

// judge compares what there is with what was told to be there.
func (a *admin) judge(ctx context.Context) error {
	cl, err := a.c.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	topics, err := kadm.NewClient(cl).ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list the topics: %w", err)
	}
	for name, id := range a.there {
		if t, ok := topics[name]; !ok || t.ID != id {
			return fmt.Errorf("topic %s was made (id %v) and is not there: %v, %v", name, id, ok, t.ID)
		}
	}
	for name := range a.deleted {
		if topics.Has(name) {
			return fmt.Errorf("topic %s was deleted and is there again", name)
		}
	}
	return nil
}

// done is how many topics were made and deleted.
func (a *admin) done() (made, deleted int) { return len(a.ids), len(a.deleted) }
