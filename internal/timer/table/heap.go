package table

// Next is when the first entry that waits is due; false when none waits.
func (t *Table) Next() (dueMs int64, ok bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.at(t.heap[0]).DueMs, true
}

// TakeDue takes the first entry that is due at ms, None when there is none.
func (t *Table) TakeDue(ms int64) Ref {
	if due, ok := t.Next(); !ok || due > ms {
		return None
	}
	r := t.heap[0]
	t.pull(0)
	return r
}

// Loosen lets the heap lose its order, for a load: then Put costs nothing of it,
// and Next and TakeDue may not be called before Tighten.
func (t *Table) Loosen() { t.loose = true }

// Tighten brings the order back, in one pass.
func (t *Table) Tighten() {
	t.loose = false
	for i := len(t.heap)/2 - 1; i >= 0; i-- {
		t.down(i)
	}
}

// before orders by time, and by offset those of one time.
func (t *Table) before(a, b Ref) bool {
	x, y := t.at(a), t.at(b)
	if x.DueMs != y.DueMs {
		return x.DueMs < y.DueMs
	}
	return x.Offset < y.Offset
}

func (t *Table) push(r Ref) {
	t.heap = append(t.heap, r)
	i := len(t.heap) - 1
	t.at(r).place = int32(i)
	if !t.loose {
		t.up(i)
	}
}

// pull takes the entry at a place of the heap out of it.
func (t *Table) pull(i int) {
	t.at(t.heap[i]).place = taken
	last := len(t.heap) - 1
	moved := t.heap[last]
	t.heap = t.heap[:last]
	if i == last {
		return
	}
	t.heap[i] = moved
	t.at(moved).place = int32(i)
	t.fix(i)
}

// fix puts the entry at a place where it belongs.
func (t *Table) fix(i int) {
	if t.loose {
		return
	}
	if !t.down(i) {
		t.up(i)
	}
}

func (t *Table) up(i int) {
	r := t.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !t.before(r, t.heap[parent]) {
			break
		}
		t.move(i, t.heap[parent])
		i = parent
	}
	t.move(i, r)
}

// down moves the entry at a place down as far as it belongs; false when it stays.
func (t *Table) down(i int) bool {
	r, began := t.heap[i], i
	for {
		child := 2*i + 1
		if child >= len(t.heap) {
			break
		}
		if child+1 < len(t.heap) && t.before(t.heap[child+1], t.heap[child]) {
			child++
		}
		if !t.before(t.heap[child], r) {
			break
		}
		t.move(i, t.heap[child])
		i = child
	}
	t.move(i, r)
	return i > began
}

func (t *Table) move(i int, r Ref) {
	t.heap[i] = r
	t.at(r).place = int32(i)
}
