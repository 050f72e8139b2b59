package telemetry

import (
	"hash/crc32"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

const (
	// defaultInterval is what clients are told that no subscription is for.
	defaultInterval = 5 * time.Minute
	// allMetrics stands for every name; Kafka's clients know it.
	allMetrics = "*"
)

// subscription is what one client shall push.
type subscription struct {
	id       int32
	interval time.Duration
	metrics  []string // beginnings of names, sorted; allMetrics alone for all
}

// rule is one client-metrics resource, its match compiled.
type rule struct {
	metrics  []string
	interval time.Duration
	match    map[string]*regexp.Regexp
}

// rules are all resources as of one image.
type rules struct {
	img  *metadata.Image
	list []rule
}

// current compiles the rules of the image at hand, once per change of it. The
// family's mu is held.
func (f *Family) current() []rule {
	img := f.d.Cluster.Image()
	if f.rules.img == img {
		return f.rules.list
	}
	f.rules = rules{img: img}
	for _, name := range img.ConfigResources(metadata.ResourceClientMetrics) {
		r, err := f.compile(img, name)
		if err != nil {
			// Kafka's expressions are Java's; what ours cannot read matches nobody.
			f.d.Logger.Warn("a client-metrics subscription cannot be used", "subscription", name, "err", err)
			continue
		}
		f.rules.list = append(f.rules.list, r)
	}
	return f.rules.list
}

func (f *Family) compile(img *metadata.Image, name string) (rule, error) {
	value := func(key string) string { return f.d.View.ClientMetrics(img, name, key).Value }
	r := rule{interval: defaultInterval, metrics: parts(value("metrics")), match: map[string]*regexp.Regexp{}}
	if ms, err := strconv.ParseInt(value("interval.ms"), 10, 32); err == nil && ms > 0 {
		r.interval = time.Duration(ms) * time.Millisecond
	}
	for _, pair := range parts(value("match")) {
		key, text, _ := strings.Cut(pair, "=")
		re, err := regexp.Compile("^(?:" + strings.TrimSpace(text) + ")$")
		if err != nil {
			return r, err
		}
		r.match[strings.TrimSpace(key)] = re
	}
	return r, nil
}

// parts splits a setting of type list.
func parts(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// attributes are what a rule may match a client by.
func attributes(c *api.Conn, id uuid.UUID) map[string]string {
	a := map[string]string{
		"client_id": c.ClientID, "client_instance_id": id.String(),
		"client_software_name": c.SoftwareName, "client_software_version": c.SoftwareVersion,
	}
	if c.Remote != nil {
		if host, port, err := net.SplitHostPort(c.Remote.String()); err == nil {
			a["client_source_address"], a["client_source_port"] = host, port
		}
	}
	return a
}

func (r *rule) matches(a map[string]string) bool {
	for key, re := range r.match {
		if v, ok := a[key]; !ok || !re.MatchString(v) {
			return false
		}
	}
	return true
}

// subscriptionOf joins the rules that match a client: all their metrics, at the
// shortest interval. Its id changes when what is wanted does.
func subscriptionOf(list []rule, c *api.Conn, id uuid.UUID) subscription {
	s := subscription{interval: defaultInterval, metrics: []string{}}
	a := attributes(c, id)
	matched := false
	for i := range list {
		r := &list[i]
		if !r.matches(a) {
			continue
		}
		if !matched || r.interval < s.interval {
			s.interval = r.interval
		}
		matched = true
		s.metrics = append(s.metrics, r.metrics...)
	}
	if slices.Contains(s.metrics, allMetrics) {
		s.metrics = []string{allMetrics}
	}
	slices.Sort(s.metrics)
	s.metrics = slices.Compact(s.metrics)
	text := strings.Join(s.metrics, ",") + " " + s.interval.String() + " " + id.String()
	s.id = int32(crc32.ChecksumIEEE([]byte(text)))
	return s
}
