package doctor

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/reach"
)

// Facts are what the checks judge. A fact that could not be had is nil, with
// the reason in Missing under its name.
type Facts struct {
	Now       time.Time
	Addresses []string         // those given with -b
	Refused   []string         // of them, those that do not answer, with the reason
	Brokers   map[int32]string // reason why the advertised address cannot be reached, "" when it can
	RoundTrip time.Duration    // of one small request
	Metadata  kadm.Metadata    // with internal topics
	Topics    []TopicSettings  // of all topics, by name
	Dirs      []kadm.DescribedLogDir
	Starts    kadm.ListedOffsets
	Ends      kadm.ListedOffsets
	Committed kadm.ListedOffsets // ends as a read_committed reader sees them
	DayAgo    kadm.ListedOffsets // offsets of the time a day before Now
	Newest    kadm.ListedOffsets // offset and time of the largest timestamp
	Groups    []kadm.DescribedGroupLag
	Process   map[string]float64 // process_*, ottla_timers_* and ottla_schedule_* of the node's /metrics
	Events    *Events            // nil when unknown
	Rules     *Rules             // nil when unknown
	Whole     bool               // all that is found of rules is told, one by one
	Machine   int64              // bytes of memory of this machine, 0 unknown
	Local     bool               // the only node runs on this machine
	Missing   map[string]string
}

// TopicSettings are the settings of one topic.
type TopicSettings struct {
	Topic  string
	Values map[string]string // effective
	Own    map[string]bool   // set on the topic itself
}

// Sources is where facts come from.
type Sources struct {
	Addresses []string
	Timeout   time.Duration
	Admin     *kadm.Client
	HTTP      string // the node's HTTP address, host:port; "" when unknown
	Now       func() time.Time
	Last      int // events of each partition of buses that are looked at; 0 is DefaultLast
}

// Gather asks for everything the checks need. Only a cluster whose metadata
// cannot be read is an error; what else fails is noted in Missing.
func Gather(ctx context.Context, s Sources) (*Facts, error) {
	f := &Facts{Now: s.Now(), Addresses: s.Addresses, Brokers: map[int32]string{}, Missing: map[string]string{}}
	_, f.Refused = reach.Any(ctx, s.Addresses, s.Timeout)
	begun := time.Now()
	if _, err := s.Admin.BrokerMetadata(ctx); err != nil {
		return nil, fmt.Errorf("read the cluster's metadata: %w", err)
	}
	f.RoundTrip = time.Since(begun)
	var err error
	if f.Metadata, err = s.Admin.Metadata(ctx); err != nil {
		return nil, fmt.Errorf("read the topics' metadata: %w", err)
	}
	f.Local = len(f.Metadata.Brokers) == 1
	for _, b := range f.Metadata.Brokers {
		f.Brokers[b.NodeID] = reach.Probe(ctx, net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), s.Timeout)
		f.Local = f.Local && reach.Loopback(b.Host)
	}
	f.settings(ctx, s.Admin)
	f.storage(ctx, s.Admin)
	f.offsets(ctx, s.Admin)
	f.groups(ctx, s.Admin)
	f.process(ctx, s)
	f.events(ctx, s)
	f.rules(ctx, s)
	return f, nil
}

// note keeps the reason why a fact is missing; partial answers count as had.
func (f *Facts) note(what string, err error) bool {
	if err == nil || reach.Partly(err) {
		return true
	}
	f.Missing[what] = err.Error()
	return false
}

func (f *Facts) settings(ctx context.Context, a *kadm.Client) {
	names := f.Metadata.Topics.Names()
	if len(names) == 0 {
		return
	}
	configs, err := a.DescribeTopicConfigs(ctx, names...)
	if !f.note("settings", err) {
		return
	}
	for _, rc := range configs {
		t := TopicSettings{Topic: rc.Name, Values: map[string]string{}, Own: map[string]bool{}}
		for _, c := range rc.Configs {
			if c.Value != nil {
				t.Values[c.Key] = *c.Value
				t.Own[c.Key] = c.Source == 1
			}
		}
		f.Topics = append(f.Topics, t)
	}
}

func (f *Facts) storage(ctx context.Context, a *kadm.Client) {
	dirs, err := a.DescribeAllLogDirs(ctx, nil)
	if f.note("log directories", err) {
		f.Dirs = dirs.Sorted()
	}
}

func (f *Facts) offsets(ctx context.Context, a *kadm.Client) {
	names := f.Metadata.Topics.Names()
	if len(names) == 0 {
		return
	}
	for _, ask := range []struct {
		what string
		into *kadm.ListedOffsets
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
	}{
		{"start offsets", &f.Starts, a.ListStartOffsets}, {"end offsets", &f.Ends, a.ListEndOffsets},
		{"committed offsets", &f.Committed, a.ListCommittedOffsets}, {"newest times", &f.Newest, a.ListMaxTimestampOffsets},
		{"offsets of a day ago", &f.DayAgo, func(ctx context.Context, names ...string) (kadm.ListedOffsets, error) {
			return a.ListOffsetsAfterMilli(ctx, f.Now.Add(-24*time.Hour).UnixMilli(), names...)
		}},
	} {
		found, err := ask.list(ctx, names...)
		if f.note(ask.what, err) {
			*ask.into = found
		}
	}
}

func (f *Facts) groups(ctx context.Context, a *kadm.Client) {
	lags, err := a.Lag(ctx)
	if f.note("groups", err) {
		f.Groups = append(lags.Sorted(), consumerLags(ctx, a)...)
	}
}

// consumerLags are those of groups that the server assigns (KIP-848), without
// their members' partitions; groups of other kinds are left out.
func consumerLags(ctx context.Context, a *kadm.Client) (out []kadm.DescribedGroupLag) {
	listed, err := a.ListGroupsByType(ctx, []string{"consumer"})
	if err != nil || len(listed) == 0 {
		return nil
	}
	described, err := a.DescribeConsumerGroups(ctx, listed.Groups()...)
	if err != nil && len(described) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(described)) {
		g := described[name]
		if g.Err != nil {
			continue
		}
		row := kadm.DescribedGroupLag{Group: name, Coordinator: g.Coordinator, State: g.State, ProtocolType: "consumer", Protocol: g.AssignorName}
		row.Members = make([]kadm.DescribedGroupMember, len(g.Members))
		committed, err := a.FetchOffsets(ctx, name)
		if err == nil {
			topics := committed.Partitions().Topics()
			starts, _ := a.ListStartOffsets(ctx, topics...) // what is not told is not judged
			ends, _ := a.ListEndOffsets(ctx, topics...)
			row.Lag = kadm.CalculateGroupLagWithStartOffsets(kadm.DescribedGroup{Group: name, State: "Empty"}, committed, starts, ends)
		}
		row.FetchErr = err
		out = append(out, row)
	}
	return out
}

// process reads what the checks want of the node's metrics.
func (f *Facts) process(ctx context.Context, s Sources) {
	f.Machine = machineMemory()
	if s.HTTP == "" {
		f.Missing["process"] = "the node's HTTP address is not known: give --http HOST:PORT"
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/metrics", nil)
	if err != nil {
		f.Missing["process"] = err.Error()
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.Missing["process"] = fmt.Sprintf("no metrics at %s: give --http HOST:PORT", s.HTTP)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		f.Missing["process"] = fmt.Sprintf("%s answers %s to /metrics", s.HTTP, resp.Status)
		return
	}
	f.Process = processMetrics(string(text))
}

// processMetrics picks what the checks want out of the exposition format, by name
// and labels.
func processMetrics(text string) map[string]float64 {
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !strings.HasPrefix(name, "process_") && !strings.HasPrefix(name, "ottla_timers_") && !strings.HasPrefix(name, "ottla_schedule_") {
			continue
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			out[name] = v
		}
	}
	return out
}

// machineMemory is the memory of this machine where the system tells it in
// /proc, else 0.
func machineMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return kib * 1024
			}
		}
	}
	return 0
}
