package queue

import (
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/share"
)

// Fill gives a Spec what was left out. Doors that tell nothing of a field leave
// it as DefaultSpec has it.
func (s *Spec) Fill(ref Ref) {
	if s.Topic == "" {
		s.Topic = ref.Full().TopicName()
	}
	if s.Group == "" {
		s.Group = "queue." + s.Topic
	}
	s.Partitions = max(s.Partitions, 1)
	if s.DedupScope == "" {
		s.DedupScope = ScopeQueue
	}
	if s.ThroughputLimit == "" {
		s.ThroughputLimit = PerQueue
	}
	if s.MaxMessageBytes == 0 {
		s.MaxMessageBytes = MaxMessageBytes
	}
	if b := s.Backoff; b != nil {
		if b.Factor == 0 {
			b.Factor = 2
		}
		if b.MaxMs == 0 {
			b.MaxMs = share.MaxRetryMs
		}
	}
}

// DefaultSpec is a queue of which nothing was said.
func DefaultSpec() Spec {
	return Spec{VisibilityMs: DefaultVisibilityMs, RetentionMs: DefaultRetentionMs, MaxMessageBytes: MaxMessageBytes}
}

// bound is a number of a Spec and what it may be.
type bound struct {
	what           string
	n, least, most int64
}

func (b bound) check() error {
	if b.n < b.least || b.n > b.most {
		return invalidf("%s is %d; %d to %d are possible", b.what, b.n, b.least, b.most)
	}
	return nil
}

// check tells what is wrong with a filled Spec by itself.
func (s *Spec) check(ref Ref) error {
	full := ref.Full()
	if err := name.CheckPlace(full.Account, full.Region); err != nil {
		return invalidf("%w", err)
	}
	if err := name.Check(name.Queue, ref.Name); err != nil {
		return invalidf("%w", err)
	}
	if s.FIFO != strings.HasSuffix(ref.Name, name.FIFOSuffix) {
		return invalidf("the queue %s: the names of FIFO queues end with %s, and of no others", ref.Name, name.FIFOSuffix)
	}
	bounds := []bound{
		{"the visibility timeout in ms", s.VisibilityMs, 0, MaxVisibilityMs}, {"the delay in ms", s.DelayMs, 0, MaxDelayMs},
		{"the wait in ms", s.WaitMs, 0, MaxWaitMs}, {"the size of messages in bytes", int64(s.MaxMessageBytes), MinMessageBytes, MaxMessageBytes},
		{"the number of partitions", int64(s.Partitions), 1, 10_000},
	}
	if s.RetentionMs != 0 || !s.Adopted {
		bounds = append(bounds, bound{"the retention in ms", s.RetentionMs, MinRetentionMs, MaxRetentionMs})
	}
	if d := s.DeadLetter; d != nil {
		bounds = append(bounds, bound{"the receives before a message is a dead letter", int64(d.MaxReceives), 1, 1000})
	}
	if b := s.Backoff; b != nil {
		bounds = append(bounds, bound{"the backoff in ms", b.FirstMs, 0, share.MaxRetryMs}, bound{"the longest backoff in ms", b.MaxMs, 0, share.MaxRetryMs},
			bound{"the factor of the backoff", int64(b.Factor), 1, 100})
	}
	for _, b := range bounds {
		if err := b.check(); err != nil {
			return err
		}
	}
	return s.checkWords()
}

// checkWords checks what has one of a few values.
func (s *Spec) checkWords() error {
	if !s.FIFO && (s.ContentDedup || s.DedupScope != ScopeQueue || s.ThroughputLimit != PerQueue) {
		return invalidf("deduplication and the throughput limit are of FIFO queues")
	}
	if s.DedupScope != ScopeQueue && s.DedupScope != ScopeGroup {
		return invalidf("the deduplication scope %q is neither %s nor %s", s.DedupScope, ScopeQueue, ScopeGroup)
	}
	if s.ThroughputLimit != PerQueue && s.ThroughputLimit != PerGroup {
		return invalidf("the throughput limit %q is neither %s nor %s", s.ThroughputLimit, PerQueue, PerGroup)
	}
	if s.ThroughputLimit == PerGroup && s.DedupScope != ScopeGroup {
		return invalidf("the throughput limit %s needs the deduplication scope %s", PerGroup, ScopeGroup)
	}
	if r := s.RedriveAllow; r != nil {
		switch {
		case r.Permission != AllowAll && r.Permission != DenyAll && r.Permission != ByQueue:
			return invalidf("the redrive permission %q is none of %s, %s, %s", r.Permission, AllowAll, DenyAll, ByQueue)
		case (r.Permission == ByQueue) != (len(r.Sources) > 0):
			return invalidf("source queues are named with the redrive permission %s, and with it alone", ByQueue)
		case len(r.Sources) > 10:
			return invalidf("%d source queues are named; 10 are possible", len(r.Sources))
		}
	}
	return nil
}

// differs names the first attribute in which another Spec differs from the one
// that there is, "" when it does not. Tags do not count.
func (s *Spec) differs(o *Spec) string {
	for _, d := range []struct {
		attribute string
		same      bool
	}{
		{"Topic", s.Topic == o.Topic}, {"Group", s.Group == o.Group}, {"FifoQueue", s.FIFO == o.FIFO},
		{"ContentBasedDeduplication", s.ContentDedup == o.ContentDedup}, {"DeduplicationScope", s.DedupScope == o.DedupScope},
		{"FifoThroughputLimit", s.ThroughputLimit == o.ThroughputLimit}, {"VisibilityTimeout", s.VisibilityMs == o.VisibilityMs},
		{"DelaySeconds", s.DelayMs == o.DelayMs}, {"MessageRetentionPeriod", s.RetentionMs == o.RetentionMs},
		{"ReceiveMessageWaitTimeSeconds", s.WaitMs == o.WaitMs}, {"MaximumMessageSize", s.MaxMessageBytes == o.MaxMessageBytes},
		{"RedrivePolicy", equal(s.DeadLetter, o.DeadLetter)}, {"RedriveAllowPolicy", sameAllow(s.RedriveAllow, o.RedriveAllow)},
		{"Backoff", equal(s.Backoff, o.Backoff)}, {"Policy", s.Policy == o.Policy},
	} {
		if !d.same {
			return d.attribute
		}
	}
	return ""
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func sameAllow(a, b *RedriveAllow) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Permission != b.Permission || len(a.Sources) != len(b.Sources) {
		return false
	}
	for i := range a.Sources {
		if a.Sources[i] != b.Sources[i] {
			return false
		}
	}
	return true
}

// Check tells what is wrong with a Spec by itself: whether what it names is there is not
// asked.
func Check(ref Ref, s Spec) error {
	s.Fill(ref)
	return s.check(ref)
}
