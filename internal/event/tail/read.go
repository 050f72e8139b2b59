package tail

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
)

// What a page may hold, and what is looked at for one.
const (
	MostRecords = 1000
	mostBytes   = 4 << 20
	// mostLooked bounds the records that are looked at for a page where Keep leaves
	// most of them out; the cursor then goes on behind them.
	mostLooked = 20_000
)

// Ask says what a page shall have.
type Ask struct {
	From From
	Most int           // records, up to MostRecords
	Wait time.Duration // for the first record, where there is none
	// Keep chooses records; nil keeps all.
	Keep func(*kgo.Record) bool
}

// Page is what Read gives.
type Page struct {
	Records []*kgo.Record
	Next    Cursor // where the next page begins
	// More tells that there were records behind the page already.
	More bool
}

// Read gives the records that are there from a place on, or waits for the first.
func (s *Service) Read(ctx context.Context, topic string, a Ask) (Page, error) {
	c, err := s.shared()
	if err != nil {
		return Page{}, err
	}
	begin, ends, err := s.resolve(ctx, c, topic, a.From)
	if err != nil {
		return Page{}, err
	}
	page, err := s.page(ctx, c, topic, begin, ends, a)
	if err != nil || len(page.Records) > 0 || page.More || a.Wait <= 0 {
		return page, err
	}
	return s.await(ctx, topic, page.Next, a)
}

// page reads what is there.
func (s *Service) page(ctx context.Context, c *kgo.Client, topic string, at Cursor, ends map[int32]int64, a Ask) (Page, error) {
	m := merge{at: at}
	defer m.close()
	for p, end := range ends {
		if at[p] < end {
			m.lanes = append(m.lanes, &lane{partition: p, end: end})
		}
	}
	slices.SortFunc(m.lanes, func(a, b *lane) int { return int(a.partition) - int(b.partition) })
	for _, l := range m.lanes {
		log, err := follow.Open(follow.Options{
			Shared: c, Topic: topic, Partition: l.partition, From: at[l.partition], Bytes: int32(max(mostBytes/len(m.lanes), 64<<10)),
		})
		if err != nil {
			return Page{}, unavailable(topic, err)
		}
		l.log = log
	}
	page := Page{Next: at}
	size := 0
	for looked := 0; ; looked++ {
		r, err := m.next(ctx)
		if err != nil {
			return Page{}, unavailable(topic, err)
		}
		if r == nil {
			return page, nil
		}
		if len(page.Records) == a.Most || size > mostBytes || looked == mostLooked {
			page.More = true
			return page, nil
		}
		m.take()
		if a.Keep == nil || a.Keep(r) {
			page.Records = append(page.Records, r)
			size += len(r.Key) + len(r.Value)
		}
	}
}

// merge gives the records of several partitions by their timestamps, each partition's
// in its order. at follows what was taken.
type merge struct {
	lanes []*lane
	at    Cursor
	head  *lane // has the record that next gave
}

// lane is one partition that is read up to an end.
type lane struct {
	partition int32
	end       int64
	log       *follow.Partition
	waiting   []*kgo.Record
}

func (m *merge) close() {
	for _, l := range m.lanes {
		if l.log != nil {
			l.log.Close()
		}
	}
}

// next is the record that comes next, nil at the end; take goes past it.
func (m *merge) next(ctx context.Context) (*kgo.Record, error) {
	m.head = nil
	for _, l := range m.lanes {
		for len(l.waiting) == 0 && l.log.At() < l.end {
			got, err := l.log.Next(ctx)
			if err != nil {
				return nil, err
			}
			for len(got) > 0 && got[len(got)-1].Offset >= l.end {
				got = got[:len(got)-1] // came since
			}
			l.waiting = got
		}
		if len(l.waiting) == 0 {
			m.at[l.partition] = min(l.log.At(), l.end) // nothing more that is committed
		}
		if len(l.waiting) > 0 && (m.head == nil || l.waiting[0].Timestamp.Before(m.head.waiting[0].Timestamp)) {
			m.head = l
		}
	}
	if m.head == nil {
		return nil, nil
	}
	return m.head.waiting[0], nil
}

func (m *merge) take() {
	l := m.head
	m.at[l.partition] = l.waiting[0].Offset + 1
	l.waiting = l.waiting[1:]
}

// await waits for records from a cursor on.
func (s *Service) await(ctx context.Context, topic string, at Cursor, a Ask) (Page, error) {
	st, err := s.open(topic, at)
	if err != nil {
		return Page{}, err
	}
	defer st.Close()
	wait, cancel := context.WithTimeout(ctx, a.Wait)
	defer cancel()
	page := Page{}
	for len(page.Records) == 0 && wait.Err() == nil {
		for {
			r, err := st.Next(wait)
			if err != nil && wait.Err() == nil {
				return Page{}, err
			}
			if r == nil {
				break
			}
			if a.Keep == nil || a.Keep(r) {
				page.Records = append(page.Records, r)
			}
			if len(page.Records) == a.Most || st.Buffered() == 0 {
				break
			}
		}
	}
	page.Next = st.Cursor()
	return page, nil
}
