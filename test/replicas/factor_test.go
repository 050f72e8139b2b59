package replicas

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A topic that says nothing has three replicas on three nodes and needs two of them,
// for all to see; what somebody says wins.
func TestThreeNodesKeepThreeReplicas(t *testing.T) {
	c := start(t, nil)
	c.create("orders", nil)
	if p := c.partition("orders"); len(p.Replicas) != 3 {
		t.Errorf("replicas %v, want three", p.Replicas)
	}
	value, source := c.setting("orders", "min.insync.replicas")
	if value != "2" || source != kmsg.ConfigSourceDynamicTopicConfig {
		t.Errorf("min.insync.replicas is %s, from %v", value, source)
	}
	c.create("payments", map[string]string{"min.insync.replicas": "1"})
	if value, _ := c.setting("payments", "min.insync.replicas"); value != "1" {
		t.Errorf("min.insync.replicas is %s, and the topic says 1", value)
	}
	resp, err := c.adm.CreateTopic(c.ctx, 1, 2, nil, "two")
	c.must(err)
	if p := c.partition("two"); len(p.Replicas) != 2 || resp.ReplicationFactor != 2 {
		t.Errorf("replicas %v, want the two that were asked for", p.Replicas)
	}
	if value, _ := c.setting("two", "min.insync.replicas"); value != "1" {
		t.Errorf("min.insync.replicas is %s", value)
	}
}

// The topics of coordinators ask for two of three once they have grown to that.
func TestInternalTopicsAskForTwoOfThree(t *testing.T) {
	c := start(t, nil)
	cl := c.Client()
	adm := kadm.NewClient(cl)
	_, err := adm.FetchOffsets(c.ctx, "readers")
	c.must(err)
	c.await("the offsets topic asks for two of three", func() bool {
		value, _ := c.setting("__consumer_offsets", "min.insync.replicas")
		return value == "2" && len(c.partition("__consumer_offsets").Replicas) == 3
	})
}

// setting is a topic's, and where it is from.
func (c *cluster) setting(topic, name string) (value string, source kmsg.ConfigSource) {
	c.t.Helper()
	all, err := c.adm.DescribeTopicConfigs(c.ctx, topic)
	c.must(err)
	for _, one := range all[0].Configs {
		if one.Key == name {
			return one.MaybeValue(), one.Source
		}
	}
	c.t.Fatalf("%s has no %s", topic, name)
	return "", 0
}
