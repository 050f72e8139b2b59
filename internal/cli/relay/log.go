package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/follow"
)

const (
	transactionTimeout = time.Minute
	// writeWithin bounds one transaction. It is less than the broker lets it live: that
	// ends it as if another had taken over.
	writeWithin = 45 * time.Second
	// findWithin bounds the search for what was written last: it waits for the end of
	// transactions that others have open in the progress topic.
	findWithin = time.Minute
	// firstLook is how many offsets before its end the progress topic is read first:
	// a transaction takes three at most.
	firstLook = 64
	compact   = "compact"
	// mostIDs bounds the bytes of the ids of a transaction, which are one record.
	mostIDs = 128 << 10
	// segmentBytes has the progress topic compacted early: a transaction writes some
	// kilobytes to it, of which the last is needed.
	segmentBytes = "16777216"
)

// Outlet says which log a relay writes to.
type Outlet struct {
	Name  string // of the relay
	Table string // its identity
	Moved bool   // rows of a table of another identity were written last, and it is the same table
	Shape Shape
	// Connect makes a client of the cluster.
	Connect func(context.Context, ...kgo.Opt) (*kgo.Client, error)
}

// TransactionalID is what a relay's transactions go by.
func (o *Outlet) TransactionalID() string { return "ottla-outbox-" + o.Name }

// ProgressTopic is where a relay remembers what it wrote last.
func (o *Outlet) ProgressTopic() string { return "ottla-outbox-" + o.Name }

// session is a Log.
type session struct {
	*Outlet
	client *kgo.Client
	most   map[string]int32 // bytes of a batch that topics take; not changed once something is written
	last   []Written
}

// mostOf is how large a batch may be. A record that is larger is refused by itself, not
// with all that would travel with it.
func (s *session) mostOf(topic string) int32 {
	if n := s.most[topic]; n > 0 {
		return n
	}
	return 1 << 20
}

// Open makes the log: from here on no other relay of the name can write.
func (o *Outlet) Open(ctx context.Context) (Log, error) {
	s := &session{Outlet: o, most: map[string]int32{}}
	c, err := o.Connect(ctx, kgo.TransactionalID(o.TransactionalID()), kgo.TransactionTimeout(transactionTimeout),
		kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytesFn(s.mostOf), kgo.BrokerMaxWriteBytes(100<<20))
	if err != nil {
		return nil, err
	}
	s.client = c
	if err := s.open(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) open(ctx context.Context) error {
	a := kadm.NewClient(s.client)
	made, err := s.topics(ctx, a)
	if err != nil {
		return err
	}
	if !made { // who may not go on must not end the one that may
		if err := s.find(ctx, committed); err != nil {
			return err
		}
	}
	// This begins a new epoch of the producer: a transaction that was under way is
	// aborted, or its commit completed, before it returns.
	if _, _, err := s.client.ProducerID(ctx); err != nil {
		return fmt.Errorf("begin transactions as %s: %w", s.TransactionalID(), err)
	}
	value, err := json.Marshal(start{s.Table, time.Now().UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return fmt.Errorf("write down which table it is: %w", err)
	}
	started := &kgo.Record{Topic: s.ProgressTopic(), Key: []byte(keyStarted), Value: value}
	if err := s.transact(ctx, []*kgo.Record{started}, 0); err != nil {
		return err
	}
	return s.find(ctx, started.Offset)
}

// committed is the end of what is committed when it is looked for.
const committed = -1

// find takes over what was written last and is committed before an offset, or refuses to.
func (s *session) find(ctx context.Context, to int64) error {
	ctx, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	log, err := follow.Open(follow.Options{Topic: s.ProgressTopic(), Wait: time.Second, Client: func(opts ...kgo.Opt) (*kgo.Client, error) {
		return s.Connect(ctx, opts...)
	}})
	if err != nil {
		return err
	}
	defer log.Close()
	if to == committed {
		if to, err = log.End(ctx); err != nil {
			return err
		}
	}
	for window := int64(firstLook); ; window *= 8 {
		from := max(0, to-window)
		log.GoTo(from)
		switch p, started, err := s.before(ctx, log, to); {
		case err != nil:
			return err
		case p != nil:
			return s.take(p)
		case from == 0 && started != "" && started != s.Table && !s.Moved:
			return fmt.Errorf("outbox %s was last started for %s, and this is %s: give this one another --name, or --moved if it is the same table at another place, or the other is not one", s.Name, started, s.Table)
		case from == 0:
			return nil
		}
	}
}

// topics sees to it that the topics are there, and tells whether that of the progress is
// new.
func (s *session) topics(ctx context.Context, a *kadm.Client) (made bool, err error) {
	policy, segment := compact, segmentBytes
	answer, err := a.CreateTopic(ctx, 1, -1, map[string]*string{"cleanup.policy": &policy, "segment.bytes": &segment}, s.ProgressTopic())
	if err == nil {
		err = answer.Err
	}
	if made = err == nil; !made && !errors.Is(err, kerr.TopicAlreadyExists) {
		return false, fmt.Errorf("create topic %s: %w", s.ProgressTopic(), err)
	}
	if err := s.settings(ctx, a); err != nil {
		return false, err
	}
	found, err := a.ListTopics(ctx, s.Shape.Topic, s.ProgressTopic())
	if err != nil {
		return false, fmt.Errorf("look at topic %s: %w", s.Shape.Topic, err)
	}
	if err := found[s.Shape.Topic].Err; err != nil {
		return false, fmt.Errorf("look at topic %s: %w", s.Shape.Topic, err)
	}
	if n := len(found[s.ProgressTopic()].Partitions); n > 1 {
		return false, fmt.Errorf("topic %s has %d partitions; one is what a relay needs: give it another --name", s.ProgressTopic(), n)
	}
	return made, nil
}

// settings takes down what topics take, and refuses a progress topic that would forget.
func (s *session) settings(ctx context.Context, a *kadm.Client) error {
	configs, err := a.DescribeTopicConfigs(ctx, s.ProgressTopic(), s.Shape.Topic)
	if err != nil {
		return fmt.Errorf("look at topic %s: %w", s.Shape.Topic, err)
	}
	for _, c := range configs {
		if c.Err != nil {
			return fmt.Errorf("look at topic %s: %w", c.Name, c.Err)
		}
		for _, v := range c.Configs {
			switch {
			case v.Key == "max.message.bytes":
				n, err := strconv.ParseInt(v.MaybeValue(), 10, 32)
				if err != nil {
					return fmt.Errorf("topic %s has max.message.bytes=%s: %w", c.Name, v.MaybeValue(), err)
				}
				s.most[c.Name] = int32(min(n, 64<<20))
			case v.Key == "cleanup.policy" && c.Name == s.ProgressTopic() && v.MaybeValue() != compact:
				return fmt.Errorf("topic %s has cleanup.policy=%s and would forget what was written: ottla config set --topic %[1]s cleanup.policy=compact", c.Name, v.MaybeValue())
			}
		}
	}
	return nil
}

// before gives the last progress from where a reader is up to an offset, and for which table
// somebody started last.
func (s *session) before(ctx context.Context, log *follow.Partition, to int64) (found *progress, started string, err error) {
	for log.At() < to {
		records, err := log.Next(ctx)
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("what is committed does not reach offset %d (does a transaction stand open there? ottla txn list --open): %w", to, err)
		}
		if err != nil {
			return nil, "", err
		}
		for _, r := range records {
			if r.Offset >= to {
				return found, started, nil
			}
			if string(r.Key) == keyStarted {
				started = startedTable(r.Value)
			}
			if string(r.Key) != keyRows {
				continue
			}
			if found, err = decodeProgress(r.Value); err != nil {
				return nil, "", fmt.Errorf("topic %s at offset %d: %w: this is not what a relay wrote; give it another --name", s.ProgressTopic(), r.Offset, err)
			}
		}
	}
	return found, started, nil
}

// take goes on from what was written last. Its ids are those of rows of one table: in
// another they would be those of rows that nobody has written.
func (s *session) take(p *progress) error {
	if p.Table != s.Table && !s.Moved {
		return fmt.Errorf("outbox %s last wrote rows of %s, and this is %s: give this one another --name, or --moved if it is the same table at another place", s.Name, p.Table, s.Table)
	}
	s.last = p.written()
	return nil
}

func (s *session) Last() []Written { return s.last }

func (s *session) Write(ctx context.Context, rows []Row) (int, error) {
	for {
		n, err := s.write(ctx, rows)
		var no *refused
		if !errors.As(err, &no) {
			return n, err
		}
		// What is before it goes without it. The first of many may be refused for others
		// of its batch, where a topic takes less than it did.
		switch {
		case no.at > 0:
			rows = rows[:no.at]
		case len(rows) > 1:
			rows = rows[:len(rows)/2]
		default:
			return 0, &RowError{rows[0].ID, no.cause}
		}
	}
}

// write writes as many rows as one transaction takes.
func (s *session) write(ctx context.Context, rows []Row) (int, error) {
	p := &progress{Table: s.Table}
	records := make([]*kgo.Record, 0, len(rows)+1)
	size := 0
	for i := 0; i < len(rows) && size < mostIDs; i++ {
		r, err := s.Shape.Record(&rows[i])
		if err != nil && i == 0 {
			return 0, err
		}
		if err != nil {
			break // that is said when it is the first
		}
		records = append(records, r)
		p.IDs, p.Sums = append(p.IDs, rows[i].ID), append(p.Sums, rows[i].sum())
		size += len(fmt.Sprint(rows[i].ID))
	}
	value, err := p.encode()
	if err != nil {
		return 0, fmt.Errorf("write down which rows are written: %w", err)
	}
	n := len(records)
	records = append(records, &kgo.Record{Topic: s.ProgressTopic(), Key: []byte(keyRows), Value: value})
	return n, s.transact(ctx, records, n)
}

// refused is a record that its topic does not take. Nothing of its transaction is written.
type refused struct {
	at    int // among the rows
	cause error
}

func (r *refused) Error() string { return fmt.Sprintf("record %d: %v", r.at, r.cause) }

// transact writes records in one transaction. The first of them are rows.
func (s *session) transact(ctx context.Context, records []*kgo.Record, rows int) error {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := s.client.BeginTransaction(); err != nil {
		return s.failure("begin a transaction", err)
	}
	var no *refused
	results, err := s.produce(ctx, records)
	if err != nil {
		return s.failure("write", err)
	}
	if got := firstFenced(results); got != nil { // ahead of all else: who was fenced aborts nothing
		return s.failure("write to topic "+got.Record.Topic, got.Err)
	}
	for _, got := range results {
		i := slices.Index(records, got.Record) // results come in the order in which they are known
		switch {
		case got.Err == nil:
		case i < rows && refusesRecord(got.Err):
			if no == nil || i < no.at {
				no = &refused{i, got.Err}
			}
		default:
			_ = s.abort(ctx) // the next session does it otherwise
			return s.failure("write to topic "+got.Record.Topic, got.Err)
		}
	}
	if no == nil {
		return s.failure("commit", commit.Commit(ctx, s.client, records...))
	}
	if err := s.takeBack(ctx, results); err != nil {
		return s.failure("abort", err)
	}
	return no
}

// produce writes records. The client would wait for a node that is away as long as it
// does not know what became of them; whoever closes it lets go of them, and the next
// session aborts what is open.
func (s *session) produce(ctx context.Context, records []*kgo.Record) (kgo.ProduceResults, error) {
	done := make(chan kgo.ProduceResults, 1)
	go func() { done <- s.client.ProduceSync(ctx, records...) }()
	select {
	case results := <-done:
		return results, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// refusesRecord tells whether the same record would be refused again.
func refusesRecord(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) || errors.Is(err, kerr.InvalidRecord)
}

// fenced tells whether another has begun a new epoch of the producer.
func fenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
}

func firstFenced(results kgo.ProduceResults) *kgo.ProduceResult {
	for i := range results {
		if fenced(results[i].Err) {
			return &results[i]
		}
	}
	return nil
}

// abort ends a transaction that failed, so that readers need not wait for its time-out.
// It is not for who was fenced: the client would begin an epoch of its own to abort in,
// and fence the other.
func (s *session) abort(ctx context.Context) error {
	if err := s.client.AbortBufferedRecords(ctx); err != nil {
		return err
	}
	return s.client.EndTransaction(ctx, kgo.TryAbort)
}

// takeBack aborts a transaction of which some records were written, for the session to go
// on: the client must know their partitions, or it may leave the transaction open.
func (s *session) takeBack(ctx context.Context, results kgo.ProduceResults) error {
	for _, got := range results {
		if got.Err != nil {
			continue
		}
		if err := commit.Known(ctx, s.client, got.Record); err != nil {
			return err
		}
	}
	return s.abort(ctx)
}

func (s *session) failure(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case fenced(err):
		return fmt.Errorf("%w (%s as %s: %w)", ErrTakenOver, what, s.TransactionalID(), err)
	}
	return fmt.Errorf("%s as %s: %w", what, s.TransactionalID(), err)
}

func (s *session) Close() { s.client.Close() }
