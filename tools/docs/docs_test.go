package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/metric"
	"ottla/internal/wire"
	"ottla/test/known"
)

func TestGeneratedPagesAreFresh(t *testing.T) {
	for path, page := range pages {
		got, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != page() {
			t.Errorf("%s is stale: run go run ./tools/docs", path)
		}
	}
}

func TestThePageListsWhatARunningNodeServes(t *testing.T) {
	ctx := context.Background()
	node, err := ottla.Start(ctx, ottla.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "docs", "1"
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	want := rows()
	for _, k := range resp.ApiKeys {
		r, ok := want[k.ApiKey]
		if !ok || r.Max != k.MaxVersion || r.Min != k.MinVersion && k.ApiKey != wire.KeyProduce {
			t.Errorf("key %d: the node serves %d-%d, the page has %+v", k.ApiKey, k.MinVersion, k.MaxVersion, r)
		}
		delete(want, k.ApiKey)
	}
	for key, r := range want {
		if !r.Unlisted {
			t.Errorf("key %d is on the page, but the node does not serve it", key)
		}
	}
}

func TestEveryListedDifferenceStandsOnThePage(t *testing.T) {
	page := compatibility()
	for _, d := range slices.Concat(known.Answers, known.Lines) {
		title := cmp.Or(d.Part, toolsTitle)
		_, section, _ := strings.Cut(page, "\n### "+title+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		line := "- " + d.What + " " + d.Reason + "\n"
		if n := strings.Count(section+"\n", line); n != 1 {
			t.Errorf("section %q has %q %d times, want once", title, line, n)
		}
	}
}

func TestEveryMetricStandsOnThePageOnce(t *testing.T) {
	page := metrics()
	for _, d := range metric.All() {
		if n := strings.Count(page, "| `"+d.Name+"` |"); n != 1 {
			t.Errorf("%s has %d rows, want 1: does its part %q stand in the list of parts?", d.Name, n, partOf(d))
		}
	}
}

func TestEveryKeyIsServedOrWaitsForSomething(t *testing.T) {
	served := rows()
	for _, info := range wire.APIs() {
		_, here := served[info.Key]
		if here == (reasonOf(info.Key) != "") {
			t.Errorf("%s (key %d): served %v, waits for %q", info.Name, info.Key, here, reasonOf(info.Key))
		}
	}
}
