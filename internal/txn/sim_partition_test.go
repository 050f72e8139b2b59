package txn

import (
	"math/rand/v2"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// simPartition is a toy of a partition: a log of batches judged by the real
// producer state, of which a power cut leaves any part that was not synced.
type simPartition struct {
	state  *producer.State
	log    []simBatch
	synced int
}

// simBatch is a value of a transaction, or a marker.
type simBatch struct {
	producerID int64
	epoch      int16
	value      string
	marker     []byte // nil for a value
	commit     bool
}

func newSimPartition() *simPartition { return &simPartition{state: producer.NewState()} }

func (p *simPartition) header(b *simBatch) *record.Header {
	if b.marker != nil {
		h, err := record.ParseHeader(b.marker)
		if err != nil {
			panic(err)
		}
		h.BaseOffset = int64(len(p.log))
		return &h
	}
	return &record.Header{
		ProducerID: b.producerID, ProducerEpoch: b.epoch, BaseSequence: -1, Count: 1,
		BaseOffset: int64(len(p.log)), Attributes: 1 << 4,
	}
}

func (p *simPartition) apply(b simBatch) {
	if _, _, err := p.state.Apply(p.header(&b), b.marker); err != nil {
		panic(err)
	}
	p.log = append(p.log, b)
}

// append writes a value; false when the producer is fenced.
func (p *simPartition) append(producerID int64, epoch int16, value string) bool {
	b := simBatch{producerID: producerID, epoch: epoch, value: value}
	if v, _ := p.state.Check(p.header(&b)); v != producer.Accept {
		return false
	}
	p.apply(b)
	return true
}

// mark writes a marker; false when the partition has seen a newer epoch.
func (p *simPartition) mark(m *Marker) bool {
	b := simBatch{producerID: m.ProducerID, epoch: m.ProducerEpoch, commit: m.Commit}
	b.marker = record.EndTxnMarker(m.ProducerID, m.ProducerEpoch, m.Commit, m.CoordinatorEpoch, 0)
	if v := p.state.CheckMarker(p.header(&b), m.CoordinatorEpoch, m.Version); v != producer.Accept {
		return false
	}
	p.apply(b)
	return true
}

// cut is a power cut.
func (p *simPartition) cut(rnd *rand.Rand) {
	keep := p.synced + rnd.IntN(len(p.log)-p.synced+1)
	log := p.log[:keep]
	p.log, p.state = nil, producer.NewState()
	for _, b := range log {
		p.apply(b)
	}
	p.synced = keep
}

// visible counts how often each value is there to be read by those who read
// what is committed, in the part of the log below end; open tells of values
// that are not decided.
func (p *simPartition) visible(end int) (values map[string]int, open int) {
	values = map[string]int{}
	waiting := map[int64][]string{}
	for _, b := range p.log[:end] {
		if b.marker == nil {
			waiting[b.producerID] = append(waiting[b.producerID], b.value)
			continue
		}
		for _, v := range waiting[b.producerID] {
			if b.commit {
				values[v]++
			}
		}
		delete(waiting, b.producerID)
	}
	return values, len(waiting)
}
