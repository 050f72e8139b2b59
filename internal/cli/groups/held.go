package groups

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Held is what a share group holds of a partition, as the partition's leader
// tells at /metrics/detail; the Kafka protocol has no word for it.
type Held struct {
	TopicPartition
	Acquired    int64 // records that members hold
	Redelivered int64 // given out before, to be given out again
	Delayed     int64 // those of them whose time has not come
	Parked      int64 // keys whose first record waits, and they with it
	Dying       int64 // given up, dead letters not yet written
}

// maxPage is how much of the page is read; a node keeps it below.
const maxPage = 32 << 20

// ReadHeld asks the node whose HTTP address this is. Partitions that it does
// not lead, and groups without members, are left out.
func ReadHeld(ctx context.Context, address, group string) ([]Held, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics/detail", nil)
	if err != nil {
		return nil, fmt.Errorf("the HTTP address %s: %w", address, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the node for its metrics: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s to /metrics/detail", address, resp.Status)
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("read the metrics of %s: %w", address, err)
	}
	return parseHeld(string(page), group), nil
}

// parseHeld picks the rows of a group out of the page. Lines that it does not
// understand are no rows of it.
func parseHeld(page, group string) []Held {
	rows := map[TopicPartition]*Held{}
	for line := range strings.Lines(page) {
		series, ok := strings.CutPrefix(line, "ottla_share_")
		if !ok {
			continue
		}
		name, rest, _ := strings.Cut(series, "{")
		labels, value, ok := parseLabels(rest)
		partition, err1 := strconv.ParseInt(labels["partition"], 10, 32)
		n, err2 := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if !ok || err1 != nil || err2 != nil || labels["group"] != group {
			continue
		}
		at := TopicPartition{labels["topic"], int32(partition)}
		if rows[at] == nil {
			rows[at] = &Held{TopicPartition: at}
		}
		rows[at].set(name, int64(n))
	}
	var out []Held
	for _, h := range rows {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b Held) int { return compare(a.TopicPartition, b.TopicPartition) })
	return out
}

func (h *Held) set(name string, n int64) {
	switch name {
	case "acquired_records":
		h.Acquired = n
	case "redelivered_records":
		h.Redelivered = n
	case "delayed_records":
		h.Delayed = n
	case "parked_keys":
		h.Parked = n
	case "dying_records":
		h.Dying = n
	}
}

// unescape reads what stands between a label's quotes.
var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")

// parseLabels reads what follows the brace of a series, up to its end, and
// gives what comes after.
func parseLabels(s string) (labels map[string]string, rest string, ok bool) {
	labels = map[string]string{}
	for {
		if after, done := strings.CutPrefix(s, "}"); done {
			return labels, after, true
		}
		name, after, found := strings.Cut(s, `="`)
		if !found {
			return nil, "", false
		}
		end := 0
		for end < len(after) && after[end] != '"' {
			if after[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(after) {
			return nil, "", false
		}
		labels[name] = unescape.Replace(after[:end])
		s = strings.TrimPrefix(after[end+1:], ",")
	}
}
