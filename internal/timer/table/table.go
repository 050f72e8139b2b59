package table

// Hash stands for a timer's key: enough bits of a cryptographic hash that two
// keys never have the same one.
type Hash [16]byte

// Entry is what is known of a timer beside its payload.
type Entry struct {
	Hash   Hash
	DueMs  int64
	Offset int64 // of its record in the log; unique
	Topic  int32 // the machine's number of its topic
	// Spread is the partition, or below 0 what -1-Spread modulo the number of
	// partitions is.
	Spread int32
	Size   int32 // bytes that its record will have, about
}

// Ref names an entry.
type Ref int32

// None is no entry.
const None Ref = -1

// chunkLen is how many entries lie in one piece of memory.
const chunkLen = 1 << 10

// Places of an entry that is not in the heap.
const (
	taken int32 = -1
	freed int32 = -2
)

type slot struct {
	Entry
	place int32 // in the heap, or taken or freed
}

// Table is a set of entries. The zero value is empty.
type Table struct {
	chunks [][]slot // all but the last have chunkLen
	free   []Ref
	used   int
	index  index
	heap   []Ref
	loose  bool  // the heap has no order yet: see Loosen
	counts []int // of entries, by topic
}

// Len is the number of entries, those that were taken too.
func (t *Table) Len() int { return t.used }

// LenOf is the number of entries of a topic, those that were taken too.
func (t *Table) LenOf(topic int32) int {
	if int(topic) >= len(t.counts) {
		return 0
	}
	return t.counts[topic]
}

// counted notes that a topic has n entries more.
func (t *Table) counted(topic int32, n int) {
	for int(topic) >= len(t.counts) {
		t.counts = append(t.counts, 0)
	}
	t.counts[topic] += n
}

// Waiting is the number of entries that were not taken.
func (t *Table) Waiting() int { return len(t.heap) }

func (t *Table) at(r Ref) *slot { return &t.chunks[r/chunkLen][r%chunkLen] }

// Get is the entry of a Ref.
func (t *Table) Get(r Ref) Entry { return t.at(r).Entry }

// Holds tells whether a Ref that was kept still names the entry of that offset.
func (t *Table) Holds(r Ref, offset int64) bool {
	if r < 0 || int(r/chunkLen) >= len(t.chunks) || int(r%chunkLen) >= len(t.chunks[r/chunkLen]) {
		return false
	}
	s := t.at(r)
	return s.place != freed && s.Offset == offset
}

// Taken tells whether the entry of a Ref was taken and not returned.
func (t *Table) Taken(r Ref) bool { return t.at(r).place == taken }

// Find is the entry of a key, None when there is none.
func (t *Table) Find(h Hash) Ref { return t.index.find(t, h) }

// Put adds an entry, in the place of that with the same hash, and lets it wait. Its
// topic is at least 0, and topics are numbered without large gaps.
func (t *Table) Put(e Entry) Ref {
	t.counted(e.Topic, 1)
	if r := t.Find(e.Hash); r != None {
		s := t.at(r)
		t.counted(s.Topic, -1)
		s.Entry = e
		if s.place == taken {
			t.push(r)
		} else {
			t.fix(int(s.place))
		}
		return r
	}
	r := t.room()
	t.at(r).Entry = e
	t.used++
	t.index.add(t, r)
	t.push(r)
	return r
}

// room finds a place for an entry.
func (t *Table) room() Ref {
	if n := len(t.free); n > 0 {
		r := t.free[n-1]
		t.free = t.free[:n-1]
		return r
	}
	last := len(t.chunks) - 1
	if last < 0 || len(t.chunks[last]) == chunkLen {
		var c []slot
		if last >= 0 { // the first grows from little, for a table that stays small
			c = make([]slot, 0, chunkLen)
		}
		t.chunks = append(t.chunks, c)
		last++
	}
	t.chunks[last] = append(t.chunks[last], slot{})
	return Ref(last*chunkLen + len(t.chunks[last]) - 1)
}

// Remove takes an entry out for good.
func (t *Table) Remove(r Ref) {
	s := t.at(r)
	if s.place >= 0 {
		t.pull(int(s.place))
	}
	t.index.remove(t, r)
	t.counted(s.Topic, -1)
	s.place = freed
	t.free = append(t.free, r)
	t.used--
	if t.used == 0 {
		*t = Table{loose: t.loose}
	}
}

// Take lets an entry wait no longer.
func (t *Table) Take(r Ref) {
	if s := t.at(r); s.place >= 0 {
		t.pull(int(s.place))
	}
}

// Return lets an entry that was taken wait again.
func (t *Table) Return(r Ref) {
	if t.at(r).place == taken {
		t.push(r)
	}
}

// All gives each entry to fn, in the order of their places.
func (t *Table) All(fn func(Ref, Entry) bool) {
	for n, c := range t.chunks {
		for i := range c {
			if c[i].place != freed && !fn(Ref(n*chunkLen+i), c[i].Entry) {
				return
			}
		}
	}
}
